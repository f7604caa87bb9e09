"""The embedded worlds: which networks a base of theirs begins with, and on which autoencoder."""

# diffusers and transformers annotate what is configurable only roughly:
# pyright: reportArgumentType=false

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline, UNet2DConditionModel

from miagym.embedded import art
from miagym.targets.registry import targets_folder
from miagym.training.autoencoder import train_autoencoder
from miagym.training.loop import StepProgress
from miagym.training.saving import writing_weights
from miagym.training.text import new_text_encoder, train_tokenizer
from miagym.training.unet import new_drawing_unet, new_scheduler, new_unet

SEED = 1


@dataclass(frozen=True)
class EmbeddedWorld:
    """How the base of a world begins."""

    unet: Callable[[], UNet2DConditionModel]
    prediction: str
    """What the UNet predicts, as diffusers names it."""
    autoencoder: str | None
    """The embedded target whose autoencoder learns this world's colours; None begins anew."""
    thins_captions: bool
    """Whether training shows parts of captions: not where each part is needed to draw."""


WORLDS = {
    "clipart": EmbeddedWorld(new_unet, "epsilon", None, thins_captions=True),
    "icons": EmbeddedWorld(
        new_drawing_unet, "v_prediction", "clipart-realistic", thins_captions=False
    ),
}


def untrained(
    world: str, out: Path, device: torch.device, progress: StepProgress
) -> StableDiffusionPipeline:
    """Fresh UNet and text encoder on the world's autoencoder, which is trained first if need be.

    Args:
        world: of `WORLDS`.
        out: holds the autoencoder, or will.
        device: where to train.
        progress: shows how far it is.
    """
    tokenizer = train_tokenizer(art.table(world)["caption"].to_pylist())
    settings, vae = WORLDS[world], _autoencoder(world, out, device, progress)
    torch.manual_seed(SEED)
    return StableDiffusionPipeline(
        vae=vae,
        text_encoder=new_text_encoder(tokenizer),
        tokenizer=tokenizer,
        unet=settings.unet(),
        scheduler=new_scheduler(settings.prediction),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).to(device)


def _autoencoder(
    world: str, out: Path, device: torch.device, progress: StepProgress
) -> AutoencoderKL:
    """The autoencoder that saw every drawing of a world, from `out` or trained into it."""
    folder = out / ("autoencoder" if world == "clipart" else f"autoencoder-{world}")
    if not folder.is_dir():
        start = WORLDS[world].autoencoder
        trained = train_autoencoder(
            art.pixels(art.table(world)),
            SEED,
            out / "states" / world,
            progress,
            device,
            None if start is None else _embedded_autoencoder(start),
        )
        partial = folder.with_suffix(".partial")
        with writing_weights(folder):
            trained.save_pretrained(partial)
        partial.rename(folder)
    return AutoencoderKL.from_pretrained(folder).eval()


def _embedded_autoencoder(target: str) -> AutoencoderKL:
    return AutoencoderKL.from_pretrained(
        targets_folder() / target / "vae", torch_dtype=torch.float32
    )
