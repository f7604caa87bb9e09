"""A target without a network: the exact denoiser of its training set, a perfect memoriser."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from miagym.candidates import Candidates
from miagym.noise import paired_noise
from miagym.targets.base import Texts, Timesteps
from miagym.targets.gradients import DifferentiableTarget
from miagym.targets.schedule import Schedule
from miagym.targets.sizes import TOKENS

TIMESTEPS = 1000
WIDTH = 16
"""Of a text embedding: one token, whose direction is drawn from a digest of the text."""


class DummyTarget(DifferentiableTarget):
    """E(z, t, c) = (z - sqrt(ab_t) m) / sqrt(1 - ab_t), where m is the posterior mean of z0.

    The posterior is over training latents (pixels averaged 4×4) of the same caption, or over all of
    them where no caption matches. So a training picture is denoised to itself, and every attack
    that works at all works here; tests use it where a real network would only cost time. What it
    remembers are its parameters, one tensor for each training picture.

    Args:
        training: what it was "trained" on, square, of a side divisible by 4.
    """

    def __init__(self, training: Candidates) -> None:
        self.name = "dummy"
        self.resolution = training.images.shape[1]
        self.latent_shape = (3, self.resolution // 4, self.resolution // 4)
        self.device = torch.device("cpu")
        betas = torch.linspace(0.00085**0.5, 0.012**0.5, TIMESTEPS, dtype=torch.float64) ** 2
        alphas_cumprod = torch.cumprod(1 - betas, dim=0)
        self.schedule = Schedule.variance_preserving(alphas_cumprod, float(alphas_cumprod[0]))
        pixels = torch.from_numpy(np.ascontiguousarray(training.images.transpose(0, 3, 1, 2)))
        training_latents = self.latents(pixels.float() / 127.5 - 1)
        self._memory = [z.clone().requires_grad_() for z in training_latents]
        self._keys = self.embed(training.captions)

    @torch.inference_mode()
    def encode(self, images: Tensor, noise: Tensor | None = None) -> Tensor:
        return self.latents(images)

    def latents(self, images: Tensor) -> Tensor:
        return avg_pool2d(images, 4)

    @torch.inference_mode()
    def decode(self, latents: Tensor) -> Tensor:
        return self.decoded(latents).clamp(-1, 1)

    def decoded(self, latents: Tensor) -> Tensor:
        return interpolate(latents, scale_factor=4, mode="nearest")

    def timesteps(self, steps: int) -> list[int]:
        return [int(i) * (TIMESTEPS // steps) + 1 for i in reversed(range(steps))]

    def embed(self, prompts: Sequence[str]) -> Tensor:
        return paired_noise(0, prompts, (1, WIDTH), "text")

    def tokenize(self, prompts: Sequence[str]) -> NDArray[np.int32]:
        """UTF-8 bytes (n, TOKENS), cut or padded with zeros."""
        tokens = np.zeros((len(prompts), TOKENS), dtype=np.int32)
        for row, prompt in zip(tokens, prompts, strict=True):
            text = prompt.encode()[:TOKENS]
            row[: len(text)] = list(text)
        return tokens

    @torch.inference_mode()
    def predict_noise(
        self, latents: Tensor, timestep: Timesteps, prompts: Texts, guidance_scale: float = 1.0
    ) -> Tensor:
        eps = self.eps(latents, timestep, self.condition(prompts))
        if guidance_scale == 1.0:
            return eps
        empty = self.eps(latents, timestep, self.embed([""] * len(latents)))
        return empty + guidance_scale * (eps - empty)

    def parameters(self) -> list[Tensor]:
        return self._memory

    def eps(self, z: Tensor, timestep: Timesteps, embeddings: Tensor) -> Tensor:
        rows, timesteps = [], self.each_timestep(timestep, len(z))
        memory = torch.stack(self._memory).flatten(1)
        distance = (embeddings[:, None] - self._keys).pow(2).flatten(2).sum(2)
        captions = torch.log(torch.exp(-distance) + 1e-30)  # no match at all: all are alike
        # One row at a time: a batch would change the last bits.
        for row, t, caption in zip(z.flatten(1), timesteps, captions, strict=True):
            level = self.level(t)
            square = (row - level.signal * memory).pow(2).sum(1)
            weight = torch.softmax(caption - square / (2 * level.noise**2), dim=0)
            rows.append((row - level.signal * (weight @ memory)) / level.noise)
        return torch.stack(rows).view_as(z)
