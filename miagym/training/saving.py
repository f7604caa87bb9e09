"""Writing weights: safetensors in half precision, whole or not at all."""

# diffusers and transformers annotate what is configurable only roughly:
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from miagym.errors import RunError
from miagym.targets.pipeline.quiet import quiet_pipelines
from miagym.targets.registry import unet_folder

INDEX = "model_index.json"
"""Written last: a folder that has it holds a finished pipeline."""


@contextmanager
def writing_weights(path: Path) -> Iterator[None]:
    """Context that turns a failure to write weights, as on a full disk, into a RunError.

    Raises:
        RunError: if the block cannot write.
    """
    try:
        yield
    except SafetensorError as error:
        raise RunError(
            f"{path} cannot be written ({error}). What is finished is kept; the same command goes "
            "on from there."
        ) from error


def save_checkpoint(denoiser: Any, folder: Path, epoch: int) -> None:
    """Saves a denoiser in the folder of its target, unless this epoch is saved already."""
    kept = unet_folder(folder, epoch).parent
    if kept.is_dir():
        return
    partial = kept.with_name("partial")
    with writing_weights(kept):
        deepcopy(denoiser).half().save_pretrained(partial / "unet", safe_serialization=True)
    partial.rename(kept)


def save_pipeline(pipeline: Any, folder: Path) -> None:
    """Saves a pipeline as a diffusers folder in half precision, converting it in place."""
    partial = folder / "partial"
    with writing_weights(folder), quiet_pipelines():
        pipeline.to(torch.float16).save_pretrained(partial, safe_serialization=True)
    # transformers loads in the precision that its configuration names, diffusers in float32:
    for configuration in sorted(partial.glob("text_encoder*/config.json")):
        content = json.loads(configuration.read_text(encoding="utf-8")) | {"dtype": "float32"}
        configuration.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    for part in sorted(partial.iterdir(), key=lambda part: part.name == INDEX):
        place = folder / part.name
        if place.is_dir():  # moved by a process that was stopped right then
            shutil.rmtree(place)
        part.replace(place)
    partial.rmdir()
