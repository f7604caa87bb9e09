"""The size of a target's pictures, from its configuration alone: no weights, no torch."""

from __future__ import annotations

import re

from miagym.errors import TargetError
from miagym.targets.location import TargetLocation

BEFORE_0_9 = re.compile(r"0\.[0-8](\.|$)")
"""Versions of diffusers that wrote small sizes for Stable Diffusion 1.x, by mistake."""

FLUX_SIZE = 128
"""Side of the latents of FLUX.1, whose configuration tells none."""


def resolution_of(location: TargetLocation) -> int:
    """Side in pixels of a target's pictures.

    Of a hub id, up to three small files are downloaded.

    Raises:
        TargetError: if its configuration cannot be read, or tells no size.
    """
    pipeline = str(location.config("").get("_class_name"))
    if pipeline == "FluxPipeline":
        return FLUX_SIZE * _factor(location)
    transformers = ("StableDiffusion3Pipeline", "DiTPipeline")
    part = "transformer" if pipeline in transformers or "PixArt" in pipeline else "unet"
    config = location.config(part)
    size = config.get("sample_size")
    if isinstance(size, list) and len(size) == 2 and size[0] == size[1]:
        size = size[0]
    if not isinstance(size, int) or size < 1:
        raise _no_size(location.name, part)
    if pipeline in ("DDPMPipeline", "DDIMPipeline"):
        return size
    if part == "unet" and BEFORE_0_9.match(str(config.get("_diffusers_version"))):
        size = max(size, 64)  # as diffusers reads it
    return size * _factor(location)


def square_size(name: str, size: object) -> int:
    """The side of a model's latents, as its configuration tells it.

    Raises:
        TargetError: if it is missing, or not square.
    """
    if isinstance(size, list | tuple) and len(size) == 2 and size[0] == size[1]:
        size = size[0]
    if isinstance(size, int) and not isinstance(size, bool) and size > 0:
        return size
    raise TargetError(
        f"{name} tells no square size of its latents: expected a whole number as sample_size in "
        f"the configuration of its network, got {size!r}; write the size that it was trained at "
        "there."
    )


def _factor(location: TargetLocation) -> int:
    vae = location.config("vae")
    blocks = vae.get("block_out_channels") or vae.get("encoder_block_out_channels")
    if not isinstance(blocks, list) or not blocks:
        raise _no_size(location.name, "unet")
    return 2 ** (len(blocks) - 1)


def _no_size(name: str, part: str) -> TargetError:
    return TargetError(
        f"{name} tells no size of its pictures: expected a whole number as sample_size in "
        f"{part}/config.json and a list as block_out_channels in vae/config.json."
    )
