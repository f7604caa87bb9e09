"""Stable Diffusion XL (Podell et al. 2023): two text encoders, and the sizes of the picture."""

from __future__ import annotations

import torch
from torch import Tensor

from miagym.errors import TargetError
from miagym.targets.families.packing import Packing
from miagym.targets.families.unets import check_plain
from miagym.targets.pipeline.quiet import quiet_pipelines
from miagym.targets.pipeline.target import PipelineTarget
from miagym.targets.schedule import Predicts


class StableDiffusionXL(PipelineTarget):
    """A `StableDiffusionXLPipeline`.

    Its UNet is told the tokens of two text encoders, the pooled embedding of the second, and the
    original size, crop and size of the picture: here that of an uncropped picture of its own size,
    as the pipeline tells it.
    """

    checked_side = 8
    _packing: Packing

    def check_family(self) -> None:
        unet, vae = self.network.config, self.pipeline.vae.config
        check_plain(self.name, unet)
        first, second = self.pipeline.text_encoder, self.pipeline.text_encoder_2
        if first is None or self.pipeline.config.get("requires_aesthetics_score"):
            raise TargetError(
                f"{self.name} is a refiner, which starts from the pictures of another model; "
                "expected a base model of SDXL."
            )
        width = first.config.hidden_size + second.config.hidden_size
        if (
            unet.in_channels != vae.latent_channels
            or unet.cross_attention_dim != width
            or unet.addition_embed_type != "text_time"
        ):
            raise TargetError(
                f"{self.name} is no plain SDXL: its UNet takes {unet.in_channels} channels, text "
                f"of width {unet.cross_attention_dim} and {unet.addition_embed_type!r} beside it; "
                f"its autoencoder gives {vae.latent_channels}, its text encoders {width} together, "
                "and SDXL takes 'text_time'."
            )

    def set_up(self) -> None:
        self.use_variance_preserving((Predicts.NOISE, Predicts.VELOCITY, Predicts.SAMPLE))
        self.use_latents(standardises=True)
        side = (self.resolution, self.resolution)
        self.reference_options = {"original_size": side, "target_size": side}
        self._ids = torch.tensor([*side, 0, 0, *side], device=self.device, dtype=self.dtype)
        self.encode_text("")  # which says how parts are packed

    @torch.inference_mode()
    def encode_text(self, prompt: str | None) -> Tensor:
        zeros = prompt is None and self.pipeline.config.force_zeros_for_empty_prompt
        with quiet_pipelines():
            tokens, _, pooled, _ = self.pipeline.encode_prompt(
                prompt or "", device=self.device, do_classifier_free_guidance=False
            )
        parts = [tokens[0], pooled[0]]
        self._packing = Packing.of(parts)
        packed = self._packing.pack(parts)
        return torch.zeros_like(packed) if zeros else packed

    def output(self, z: Tensor, time: Tensor, told: Tensor) -> Tensor:
        tokens, pooled = self._packing.unpack(told.to(self.dtype))
        added = {"text_embeds": pooled, "time_ids": self._ids.expand(len(z), -1)}
        return self.network(z.to(self.dtype), time, tokens, added_cond_kwargs=added).sample.float()
