"""Targets by name: the embedded ones, and any folder, file or hub id of a family we know."""

from __future__ import annotations

import json
import os.path
import re
from dataclasses import replace
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from miagym.errors import TargetError, UnknownName, option
from miagym.targets.location import TargetLocation
from miagym.targets.places import checked_file, checked_folder, is_path, put_on, split_places
from miagym.targets.resolution import resolution_of
from miagym.targets.third_party import made_by_third_party, third_party

if TYPE_CHECKING:
    import torch

    from miagym.targets.base import Target

EMBEDDED = (
    "clipart-realistic",
    "clipart-overfit",
    "clipart-null",
    "clipart-flow",
    "clipart-pixels",
    "clipart-pixels-null",
    "icons-realistic",
    "icons-overfit",
)
"""Whole pipelines in the package; `clipart-overfit@40` is the checkpoint after 40 epochs."""

POPULATION = "clipart-population"
"""LoRAs in the package, `clipart-population/00` and so on, each trained on half of one deal."""

LORA, TRAINING = "lora.safetensors", "training.json"
"""What a finished training of a LoRA has in its folder."""

CHECKPOINT = re.compile(r"epoch-(\d{3,})", re.ASCII)

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


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
    """Names of all embedded targets, checkpoints included, and of those that packages register."""
    embedded = [full for name in EMBEDDED for full in (name, *checkpoints(name))]
    return embedded + list(third_party())


def find_target(name: str) -> TargetLocation:
    """Finds a target by embedded name, folder, file or hub id, and what is put on it.

    The folder of a finished LoRA training is the LoRA on the base that it names.

    `NAME@40` is the checkpoint after epoch 40 of an embedded name or a folder;
    `OWNER/NAME@REVISION` is a revision of a hub id. `+PLACE` puts something on the model, several
    times if need be: a LoRA with its scale (`+style.safetensors:0.8`), a learned embedding, the
    folder of another UNet or autoencoder, or, for a single file, the diffusers folder that says
    how it is built.

    Raises:
        UnknownName: if it is none of these; the message suggests the nearest.
        TargetError: if there is no such checkpoint, or the place holds no model.
    """
    base, places = split_places(name, _may_be_a_base)
    location = _find_base(base, name)
    if places and location.is_third_party:
        raise TargetError(f"{base} is made by a package of its own; nothing can be put on it.")
    return put_on(location, places)


def name_of_base(name: str) -> str | None:
    """Name of the model that LoRAs or embeddings are put on by a name such as "BASE+FILE".

    None where nothing is put on a model, or a network of it is replaced.

    Raises:
        MiagymError: as in `find_target`.
    """
    base, places = split_places(name, _may_be_a_base)
    if not places:
        return base_of_lora(local_folder(name))
    bare, whole = find_target(base), find_target(name)
    networks = ("unet", "vae", "scheduler", "configuration")
    is_same = all(getattr(bare, part) == getattr(whole, part) for part in networks)
    return base if whole.added and is_same else None


def _find_base(base: str, name: str) -> TargetLocation:
    bare, epoch = split_checkpoint(base)
    exists = os.path.exists(base)  # unlike Path.exists, no error for a name that is too long
    if epoch is not None and not exists and os.path.isdir(_folder(bare)):
        folder = _folder(bare)
        if epoch not in _epochs(folder):
            kept = ", ".join(map(str, _epochs(folder))) or "none"
            raise TargetError(f"{bare} keeps no checkpoint {epoch}; those it keeps: {kept}.")
        return TargetLocation(name, checked_folder(folder), unet_folder(folder, epoch))
    if base in third_party():
        return TargetLocation(name, base, is_third_party=True)
    if (trained_from := base_of_lora(local_folder(base))) is not None:
        return put_on(
            replace(find_target(trained_from), name=name), [str(local_folder(base) / LORA)]
        )
    if is_of_population(base) and not os.path.exists(base):
        raise TargetError(
            f"There is no model {base}; those of the embedded population are {POPULATION}/00, "
            f"{POPULATION}/01 and so on."
        )
    if base in EMBEDDED or os.path.isdir(base):
        return TargetLocation(name, checked_folder(_folder(base)))
    if exists:
        return TargetLocation(name, checked_file(Path(base)))
    repository, at, revision = base.partition("@")
    named = bool(HUB_ID.fullmatch(repository)) and not is_path(repository)
    if at and named:
        return TargetLocation(name, repository, revision=revision or None)
    if is_path(base):
        raise TargetError(
            f"There is no folder or file {base}; expected a diffusers folder, a .safetensors file, "
            f"a hub id, or an embedded target: {', '.join(EMBEDDED)}."
        )
    if named:
        return TargetLocation(name, repository)
    raise UnknownName("target", name, target_names(), "A folder or a hub id works as well.")


