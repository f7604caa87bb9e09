"""Loading a target: pipeline, additions, family, and the check that it answers as its pipeline."""

from __future__ import annotations

from threading import Lock

import torch

from miagym.targets.families import family
from miagym.targets.loading.additions import add_to
from miagym.targets.loading.device import choose_device, choose_dtype
from miagym.targets.loading.pipelines import load_pipeline
from miagym.targets.loading.self_check import check_against_pipeline
from miagym.targets.loading.single.pipeline import load_single_file
from miagym.targets.location import TargetLocation
from miagym.targets.pipeline.quiet import quiet_pipelines
from miagym.targets.pipeline.target import PipelineTarget

_ALONE = Lock()
"""Diffusers replaces how torch's modules take their parameters while it loads one, for the whole
process: a model that another thread loaded meanwhile would have none."""


def load(
    location: TargetLocation,
    *,
    device: str = "auto",
    dtype: torch.dtype | str = "auto",
    compiled: bool = False,
) -> PipelineTarget:
    """Loads what a location names as a target; one at a time, whatever thread asks.

    Args:
        location: where its weights are, and what is put on them.
        device: "auto" takes a GPU where there is one.
        dtype: of the denoiser and the text encoders; "auto" is half precision on a CUDA GPU and
            float32 elsewhere. The autoencoder is float32 always.
        compiled: whether torch compiles the denoiser, at the first question.

    Raises:
        TargetError: if it is of no family that miagym knows, if a weight is missing or not used,
            or if the target would not answer what its own pipeline computes.
    """
    chosen = choose_device(device)
    with _ALONE:
        target = _load(location, chosen, choose_dtype(chosen, dtype))
    if compiled:
        target.network.compile()
    return target


def _load(location: TargetLocation, device: torch.device, dtype: torch.dtype) -> PipelineTarget:
    load_whole = load_single_file if location.is_single_file else load_pipeline
    pipeline = load_whole(location, device, dtype)
    for addition in location.added:
        add_to(pipeline, addition, location.name)
    if pipeline.components.get("vae") is not None:
        with quiet_pipelines():
            # Half precision overflows in some autoencoders, and rounds pictures in all of them.
            pipeline.vae.to(torch.float32, memory_format=torch.channels_last)
    if device.type == "cuda" and "unet" in pipeline.components:
        pipeline.unet.to(memory_format=torch.channels_last)
    kind = type(pipeline).__name__
    target = family(kind)(pipeline, location.name)
    target.provenance = {"pipeline": kind, **location.provenance()}
    check_against_pipeline(target)
    return target
