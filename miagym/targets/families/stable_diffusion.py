"""Stable Diffusion 1.x and 2.x (Rombach et al. 2022)."""

from __future__ import annotations

import torch
from torch import Tensor

from miagym.errors import TargetError
from miagym.targets.families.unets import check_plain
from miagym.targets.pipeline.quiet import quiet_pipelines
from miagym.targets.pipeline.target import PipelineTarget
from miagym.targets.schedule import Predicts


class StableDiffusion(PipelineTarget):
    """A `StableDiffusionPipeline`: a UNet of latents, told the tokens of one CLIP text encoder."""

    checked_side = 8

    def check_family(self) -> None:
        unet, vae = self.network.config, self.pipeline.vae.config
        text = self.pipeline.text_encoder.config
        check_plain(self.name, unet)
        if (
            unet.in_channels != vae.latent_channels
            or unet.cross_attention_dim != text.hidden_size
            or unet.addition_embed_type is not None
        ):
            raise TargetError(
                f"{self.name} is no plain Stable Diffusion 1.x or 2.x: its UNet takes "
                f"{unet.in_channels} channels and text of width {unet.cross_attention_dim}, its "
                f"autoencoder gives {vae.latent_channels} and its text encoder {text.hidden_size}."
            )

    def set_up(self) -> None:
        self.use_variance_preserving((Predicts.NOISE, Predicts.VELOCITY, Predicts.SAMPLE))
        self.use_latents()

    @torch.inference_mode()
    def encode_text(self, prompt: str | None) -> Tensor:
        with quiet_pipelines():
            tokens, _ = self.pipeline.encode_prompt(prompt or "", self.device, 1, False)
        return tokens[0].float()

    def output(self, z: Tensor, time: Tensor, told: Tensor) -> Tensor:
        return self.network(z.to(self.dtype), time, told.to(self.dtype)).sample.float()
