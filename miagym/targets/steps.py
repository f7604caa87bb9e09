"""How many sampling steps a question runs; prices need no more of a target."""

from __future__ import annotations

from miagym.errors import TargetError


def variation_steps(strength: float, steps: int) -> int:
    """Number of sampling steps that a variation of this strength in (0, 1] runs: at least one.

    Raises:
        TargetError: if the strength is outside (0, 1] or there is no step.
    """
    if not 0 < strength <= 1 or steps < 1:
        raise TargetError(
            f"A variation needs a strength in (0, 1] and at least one step, "
            f"got {strength} and {steps}."
        )
    return max(1, min(steps, int(strength * steps)))
