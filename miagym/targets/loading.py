"""Loading Stable Diffusion pipelines from folders and from the hub, safetensors only."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from diffusers.utils.logging import disable_progress_bar
from safetensors import SafetensorError
from transformers.utils import logging as transformers_logging

from miagym.errors import TargetError
from miagym.targets.location import TargetLocation, first_line
from miagym.targets.stable_diffusion import StableDiffusion

UNLOADABLE = (
    OSError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    RuntimeError,
    SafetensorError,
)
"""What diffusers and transformers raise on folders that are no pipeline, or a broken one."""


def _check_index(folder: Path) -> None:
    """Refuses a folder whose index names no text encoder, on which diffusers fails obscurely."""
    index = folder / "model_index.json"
    if not index.is_file():
        return
    try:
        parts = json.loads(index.read_text())
    except ValueError as error:
        raise TargetError(f"{index} is no JSON ({error}).") from error
    for part in ("text_encoder", "tokenizer"):
        if not any(parts.get(part) or ()):
            raise TargetError(
                f"{folder} has no {part.replace('_', ' ')}; miagym attacks text-to-image models, "
                "expected a StableDiffusionPipeline with tokenizer and text encoder."
            )


def load_stable_diffusion(
    location: TargetLocation, *, device: str = "auto", dtype: torch.dtype | None = None
) -> StableDiffusion:
    """Loads a pipeline as a target.

    Args:
        location: where its weights are.
        device: "auto" takes a GPU where there is one.
        dtype: half precision on a GPU and float32 elsewhere, by default.

    Raises:
        TargetError: if there is no such pipeline, or no way to read it.
    """
    chosen = choose_device(device)
    dtype = dtype or (torch.float16 if chosen.type == "cuda" else torch.float32)
    pipeline = load_pipeline(location, chosen, dtype)
    pipeline.vae.to(memory_format=torch.channels_last)
    if chosen.type == "cuda":
        pipeline.unet.to(memory_format=torch.channels_last)
    return StableDiffusion(pipeline, location.name)


def choose_device(device: str) -> torch.device:
    """The device of this name; "auto" takes a GPU where there is one.

    Raises:
        TargetError: if there is no such device.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        chosen = torch.device(device)
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError) as error:
        raise TargetError(f"There is no device {device!r} here; try auto or cpu.") from error
    return chosen


def load_pipeline(
    location: TargetLocation, device: torch.device, dtype: torch.dtype
) -> StableDiffusionPipeline:
    """Loads a pipeline from a folder or the hub, safetensors only, without safety checker.

    Raises:
        TargetError: if there is no such pipeline, or no way to read it.
    """
    disable_progress_bar()
    transformers_logging.disable_progress_bar()
    local_only = isinstance(location.place, Path)
    _check_index(Path(location.place))
    try:
        parts = {}
        if location.unet is not None:
            parts["unet"] = UNet2DConditionModel.from_pretrained(
                location.unet, dtype=dtype, use_safetensors=True, local_files_only=True
            )
        pipeline = StableDiffusionPipeline.from_pretrained(
            location.place,
            safety_checker=None,
            requires_safety_checker=False,
            use_safetensors=True,
            local_files_only=local_only,
            dtype=dtype,
            **parts,
        )
    except UNLOADABLE as error:
        raise TargetError(
            f"{location.name} cannot be loaded as a Stable Diffusion pipeline: {first_line(error)}"
        ) from error
    return pipeline.to(device)
