"""Targets by name: the embedded ones, and any folder or hub id of a Stable Diffusion pipeline."""

from __future__ import annotations

import os.path
import re
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from miagym.errors import TargetError, UnknownName
from miagym.targets.location import TargetLocation, looks_local

if TYPE_CHECKING:
    import torch

    from miagym.targets.base import Target

EMBEDDED = ("clipart-realistic", "clipart-overfit", "clipart-null")
"""Whole pipelines in the package; `clipart-overfit@40` is the checkpoint after 40 epochs."""

CHECKPOINT = re.compile(r"epoch-(\d{3,})", re.ASCII)

BEFORE_0_9 = re.compile(r"0\.[0-8](\.|$)")
"""Versions of diffusers that wrote small sizes for Stable Diffusion 1.x, by mistake."""


def targets_folder() -> Path:
    """Folder of the embedded targets, one diffusers folder each."""
    return Path(str(files("miagym").joinpath("assets/targets")))


def unet_folder(folder: Path, epoch: int) -> Path:
    """Folder of a checkpoint's UNet inside a diffusers folder."""
    return folder / "checkpoints" / f"epoch-{epoch:03d}" / "unet"


def split_checkpoint(name: str) -> tuple[str, int | None]:
    """Splits `NAME@40` into ("NAME", 40); ("NAME", None) where no epoch is named."""
    base, _, epoch = name.rpartition("@")
    return (base, int(epoch)) if base and epoch.isascii() and epoch.isdigit() else (name, None)


def checkpoints(name: str) -> list[str]:
    """Names of the checkpoints of an embedded target or a folder, in order of training."""
    return [f"{name}@{epoch}" for epoch in _epochs(_folder(name))]


def target_names() -> list[str]:
    """Names of all embedded targets, checkpoints included."""
    return [full for name in EMBEDDED for full in (name, *checkpoints(name))]


def find_target(name: str) -> TargetLocation:
    """Finds a target by embedded name, folder, hub id, `NAME@40` or `FOLDER@40`.

    Raises:
        UnknownName: if it is none of these; the message suggests the nearest.
        TargetError: if there is no such checkpoint, or the folder holds no diffusers model.
    """
    base, epoch = split_checkpoint(name)
    exists = os.path.exists(name)  # unlike Path.exists, no error for a name that is too long
    if epoch is not None and not exists and os.path.isdir(_folder(base)):
        folder = _folder(base)
        if epoch not in _epochs(folder):
            kept = ", ".join(map(str, _epochs(folder))) or "none"
            raise TargetError(f"{base} keeps no checkpoint {epoch}; those it keeps: {kept}.")
        return TargetLocation(name, _checked(folder), unet_folder(folder, epoch))
    if name in EMBEDDED or exists:
        return TargetLocation(name, _checked(_folder(name)))
    if looks_local(name):
        raise TargetError(
            f"There is no folder {name}; expected a diffusers folder, a hub id (owner/name), or "
            f"one of {', '.join(EMBEDDED)}."
        )
    if "/" in name and "@" not in name:
        return TargetLocation(name, name)
    raise UnknownName("target", name, target_names(), "A folder or a hub id works as well.")


def load_target(name: str, *, device: str = "auto", dtype: torch.dtype | None = None) -> Target:
    """Loads a target by embedded name, folder, or hub id (anything with a slash).

    `NAME@40` is the checkpoint that NAME, embedded or a folder, keeps of its epoch 40.

    Raises:
        UnknownName: if it is none of these; the message suggests the nearest.
        TargetError: if what is there is no text-to-image pipeline of Stable Diffusion's kind.
    """
    from miagym.targets.loading import load_stable_diffusion

    return load_stable_diffusion(find_target(name), device=device, dtype=dtype)


@lru_cache(maxsize=4)
def shared_target(name: str, device: str) -> Target:
    """Loads a target by name once for a process, whose parts share it."""
    return load_target(name, device=device)


def target_resolution(name: str) -> int:
    """Side in pixels of a target's pictures, from its configuration alone: no weights, no torch.

    Of a hub id, two small files are downloaded.

    Raises:
        UnknownName: if there is no such target, as in `find_target`.
        TargetError: if its configuration cannot be read, or tells no size.
    """
    location = find_target(name)
    unet = location.config("unet")
    size, blocks = unet.get("sample_size"), location.config("vae").get("block_out_channels")
    if not isinstance(size, int) or size < 1 or not isinstance(blocks, list) or not blocks:
        raise TargetError(
            f"{name} tells no size of its pictures: expected a whole number as sample_size in "
            "unet/config.json and a list as block_out_channels in vae/config.json."
        )
    if BEFORE_0_9.match(str(unet.get("_diffusers_version"))):
        size = max(size, 64)  # as diffusers reads it
    return size * 2 ** (len(blocks) - 1)


def _folder(name: str) -> Path:
    return targets_folder() / name if name in EMBEDDED else Path(name)


def _epochs(folder: Path) -> list[int]:
    found = (CHECKPOINT.fullmatch(path.parent.name) for path in folder.glob("checkpoints/*/unet"))
    return sorted(int(match[1]) for match in found if match)


def _checked(folder: Path) -> Path:
    if (folder / "model_index.json").is_file():
        return folder
    if (folder / "training.json").is_file():
        raise TargetError(
            f"{folder} holds a training that is not finished; the `miagym train` that began it "
            "goes on where it was."
        )
    raise TargetError(
        f"{folder} is no diffusers model: expected a folder with model_index.json, as "
        "`pipeline.save_pretrained(folder)` writes it."
    )
