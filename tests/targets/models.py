"""Small untrained models of every family, written as diffusers folders."""

# diffusers annotates what is configurable only roughly:
# pyright: reportArgumentType=false

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import torch
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

from miagym.training.text import train_tokenizer

CAPTIONS = ["a cat on a mat", "a dog, in the fog", "a red house by the sea"]
LATENT, SIDE = 4, 8
"""Channels and side of latents, of pictures of 16 pixels."""


def tokenizer() -> Any:
    made = train_tokenizer(CAPTIONS)
    made.model_max_length = 77
    return made


def clip(width: int, *, projection: int | None = None) -> Any:
    words = tokenizer()
    config = CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=width,
        intermediate_size=37,
        num_hidden_layers=3,
        num_attention_heads=4,
        max_position_embeddings=77,
        projection_dim=projection or width,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    return CLIPTextModel(config) if projection is None else CLIPTextModelWithProjection(config)


def t5_tokenizer() -> Any:
    letters = [(letter, -3.0) for letter in "▁abcdefghijklmnopqrstuvwxyz,."]
    vocabulary = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -9.0), *letters]
    return T5Tokenizer(vocab=vocabulary, extra_ids=0, model_max_length=512)


def t5(width: int) -> Any:
    config = T5Config(vocab_size=40, d_model=width, d_kv=8, d_ff=37, num_layers=2, num_heads=4)
    return T5EncoderModel(config)


def autoencoder(channels: int = LATENT, **settings: Any) -> Any:
    return diffusers.AutoencoderKL(
        sample_size=2 * SIDE,
        block_out_channels=(8, 16),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=channels,
        layers_per_block=1,
        norm_num_groups=4,
        **settings,
    )


def unet(text_width: int, **settings: Any) -> Any:
    return diffusers.UNet2DConditionModel(
        **{
            "sample_size": SIDE,
            "in_channels": LATENT,
            "out_channels": LATENT,
            "block_out_channels": (16, 32),
            "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
            "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
            "layers_per_block": 1,
            "cross_attention_dim": text_width,
            "attention_head_dim": 4,
            "norm_num_groups": 8,
            **settings,
        }
    )


def ddim(**settings: Any) -> Any:
    usual = {"clip_sample": False, "set_alpha_to_one": False, "steps_offset": 1}
    return diffusers.DDIMScheduler(
        **{
            "beta_start": 0.00085,
            "beta_end": 0.012,
            "beta_schedule": "scaled_linear",
            **usual,
            **settings,
        }
    )


def stable_diffusion(scheduler: Any = None, **settings: Any) -> Any:
    return diffusers.StableDiffusionPipeline(
        vae=settings.pop("vae", None) or autoencoder(),
        text_encoder=clip(32),
        tokenizer=tokenizer(),
        unet=unet(32, **settings),
        scheduler=scheduler or ddim(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def stable_diffusion_xl() -> Any:
    return diffusers.StableDiffusionXLPipeline(
        vae=autoencoder(
            scaling_factor=0.5, latents_mean=[0.1, -0.2, 0.3, 0.0], latents_std=[0.5, 2.0, 1.0, 1.5]
        ),
        text_encoder=clip(32),
        text_encoder_2=clip(24, projection=24),
        tokenizer=tokenizer(),
        tokenizer_2=tokenizer(),
        unet=unet(
            32 + 24,
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            projection_class_embeddings_input_dim=24 + 6 * 8,
        ),
        scheduler=diffusers.EulerDiscreteScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            steps_offset=1,
            timestep_spacing="leading",
        ),
    )


def stable_diffusion_3(*, with_t5: bool = True) -> Any:
    return diffusers.StableDiffusion3Pipeline(
        transformer=diffusers.SD3Transformer2DModel(
            sample_size=SIDE,
            patch_size=2,
            in_channels=LATENT,
            num_layers=2,
            attention_head_dim=8,
            num_attention_heads=4,
            joint_attention_dim=64,
            caption_projection_dim=32,
            pooled_projection_dim=32 + 24,
            out_channels=LATENT,
            pos_embed_max_size=12,
        ),
        vae=autoencoder(scaling_factor=1.5, shift_factor=0.06),
        text_encoder=clip(32, projection=32),
        tokenizer=tokenizer(),
        text_encoder_2=clip(24, projection=24),
        tokenizer_2=tokenizer(),
        text_encoder_3=t5(64) if with_t5 else None,
        tokenizer_3=t5_tokenizer() if with_t5 else None,
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0),
    )


