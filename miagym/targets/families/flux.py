"""FLUX.1 (Black Forest Labs 2024): flow matching on latents cut into patches."""

from __future__ import annotations

import torch
from torch import Tensor

from miagym.errors import TargetError
from miagym.targets.families.flow import FlowTarget
from miagym.targets.families.packing import Packing
from miagym.targets.pipeline.quiet import quiet_pipelines

PATCH = 2
"""Side of a patch of latents, which is one token."""


class Flux(FlowTarget):
    """A `FluxPipeline`: tokens of T5 and the pooled embedding of CLIP.

    FLUX.1 [dev] learned guidance by distillation: its scale is told to the network, in one row,
    although the oracle charges two as for any other model. [schnell] was told none, and is guided
    without a classifier like others (the pipeline's `true_cfg_scale`, under the empty prompt).
    """

    uniform_sigmas = True
    checked_side = 8
    patch = PATCH
    _packing: Packing

    def check_family(self) -> None:
        vae, transformer = self.pipeline.vae.config, self.network.config
        if self.pipeline.text_encoder is None or self.pipeline.text_encoder_2 is None:
            raise TargetError(
                f"{self.name} has not both text encoders; expected CLIP as text_encoder and T5 as "
                "text_encoder_2."
            )
        if transformer.in_channels != vae.latent_channels * PATCH**2:
            raise TargetError(
                f"{self.name} is no plain FLUX.1: its transformer takes {transformer.in_channels} "
                f"channels, four times its autoencoder's {vae.latent_channels} are "
                f"{vae.latent_channels * PATCH**2}."
            )

    def set_up(self) -> None:
        self.use_flow()
        self.use_latents(self.pipeline.default_sample_size, shifts=True)
        self.encode_text("")  # which says how parts are packed

    @torch.inference_mode()
    def encode_text(self, prompt: str | None) -> Tensor:
        with quiet_pipelines():
            tokens, pooled, _ = self.pipeline.encode_prompt(prompt or "", None, device=self.device)
        parts = [tokens[0], pooled[0]]
        self._packing = Packing.of(parts)
        return self._packing.pack(parts)

    def guided(self, z: Tensor, time: Tensor, told: Tensor, guidance_scale: float) -> Tensor:
        if self.network.config.guidance_embeds:
            return self._ask(z, time, told, guidance_scale)
        return super().guided(z, time, told, guidance_scale)

    def output(self, z: Tensor, time: Tensor, told: Tensor) -> Tensor:
        return self._ask(z, time, told, 1.0)

    def _ask(self, z: Tensor, time: Tensor, told: Tensor, guidance_scale: float) -> Tensor:
        tokens, pooled = self._packing.unpack(told.to(self.dtype))
        n, _, height, width = z.shape
        guidance = None
        if self.network.config.guidance_embeds:
            guidance = torch.full((n,), guidance_scale, device=self.device, dtype=torch.float32)
        answer = self.network(
            hidden_states=_patches(z).to(self.dtype),
            timestep=time.to(self.dtype) / len(self.schedule),
            guidance=guidance,
            pooled_projections=pooled,
            encoder_hidden_states=tokens,
            txt_ids=torch.zeros(tokens.shape[1], 3, device=self.device, dtype=self.dtype),
            img_ids=_places(height // PATCH, width // PATCH).to(self.device, self.dtype),
            return_dict=False,
        )[0]
        return _latents(answer.float(), height, width)

    def reference(
        self, prompt: str, side: int, generator: torch.Generator, steps: int, guidance_scale: float
    ) -> Tensor:
        learned = self.network.config.guidance_embeds
        return self.pipeline(
            prompt=prompt,
            negative_prompt=None if learned else "",
            true_cfg_scale=1.0 if learned else guidance_scale,
            guidance_scale=guidance_scale,
            height=side,
            width=side,
            generator=generator,
            num_inference_steps=steps,
            output_type="pt",
        ).images


def _patches(z: Tensor) -> Tensor:
    """Latents (n, c, h, w) as tokens (n, h/2 · w/2, 4c)."""
    n, c, h, w = z.shape
    cut = z.reshape(n, c, h // PATCH, PATCH, w // PATCH, PATCH)
    return cut.permute(0, 2, 4, 1, 3, 5).reshape(n, (h // PATCH) * (w // PATCH), c * PATCH**2)


def _latents(tokens: Tensor, h: int, w: int) -> Tensor:
    """The inverse of `_patches`."""
    n, _, width = tokens.shape
    cut = tokens.reshape(n, h // PATCH, w // PATCH, width // PATCH**2, PATCH, PATCH)
    return cut.permute(0, 3, 1, 4, 2, 5).reshape(n, width // PATCH**2, h, w)


def _places(rows: int, columns: int) -> Tensor:
    """Where each token is (rows · columns, 3): 0, its row, its column."""
    places = torch.zeros(rows, columns, 3)
    places[..., 1] = torch.arange(rows)[:, None]
    places[..., 2] = torch.arange(columns)
    return places.view(-1, 3)
