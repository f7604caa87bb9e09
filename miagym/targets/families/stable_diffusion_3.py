"""Stable Diffusion 3 (Esser et al. 2024): flow matching, and three text encoders."""

from __future__ import annotations

import torch
from torch import Tensor

from miagym.errors import TargetError
from miagym.targets.families.flow import FlowTarget
from miagym.targets.families.packing import Packing
from miagym.targets.pipeline.quiet import quiet_pipelines


class StableDiffusion3(FlowTarget):
    """A `StableDiffusion3Pipeline`, with or without its third text encoder, T5.

    Its transformer is told the tokens of all encoders and the pooled embeddings of two.
    """

    checked_side = 8
    _packing: Packing

    def check_family(self) -> None:
        transformer, vae = self.network.config, self.pipeline.vae.config
        if self.pipeline.text_encoder is None or self.pipeline.text_encoder_2 is None:
            raise TargetError(
                f"{self.name} has not both CLIP text encoders; expected text_encoder and "
                "text_encoder_2 (text_encoder_3 may be left out)."
            )
        if transformer.in_channels != vae.latent_channels:
            raise TargetError(
                f"{self.name} is no plain Stable Diffusion 3: its transformer takes "
                f"{transformer.in_channels} channels, its autoencoder gives {vae.latent_channels}."
            )

    def set_up(self) -> None:
        self.use_flow()
        self.patch = self.network.config.patch_size
        self.use_latents(shifts=True)
        self.encode_text("")  # which says how parts are packed

    @torch.inference_mode()
    def encode_text(self, prompt: str | None) -> Tensor:
        with quiet_pipelines():
            tokens, _, pooled, _ = self.pipeline.encode_prompt(
                prompt or "", None, None, device=self.device, do_classifier_free_guidance=False
            )
        parts = [tokens[0], pooled[0]]
        self._packing = Packing.of(parts)
        return self._packing.pack(parts)

    def output(self, z: Tensor, time: Tensor, told: Tensor) -> Tensor:
        tokens, pooled = self._packing.unpack(told.to(self.dtype))
        return self.network(
            hidden_states=z.to(self.dtype),
            timestep=time,
            encoder_hidden_states=tokens,
            pooled_projections=pooled,
            return_dict=False,
        )[0].float()
