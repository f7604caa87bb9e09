"""What prices and games need to know of a target, without torch: steps, and tokens of a prompt."""

from __future__ import annotations

from miagym.errors import TargetError

TOKENS, VOCABULARY = 77, 49408
"""Tokens of a prompt, and how many different ones there are, as in CLIP's text encoder."""


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
