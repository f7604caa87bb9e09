"""Defences of a service: what is done to each picture before the black box hands it out.

They change answers, not the model, so whoever has the weights is not kept from anything.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from miagym.errors import SettingsError

PART = re.compile(r"(?P<kind>[a-z]+):(?P<strength>[0-9]+(\.[0-9]+)?)")
EXAMPLE = "round:4, jpeg:60, resize:0.5 or several of these as jpeg:60+resize:0.5"


@dataclass(frozen=True)
class Defence:
    """Steps that each picture of a black box goes through, in their order.

    Args:
        steps: kinds with their strength: ("round", bits of each colour, 1 to 8),
            ("jpeg", quality, 1 to 100), ("resize", share of the side, above 0 and below 1), which
            makes a picture smaller and large again.

    Raises:
        SettingsError: if there is no such kind, or not of this strength.
    """

    steps: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        for kind, strength in self.steps:
            if kind not in KINDS or not KINDS[kind].allows(strength):
                raise SettingsError(
                    f"{kind}:{strength:g} is no defence; expected {EXAMPLE}, where round takes "
                    "whole bits from 1 to 8, jpeg a whole quality from 1 to 100 and resize a share "
                    "between 0 and 1."
                )

    @classmethod
    def named(cls, name: str) -> Defence:
        """Such as "jpeg:60+resize:0.5"; an empty name is none.

        Raises:
            SettingsError: if the name is none of a defence.
        """
        steps = []
        for part in name.split("+") if name else ():
            found = PART.fullmatch(part.strip())
            if found is None:
                raise SettingsError(f"{part!r} is no defence; expected {EXAMPLE}.")
            steps.append((found["kind"], float(found["strength"])))
        return cls(tuple(steps))

    def __str__(self) -> str:
        return "+".join(f"{kind}:{strength:g}" for kind, strength in self.steps)

    def __call__(self, pictures: Tensor) -> Tensor:
        """What is handed out in the place of pictures (n, 3, h, w) in [0, 1]; each by itself."""
        for kind, strength in self.steps:
            pictures = KINDS[kind].apply(pictures, strength)
        return pictures


@dataclass(frozen=True)
class _Kind:
    allows: Callable[[float], bool]
    apply: Callable[[Tensor, float], Tensor]


def _rounded(pictures: Tensor, bits: float) -> Tensor:
    levels = 2 ** int(bits) - 1
    return (pictures.clamp(0, 1) * levels).round() / levels


def _as_jpeg(pictures: Tensor, quality: float) -> Tensor:
    bytes_of = (pictures.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    decoded = []
    for pixels in bytes_of:
        with io.BytesIO() as file:
            Image.fromarray(pixels).save(file, "JPEG", quality=int(quality))
            decoded.append(np.asarray(Image.open(file).convert("RGB")))
    back = torch.from_numpy(np.stack(decoded)).permute(0, 3, 1, 2).float() / 255
    return back.to(pictures.device, pictures.dtype)


def _smaller(pictures: Tensor, share: float) -> Tensor:
    height, width = pictures.shape[-2:]
    small = (max(1, round(height * share)), max(1, round(width * share)))
    shrunk = interpolate(pictures, small, mode="bilinear", antialias=True)
    return interpolate(shrunk, (height, width), mode="bilinear")


KINDS = {
    "round": _Kind(lambda bits: bits in range(1, 9), _rounded),
    "jpeg": _Kind(lambda quality: quality in range(1, 101), _as_jpeg),
    "resize": _Kind(lambda share: 0 < share < 1, _smaller),
}
