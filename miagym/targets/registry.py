"""Targets by name: the embedded ones, and any folder or hub id of a Stable Diffusion pipeline."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from miagym.errors import TargetError, UnknownName

if TYPE_CHECKING:
    import torch

    from miagym.targets.base import Target

EMBEDDED = ("clipart-realistic", "clipart-overfit", "clipart-null")
"""Whole pipelines in the package; `clipart-overfit@40` is the checkpoint after 40 epochs."""


def targets_folder() -> Path:
    """Where the package keeps its targets, one diffusers folder each."""
    return Path(str(files("miagym").joinpath("assets/targets")))


def checkpoints(name: str) -> list[str]:
    """Names of an embedded target's checkpoints, in order of training."""
    folders = (targets_folder() / name / "checkpoints").glob("epoch-*")
    return [f"{name}@{epoch}" for epoch in sorted(int(f.name.split("-")[1]) for f in folders)]


def target_names() -> list[str]:
    """All embedded targets, checkpoints included."""
    return [full for name in EMBEDDED for full in (name, *checkpoints(name))]


def load_target(name: str, *, device: str = "auto", dtype: torch.dtype | None = None) -> Target:
    """Loads a target by embedded name, folder, or hub id (anything with a slash).

    Raises:
        UnknownName: if it is none of these; the message suggests the nearest.
        TargetError: if what is there is no text-to-image pipeline of Stable Diffusion's kind.
    """
    from miagym.targets.loading import load_stable_diffusion

    if name in target_names():
        base, _, epoch = name.partition("@")
        folder = targets_folder() / base
        unet = folder / "checkpoints" / f"epoch-{int(epoch):03d}" / "unet" if epoch else None
        return load_stable_diffusion(
            folder, name=name, device=device, dtype=dtype, unet=unet, local_only=True
        )
    if Path(name).exists():
        if not (Path(name) / "model_index.json").is_file():
            raise TargetError(
                f"{name} is no diffusers model: expected a folder with model_index.json, as "
                "`pipeline.save_pretrained(folder)` writes it."
            )
        return load_stable_diffusion(Path(name), device=device, dtype=dtype, local_only=True)
    if "/" in name and not name.startswith((".", "/")):
        return load_stable_diffusion(name, device=device, dtype=dtype)
    raise UnknownName("target", name, target_names(), "A folder or a hub id works as well.")
