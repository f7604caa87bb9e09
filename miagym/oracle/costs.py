"""What questions cost a candidate, by their parameters."""

from __future__ import annotations

from miagym.oracle.budget import BACKWARD_ROWS, Cost
from miagym.targets.sizes import variation_steps

BACKWARD = Cost(queries=1, unet_rows=1, backward_rows=1)
"""One latent through the UNet and back."""

DECODER_BACKWARD = Cost(queries=1, decodes=1 + BACKWARD_ROWS)
"""One latent through the decoder and back, which counts as `BACKWARD_ROWS` more."""


def guidance_rows(guidance_scale: float) -> int:
    """UNet rows of one prediction: guidance adds one under the empty prompt."""
    return 1 if guidance_scale == 1.0 else 2


def generation_cost(steps: int, guidance_scale: float) -> Cost:
    """Cost of one picture from a caption, in so many DDIM steps.

    Raises:
        TargetError: if there is no step.
    """
    rows = variation_steps(1, steps) * guidance_rows(guidance_scale)
    return Cost(queries=1, unet_rows=rows, decodes=1)


def variation_cost(strength: float, steps: int, guidance_scale: float) -> Cost:
    """Cost of one variation of a picture, which runs `strength` of the DDIM steps.

    Raises:
        TargetError: if the strength is outside (0, 1] or there is no step.
    """
    rows = variation_steps(strength, steps) * guidance_rows(guidance_scale)
    return Cost(queries=1, unet_rows=rows, encodes=1, decodes=1)
