"""Parts that are put in the place of a model's own: another UNet, autoencoder or scheduler."""

# diffusers annotates what is configurable only roughly:
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL
from safetensors.torch import load_file

from miagym.errors import TargetError
from miagym.targets.loading.components import UNLOADABLE, check_finite, load_component
from miagym.targets.loading.filled import check_filled, check_used
from miagym.targets.loading.index import Index
from miagym.targets.location import TargetLocation, first_line
from miagym.targets.pipeline.quiet import quiet_pipelines


def given_parts(location: TargetLocation, index: Index, dtype: torch.dtype) -> dict[str, Any]:
    """The parts that are put in the place of the model's own.

    Raises:
        TargetError: if one cannot be loaded, or the model has no such part.
    """
    given: dict[str, Any] = {}
    if location.unet is not None:
        part = "unet" if "unet" in index.components else "transformer"
        library, kind = index.components[part]
        given[part] = load_component(location.unet, library, kind, dtype, location.name)
    if location.vae is not None:
        if "vae" not in index.components:
            raise TargetError(f"{location.name} is a model of pixels, which has no autoencoder.")
        given["vae"] = _autoencoder(location, dtype)
    if location.scheduler is not None:
        kind = _class_of(location.scheduler / "scheduler_config.json", "DDIMScheduler")
        given["scheduler"] = load_component(
            location.scheduler, "diffusers", kind, dtype, location.name
        )
    return given


def _autoencoder(location: TargetLocation, dtype: torch.dtype) -> Any:
    path, name = Path(str(location.vae)), location.name
    if path.is_dir():
        kind = _class_of(path / "config.json", "AutoencoderKL")
        return load_component(path, "diffusers", kind, dtype, name)
    return _autoencoder_file(path, location.folder(), dtype, name)


def _autoencoder_file(path: Path, folder: Path, dtype: torch.dtype, name: str) -> Any:
    """An autoencoder in one file, built as the model's own is."""
    options = {"config": str(folder), "subfolder": "vae", "local_files_only": True, "dtype": dtype}
    part = f"{name}: {path.name}"
    try:
        with quiet_pipelines():
            try:
                network = AutoencoderKL.from_single_file(str(path), **options)
            except NotImplementedError:  # keys are missing, and their tensors were never made
                options["low_cpu_mem_usage"] = False
                network = AutoencoderKL.from_single_file(str(path), **options)
    except UNLOADABLE as error:
        raise TargetError(
            f"{part} cannot be loaded as the autoencoder that the model's configuration names: "
            f"{first_line(error)}"
        ) from error
    weights = load_file(path)
    check_finite(network, part)
    check_filled(network, weights, part, dtype)
    check_used(network, list(weights.values()), part, "its autoencoder")
    return network.eval()


def _class_of(path: Path, usual: str) -> str:
    """The class that a configuration names."""
    return json.loads(path.read_text(encoding="utf-8")).get("_class_name", usual)
