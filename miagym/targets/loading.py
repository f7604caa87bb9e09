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
    source: str | Path,
    *,
    name: str | None = None,
    device: str = "auto",
    dtype: torch.dtype | None = None,
    unet: Path | None = None,
    local_only: bool = False,
) -> StableDiffusion:
    """Loads a pipeline from a folder or the hub, safetensors only.

    Args:
        source: a diffusers folder or hub id, such as `CompVis/stable-diffusion-v1-4`.
        name: what reports call it; the source by default.
        device: "auto" takes a GPU where there is one.
        dtype: half precision on a GPU and float32 elsewhere, by default.
        unet: a folder with another UNet, such as a checkpoint.
        local_only: whether the hub must not be asked.

    Raises:
        TargetError: if there is no such pipeline, or no way to read it.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        chosen = torch.device(device)
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError) as error:
        raise TargetError(f"There is no device {device!r} here; try auto or cpu.") from error
    dtype = dtype or (torch.float16 if chosen.type == "cuda" else torch.float32)
    disable_progress_bar()
    transformers_logging.disable_progress_bar()
    _check_index(Path(source))
    try:
        parts = {}
        if unet is not None:
            parts["unet"] = UNet2DConditionModel.from_pretrained(
                unet, dtype=dtype, use_safetensors=True
            )
        pipeline = StableDiffusionPipeline.from_pretrained(
            source,
            safety_checker=None,
            requires_safety_checker=False,
            use_safetensors=True,
            local_files_only=local_only,
            dtype=dtype,
            **parts,
        )
    except UNLOADABLE as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise TargetError(
            f"{source} cannot be loaded as a Stable Diffusion pipeline: {reason}"
        ) from error
    pipeline.to(chosen)
    pipeline.vae.to(memory_format=torch.channels_last)
    if chosen.type == "cuda":
        pipeline.unet.to(memory_format=torch.channels_last)
    return StableDiffusion(pipeline, name or str(source))