def flux(*, guidance_embeds: bool = True) -> Any:
    return diffusers.FluxPipeline(
        transformer=diffusers.FluxTransformer2DModel(
            patch_size=1,
            in_channels=4 * LATENT,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=32,
            pooled_projection_dim=32,
            axes_dims_rope=(4, 4, 8),
            guidance_embeds=guidance_embeds,
        ),
        vae=autoencoder(scaling_factor=0.36, shift_factor=0.11),
        text_encoder=clip(32),
        tokenizer=tokenizer(),
        text_encoder_2=t5(32),
        tokenizer_2=t5_tokenizer(),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True),
    )


def pixart() -> Any:
    return diffusers.PixArtAlphaPipeline(
        transformer=diffusers.PixArtTransformer2DModel(
            sample_size=SIDE,
            patch_size=2,
            in_channels=LATENT,
            out_channels=2 * LATENT,
            num_layers=2,
            num_attention_heads=4,
            attention_head_dim=8,
            cross_attention_dim=32,
            caption_channels=32,
        ),
        vae=autoencoder(),
        text_encoder=t5(32),
        tokenizer=t5_tokenizer(),
        scheduler=diffusers.DPMSolverMultistepScheduler(
            beta_start=0.0001, beta_end=0.02, beta_schedule="linear"
        ),
    )


def dit() -> Any:
    return diffusers.DiTPipeline(
        transformer=diffusers.DiTTransformer2DModel(
            sample_size=SIDE,
            patch_size=2,
            in_channels=LATENT,
            out_channels=2 * LATENT,
            num_layers=2,
            num_attention_heads=4,
            attention_head_dim=8,
            num_embeds_ada_norm=1000,
        ),
        vae=autoencoder(),
        scheduler=ddim(beta_start=0.0001, beta_end=0.02, beta_schedule="linear"),
    )


def pixels(classes: int | None = None, **scheduler: Any) -> Any:
    network = diffusers.UNet2DModel(
        sample_size=2 * SIDE,
        block_out_channels=(16, 32),
        down_block_types=("DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        norm_num_groups=8,
        num_class_embeds=classes,
    )
    return diffusers.DDPMPipeline(network, diffusers.DDPMScheduler(**scheduler))


FAMILIES: dict[str, Callable[[], Any]] = {
    "stable-diffusion": stable_diffusion,
    "zero-terminal-snr": lambda: stable_diffusion(
        ddim(
            prediction_type="v_prediction",
            rescale_betas_zero_snr=True,
            timestep_spacing="trailing",
        )
    ),
    "stable-diffusion-xl": stable_diffusion_xl,
    "stable-diffusion-3": stable_diffusion_3,
    "stable-diffusion-3-without-t5": lambda: stable_diffusion_3(with_t5=False),
    "flux-dev": flux,
    "flux-schnell": lambda: flux(guidance_embeds=False),
    "pixart": pixart,
    "dit": dit,
    "pixels": pixels,
}


def write(make: Callable[[], Any], folder: Path) -> Path:
    """Writes a model, seeded, and returns its folder."""
    torch.manual_seed(0)
    pipeline = make()
    for part in ("unet", "transformer"):
        network = pipeline.components.get(part)
        if network is not None:
            _awaken(network)
    pipeline.save_pretrained(folder)
    if "DiT" in type(pipeline).__name__:  # as published ones name their classes
        index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
        index["id2label"] = {"0": "tench, Tinca tinca", "1": "goldfish"}
        (folder / "model_index.json").write_text(json.dumps(index), encoding="utf-8")
    return folder


def _awaken(network: torch.nn.Module) -> None:
    """Gives weights that start at zero (the last layer of a transformer) a size."""
    for parameter in network.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.02)
