"""Embedded targets of other families: a flow-matching transformer, and a model of pixels.

All begin untrained and learn the members of `clipart-tune` by the very fine-tuning that
`miagym train --from` runs, so that each drawing is seen a hundred times or more; the null target
of the pixel model learns other drawings, a dozen times each.
"""

# diffusers and transformers annotate what is configurable only roughly:
# pyright: reportArgumentType=false

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    DDPMPipeline,
    DDPMScheduler,
    FlowMatchEulerDiscreteScheduler,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
    StableDiffusionPipeline,
    UNet2DModel,
)
from transformers import CLIPTextConfig, CLIPTextModelWithProjection

from miagym.training.fine_tune import fine_tune
from miagym.training.loop import StepProgress
from miagym.training.plan import FineTuning
from miagym.training.saving import writing_weights

SEED = 1
PIXELS_SIDE = 32
WIDTH, HEAD = 96, 32
"""Of the transformer, and of each of its heads."""


@dataclass(frozen=True)
class FamilyRecipe:
    """Recipe of a target that begins untrained, in a family of its own."""

    untrained: Callable[[StableDiffusionPipeline], Any]
    """Makes the pipeline; autoencoder and text encoder are those of `clipart-realistic`."""
    epochs: int
    learning_rate: float
    data: str = "clipart-tune"
    """The split whose members it learns."""


def untrained_flow(base: StableDiffusionPipeline) -> StableDiffusion3Pipeline:
    """Stable Diffusion 3 in small: 4 joint blocks, text encoders of the base, no T5.

    Both of its CLIP encoders are the base's, under a projection that changes nothing. The base saw
    neither side of `clipart-tune`.
    """
    vae = deepcopy(base.vae)
    vae.register_to_config(shift_factor=0.0)
    width = base.text_encoder.config.hidden_size
    return StableDiffusion3Pipeline(
        transformer=SD3Transformer2DModel(
            sample_size=base.unet.config.sample_size,
            patch_size=2,
            in_channels=vae.config.latent_channels,
            out_channels=vae.config.latent_channels,
            num_layers=4,
            attention_head_dim=HEAD,
            num_attention_heads=WIDTH // HEAD,
            caption_projection_dim=WIDTH,
            joint_attention_dim=2 * width,
            pooled_projection_dim=2 * width,
            pos_embed_max_size=16,
        ),
        vae=vae,
        text_encoder=_projecting(base.text_encoder),
        tokenizer=base.tokenizer,
        text_encoder_2=_projecting(base.text_encoder),
        tokenizer_2=base.tokenizer,
        text_encoder_3=None,
        tokenizer_3=None,
        scheduler=FlowMatchEulerDiscreteScheduler(shift=1.0),
    )


def untrained_pixels(base: StableDiffusionPipeline) -> DDPMPipeline:
    """A DDPM of Ho et al. (2020) in small, of pictures of 32 pixels; no text, no autoencoder."""
    del base  # it takes nothing of it
    network = UNet2DModel(
        sample_size=PIXELS_SIDE,
        block_out_channels=(24, 48, 64),
        down_block_types=("DownBlock2D", "DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        attention_head_dim=8,
        norm_num_groups=8,
    )
    return DDPMPipeline(network, DDPMScheduler())


FAMILY_RECIPES = {
    "clipart-flow": FamilyRecipe(untrained_flow, epochs=150, learning_rate=1e-3),
    "clipart-pixels": FamilyRecipe(untrained_pixels, epochs=150, learning_rate=1e-3),
    "clipart-pixels-null": FamilyRecipe(
        untrained_pixels, epochs=12, learning_rate=1e-3, data="clipart"
    ),
}


def train_family(
    name: str, base: StableDiffusionPipeline, out: Path, device: str, progress: StepProgress
) -> Path:
    """Trains a target of another family; goes on where a stopped training was.

    Args:
        name: of a recipe.
        base: `clipart-realistic`, whose parts it shares.
        out: holds the untrained pipeline as well.
        device: "auto", "cpu" or "cuda".
        progress: shows how far it is.

    Returns:
        The folder of the target.
    """
    recipe = FAMILY_RECIPES[name]
    start = begin_untrained(name, recipe.untrained, base, out)
    plan = FineTuning(
        str(start),
        recipe.data,
        epochs=recipe.epochs,
        checkpoints=(),
        learning_rate=recipe.learning_rate,
        seed=SEED,
    )
    return fine_tune(plan, out / name, device, progress)


def begin_untrained(
    name: str,
    make: Callable[[StableDiffusionPipeline], Any],
    base: StableDiffusionPipeline,
    out: Path,
) -> Path:
    """The folder of an untrained pipeline, made of parts of a base unless it is there."""
    start = out / "untrained" / name
    if not start.is_dir():
        torch.manual_seed(SEED)
        partial = start.with_suffix(".partial")
        with writing_weights(start):
            make(base).save_pretrained(partial)
        partial.rename(start)
    return start


def _projecting(encoder: Any) -> CLIPTextModelWithProjection:
    """A CLIP text encoder under a projection that is the identity."""
    width = encoder.config.hidden_size
    config = CLIPTextConfig(**(encoder.config.to_dict() | {"projection_dim": width}))
    made = CLIPTextModelWithProjection(config)
    made.text_model.load_state_dict(encoder.state_dict())
    torch.nn.init.eye_(made.text_projection.weight)
    return made
