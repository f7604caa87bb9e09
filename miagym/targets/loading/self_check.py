"""Does a target answer what its own pipeline computes? Asked once, when it is loaded."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy

import torch
from diffusers import DDIMScheduler

from miagym.errors import TargetError
from miagym.targets.pipeline.quiet import quiet_pipelines
from miagym.targets.pipeline.target import PipelineTarget
from miagym.targets.schedule import Predicts

STEPS, GUIDANCE = 2, 3.0
PROMPT = "a red house by the sea"
TOLERANCE = {torch.float32: 1e-3, torch.float16: 5e-2, torch.bfloat16: 2e-1}
"""Largest difference of a pixel in [0, 1]; half precision rounds on the way."""


def check_against_pipeline(target: PipelineTarget) -> None:
    """Generates a small picture in two steps, by the target and by its pipeline, from equal noise.

    Raises:
        TargetError: if they differ.
    """
    ours, theirs = both_generate(target, PROMPT, STEPS, GUIDANCE)
    difference = float((ours - theirs).abs().max())
    if not difference <= TOLERANCE.get(target.dtype, 2e-1):
        raise TargetError(
            f"{target.name} does not answer what its own pipeline computes: a picture differs by "
            f"{difference:.3g} of the range of its pixels, so that scores would be those of "
            "another model; please report its configuration."
        )


def both_generate(
    target: PipelineTarget, prompt: str, steps: int, guidance_scale: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures (1, 3, side, side) in [0, 1]: the target's, and the pipeline's own."""
    prompt = "0" if target.told.value == "class" else prompt
    guidance_scale = guidance_scale if target.can_be_guided else 1.0
    channels, side, _ = target.latent_shape
    side = min(side, target.checked_side or side)
    shape = (1, channels, side, side)
    noise = torch.randn(shape, generator=_seeded(), dtype=target.dtype).to(target.device).float()
    moves = target.moves(steps, side)
    ours = target.decode(target.denoise(noise, moves, [prompt], guidance_scale)) / 2 + 0.5
    pipeline, factor = target.pipeline, target.resolution // target.latent_shape[1]
    scheduler = pipeline.scheduler
    try:
        if target.predicts is not Predicts.FLOW:
            clips = target.clip_sample is not None
            pipeline.scheduler = DDIMScheduler.from_config(scheduler.config, clip_sample=clips)
        else:
            pipeline.scheduler = deepcopy(scheduler)
        # diffusers warns of what its own pipelines do, as when SDXL's upcasts its autoencoder
        ignored = warnings.catch_warnings(action="ignore", category=FutureWarning)
        with quiet_pipelines(), ignored, _all_in_one_precision(target), torch.inference_mode():
            theirs = target.reference(prompt, side * factor, _seeded(), steps, guidance_scale)
    finally:
        pipeline.scheduler = scheduler
    return ours, theirs.to(ours)


@contextmanager
def _all_in_one_precision(target: PipelineTarget) -> Iterator[None]:
    """Lowers the autoencoder to the denoiser's precision: pipelines hand on what that answers.

    Not to be left in inference mode, where weights are made that no gradient can go through.
    """
    vae = target.pipeline.components.get("vae")
    if vae is None or vae.dtype == target.dtype:
        yield
        return
    kept = vae.dtype
    vae.to(target.dtype)
    try:
        yield
    finally:
        vae.to(kept)


def _seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)
