"""Stable Diffusion 1.x and 2.x through diffusers: any `StableDiffusionPipeline`."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import Any

import numpy as np
import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline
from numpy.typing import NDArray
from torch import Tensor

from miagym.errors import TargetError
from miagym.targets.base import TOKENS, VOCABULARY, Texts, Timesteps
from miagym.targets.gradients import DifferentiableTarget

MAX_CACHED_PROMPTS = 1024
"""Text embeddings kept, so that a caption goes through the text encoder once."""


class StableDiffusion(DifferentiableTarget):
    """A loaded `StableDiffusionPipeline` as a target.

    Args:
        pipeline: with `vae`, `unet`, `text_encoder`, `tokenizer` and any scheduler.
        name: what reports call it.

    Raises:
        TargetError: if it takes no text, or predicts neither noise nor velocity.
    """

    def __init__(self, pipeline: StableDiffusionPipeline, name: str) -> None:
        if pipeline.text_encoder is None or pipeline.tokenizer is None:
            raise TargetError(
                f"{name} has no text encoder; miagym attacks text-to-image models, expected a "
                "StableDiffusionPipeline with tokenizer and text encoder."
            )
        self.name = name
        self.device = pipeline.unet.device
        self.dtype = pipeline.unet.dtype
        self._vae, self._unet = pipeline.vae.eval(), pipeline.unet.eval()
        self._tokenizer, self._text_encoder = pipeline.tokenizer, pipeline.text_encoder.eval()
        self._scheduler: Any = DDIMScheduler.from_config(pipeline.scheduler.config)
        if self._scheduler.config.prediction_type not in ("epsilon", "v_prediction"):
            raise TargetError(
                f"{name} predicts {self._scheduler.config.prediction_type!r}; expected a model of "
                "'epsilon' or 'v_prediction'."
            )
        self._check_shapes()
        size = self._unet.config.sample_size
        self.latent_shape = (self._unet.config.in_channels, size, size)
        self.resolution = size * 2 ** (len(self._vae.config.block_out_channels) - 1)
        self.alphas_cumprod = self._scheduler.alphas_cumprod.double()
        self.final_alpha_cumprod = float(self._scheduler.final_alpha_cumprod)
        self._embeddings: OrderedDict[str, Tensor] = OrderedDict()
        self._lock = Lock()  # chunks may be scored by several threads
        networks = (self._vae, self._unet, self._text_encoder)
        self.fingerprint = _fingerprint(*networks, schedule=str(self.alphas_cumprod.tolist()))

    def _check_shapes(self) -> None:
        """Inpainting models, SDXL and their like load as this pipeline, but are asked otherwise."""
        unet, vae, text = self._unet.config, self._vae.config, self._text_encoder.config
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

    def timesteps(self, steps: int) -> list[int]:
        with self._lock:
            self._scheduler.set_timesteps(steps)
            return [int(t) for t in self._scheduler.timesteps]

    @torch.inference_mode()
    def encode(self, images: Tensor) -> Tensor:
        return self.latents(images)

    @torch.inference_mode()
    def decode(self, latents: Tensor) -> Tensor:
        z = (latents / self._vae.config.scaling_factor).to(self._vae.dtype)
        return self._vae.decode(z).sample.float().clamp(-1, 1)

    @torch.inference_mode()
    def predict_noise(
        self, latents: Tensor, timestep: Timesteps, prompts: Texts, guidance_scale: float = 1.0
    ) -> Tensor:
        if guidance_scale == 1.0:
            return self.eps(latents, timestep, self.condition(prompts))
        empty = self.embed([""] * len(prompts))
        both = torch.cat([empty, self.condition(prompts)])
        twice = self.each_timestep(timestep, len(latents)) * 2
        unconditional, conditional = self.eps(torch.cat([latents] * 2), twice, both).chunk(2)
        return unconditional + guidance_scale * (conditional - unconditional)

    def latents(self, images: Tensor) -> Tensor:
        posterior = self._vae.encode(images.to(self._vae.dtype)).latent_dist
        return posterior.mean.float() * self._vae.config.scaling_factor

    def parameters(self) -> list[Tensor]:
        return list(self._unet.parameters())

    def eps(self, z: Tensor, timestep: Timesteps, embeddings: Tensor) -> Tensor:
        """E(z, t, c) in float32, whether the model predicts noise or velocity."""
        t = torch.tensor(self.each_timestep(timestep, len(z)), device=self.device)
        output = self._unet(z.to(self.dtype), t, embeddings.to(self.dtype)).sample.float()
        if self._scheduler.config.prediction_type == "v_prediction":
            return self.mix(output, z, timestep)  # v = sqrt(ab) eps - sqrt(1 - ab) z0
        return output

    @torch.inference_mode()
    def embed(self, prompts: Sequence[str]) -> Tensor:
        """Text embeddings (n, tokens, width), each distinct prompt encoded once, and by itself.

        In a batch, an embedding would depend to the last bits on the prompts beside it.
        """
        with self._lock:
            for prompt in dict.fromkeys(prompts):
                if prompt not in self._embeddings:
                    self._embeddings[prompt] = self._embed_one(prompt)
            result = torch.stack([self._embeddings[p] for p in prompts])
            while len(self._embeddings) > MAX_CACHED_PROMPTS:
                self._embeddings.popitem(last=False)
            return result

    def tokenize(self, prompts: Sequence[str]) -> NDArray[np.int32]:
        """Token ids (n, TOKENS) as the text encoder sees them.

        Where the encoder takes more or fewer tokens than that, they are cut or padded with the
        tokenizer's own padding; an id that CLIP does not have becomes its last one, "unknown".
        """
        with self._lock:
            rows = [self._tokens(prompt)[0, :TOKENS].numpy() for prompt in prompts]
        tokens = np.full((len(prompts), TOKENS), self._tokenizer.pad_token_id, dtype=np.int32)
        for padded, row in zip(tokens, rows, strict=True):
            padded[: len(row)] = row
        return np.minimum(tokens, VOCABULARY - 1)

    def _embed_one(self, prompt: str) -> Tensor:
        return self._text_encoder(self._tokens(prompt).to(self.device))[0][0].float()

    def _tokens(self, prompt: str) -> Tensor:
        return self._tokenizer(
            prompt,
            padding="max_length",
            truncation=True,
            max_length=self._tokenizer.model_max_length,
            return_tensors="pt",
        ).input_ids


def _fingerprint(*networks: torch.nn.Module, schedule: str) -> str:
    """A digest of schedule, dtype, and the beginning of every tensor, which training changes."""
    state = hashlib.sha256(schedule.encode())
    for network in networks:
        for name, tensor in sorted(network.state_dict().items()):
            state.update(name.encode() + tensor.flatten()[:64].float().cpu().numpy().tobytes())
    return f"{state.hexdigest()[:16]} {next(networks[0].parameters()).dtype}"
