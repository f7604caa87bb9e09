"""Which family a single-file checkpoint is of, by the shapes of its tensors, without torch."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

from miagym.errors import TargetError
from miagym.targets.loading.weights import shapes_in

WIDTH = "model.diffusion_model.input_blocks.{}.1.transformer_blocks.0.attn2.to_k.weight"
INPUT = "model.diffusion_model.input_blocks.0.0.weight"
FAMILIES = {768: "stable-diffusion-1", 2048: "stable-diffusion-xl"}
"""Widths of the text that a UNet is told, and the configuration that ships for it."""

OTHER_NOISE = ("v_pred", "ztsnr", "edm_mean", "edm_std", "edm_vpred.sigma_max")
"""Keys by which checkpoints say that they predict velocity, or have other noise levels."""

TWO = 1024
"""Width of Stable Diffusion 2.x, of which two kinds look the same: noise and velocity."""


DECODER = "decoder.conv_in.weight"


def is_autoencoder(keys: Iterable[str]) -> bool:
    """Whether a file of these keys holds an autoencoder and nothing else."""
    found = set(keys)
    alone = not any(key.startswith(("model.diffusion_model.", "cond_stage")) for key in found)
    return alone and bool({DECODER, f"first_stage_model.{DECODER}"} & found)


def configuration_of(path: Path, *, has_scheduler: bool = False) -> Path:
    """The folder of the configuration that ships with miagym for this checkpoint.

    Args:
        path: of the file.
        has_scheduler: whether another scheduler than the configuration's is put on it.

    Raises:
        TargetError: if its family is not recognised, or takes a configuration of its own.
    """
    shapes = shapes_in(path, str(path))
    width = next((shapes[key][1] for i in (1, 4) if (key := WIDTH.format(i)) in shapes), None)
    channels = shapes[INPUT][1] if INPUT in shapes else None
    marked = [key for key in OTHER_NOISE if key in shapes]
    if marked and not has_scheduler:
        raise TargetError(
            f"{path} says by {marked[0]!r} that it does not predict noise as others of its shape; "
            f"put the diffusers folder of its family on it, or a scheduler's, as in {path}+FOLDER."
        )
    name = FAMILIES.get(width or 0)
    if name is None or channels != 4:
        raise TargetError(_unknown(path, width, channels))
    return Path(str(files("miagym").joinpath("assets/configurations", name)))


def _unknown(path: Path, width: int | None, channels: int | None) -> str:
    if width is None:
        found = "its keys are of no UNet in the naming of Stable Diffusion 1.x or SDXL"
    elif width == TWO:
        found = "it is of Stable Diffusion 2.x, which predicts noise or velocity and does not say"
    else:
        found = f"its UNet takes {channels} channels and text of width {width}"
    return (
        f"{path} is not recognised: {found}; put the diffusers folder of its family on it, which "
        f"says how it is built, as in {path}+FOLDER."
    )
