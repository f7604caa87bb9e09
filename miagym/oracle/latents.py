"""Latents kept in a folder: what a picture is encoded to, for runs of other attacks to come."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from threading import Lock

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from miagym.atomic import replacing
from miagym.errors import DataError, TargetError, option
from miagym.oracle.transfer import sent
from miagym.targets.base import Target

Compute = Callable[[list[int]], Tensor]
"""From row numbers to their answers (rows, ...)."""


class KeptLatents:
    """The means of encoders' posteriors, in safetensors files of one batch each, by model.

    They are found by the picture's pixels, whatever the run's chunks were, and are the very numbers
    that the encoder gave. Threads and processes may share a folder: what two encode at the same
    time is kept twice, and no harm done.

    Args:
        folder: where they are kept; it is made at the first picture.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._models: dict[str, _OfModel] = {}
        self._lock = Lock()

    def through(self, target: Target, pictures: Sequence[bytes], encode: Compute) -> Compute:
        """What reads what is kept, and encodes and keeps the rest.

        Args:
            target: whose encoder it is.
            pictures: a digest of each row's pixels.
            encode: what the target is asked otherwise.

        Raises:
            TargetError: if the target does not say which model it is.
        """
        if not target.has_decoder:  # pixels are their own latents
            return encode
        if not target.fingerprint:
            raise TargetError(
                f"{target.name} has no fingerprint, without which its latents cannot be told from "
                f"another model's; give it one, or leave {option('keep_latents')} away."
            )
        with self._lock:
            name = hashlib.sha256(target.fingerprint.encode()).hexdigest()[:16]
            model = self._models.setdefault(name, _OfModel(self._folder / name))

        def read_or_encode(rows: list[int]) -> Tensor:
            found = model.read({pictures[i].hex() for i in rows}, target.latent_shape)
            missing = [i for i in rows if pictures[i].hex() not in found]
            if missing:
                fresh = encode(missing).detach().cpu()
                new = {pictures[i].hex(): z for i, z in zip(missing, fresh, strict=True)}
                model.write(new)
                found |= new
            return sent(torch.stack([found[pictures[i].hex()] for i in rows]), target.device)

        return read_or_encode


class _OfModel:
    """What is kept of one model."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._lock = folder, Lock()

    @cached_property
    def _files(self) -> dict[str, Path]:
        """By picture, the file that holds its latent."""
        return {name: file for file in sorted(self._folder.glob("*.safetensors"))
                for name in _names(file)}  # fmt: skip

    def read(self, pictures: set[str], shape: tuple[int, ...]) -> dict[str, Tensor]:
        """Of these pictures, those that are kept."""
        with self._lock:
            files = {picture: self._files[picture] for picture in pictures & self._files.keys()}
        found: dict[str, Tensor] = {}
        for file in sorted(set(files.values())):
            wanted = [picture for picture, where in files.items() if where == file]
            with _opened(file) as content:
                found |= {picture: content.get_tensor(picture) for picture in wanted}
        if wrong := [picture for picture, z in found.items() if tuple(z.shape) != shape]:
            raise _unlike(files[wrong[0]])
        return found

    def write(self, latents: dict[str, Tensor]) -> None:
        """Keeps the latents of pictures: all of them, or on a full disk none."""
        name = hashlib.sha256("".join(sorted(latents)).encode()).hexdigest()[:16]
        path = self._folder / f"{name}.safetensors"
        with replacing(path, shared=True) as partial:
            save_file({key: z.detach().cpu().contiguous() for key, z in latents.items()}, partial)
        with self._lock:
            self._files.update(dict.fromkeys(latents, path))


def _opened(file: Path) -> safe_open:
    try:
        return safe_open(file, framework="pt")
    except (OSError, SafetensorError) as error:
        raise _unlike(file) from error


def _names(file: Path) -> list[str]:
    with _opened(file) as content:
        return list(content.keys())


def _unlike(file: Path) -> DataError:
    return DataError(
        f"Expected kept latents in {file}, got something else; remove that file, and its pictures "
        "are encoded again."
    )