def _may_be_a_base(text: str) -> bool:
    bare, _ = split_checkpoint(text)
    exists = os.path.exists(text) or os.path.exists(bare)
    known = bare in EMBEDDED or text in third_party() or is_of_population(text)
    return known or exists or bool(HUB_ID.fullmatch(text.partition("@")[0]))


def load_target(
    name: str,
    *,
    device: str = "auto",
    dtype: torch.dtype | str = "auto",
    compiled: bool = False,
) -> Target:
    """Loads a target by embedded name, folder, file or hub id, and what is put on it.

    Args:
        name: as in `find_target`: "clipart-overfit@40", "CompVis/stable-diffusion-v1-4",
            "model.safetensors", "clipart-realistic+style.safetensors:0.8".
        device: "auto" takes a GPU where there is one.
        dtype: "float32", "float16", "bfloat16"; "auto" is half precision on a CUDA GPU and float32
            elsewhere. An autoencoder is float32 always.
        compiled: whether `torch.compile` is asked for the denoiser: some minutes at the first
            question, to be faster later. Answers differ in their last digits.

    Raises:
        UnknownName: if it is none of these; the message suggests the nearest.
        TargetError: if what is there is of no family that miagym knows, or is not complete.
    """
    location = find_target(name)
    if location.is_third_party:
        if compiled:
            raise TargetError(
                f"{name} is made by a package of its own, which compiles it or does not; leave "
                f"{option('compiled')} away."
            )
        return made_by_third_party(name, device, dtype)
    from miagym.targets.loading.targets import load

    return load(location, device=device, dtype=dtype, compiled=compiled)


@lru_cache(maxsize=4)
def shared_target(name: str, device: str) -> Target:
    """Loads a target by name once for a process, whose parts share it."""
    return load_target(name, device=device)


def target_resolution(name: str) -> int:
    """Side in pixels of a target's pictures, from its configuration alone: no weights, no torch.

    Of a hub id, up to three small files are downloaded.

    Raises:
        UnknownName: if there is no such target, as in `find_target`.
        TargetError: if its configuration cannot be read, or tells no size.
    """
    location = find_target(name)
    if location.is_third_party:
        return shared_target(name, "auto").resolution
    return resolution_of(location)


def local_folder(name: str) -> Path:
    """Where a name leads that is an embedded model of a population, or a path."""
    return targets_folder() / name if is_of_population(name) else Path(name)


def is_of_population(name: str) -> bool:
    """Whether a name is that of the embedded population, or of one of its models."""
    return name.partition("/")[0] == POPULATION


def base_of_lora(folder: Path) -> str | None:
    """The base that the LoRA in a training's folder was trained on; None if there is no such LoRA.

    Raises:
        TargetError: if the record of the training cannot be read.
    """
    record = folder / TRAINING
    if not (os.path.isfile(folder / LORA) and os.path.isfile(record)):  # no error if too long
        return None
    try:
        return str(json.loads(record.read_text(encoding="utf-8"))["base"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TargetError(
            f"{record} is no record of a training ({error!r}); name the LoRA's base, as in "
            f"BASE+{folder / LORA}."
        ) from error


def _folder(name: str) -> Path:
    return targets_folder() / name if name in EMBEDDED else local_folder(name)


def _epochs(folder: Path) -> list[int]:
    found = (CHECKPOINT.fullmatch(path.parent.name) for path in folder.glob("checkpoints/*/unet"))
    return sorted(int(match[1]) for match in found if match)
