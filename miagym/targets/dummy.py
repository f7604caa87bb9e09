"""A target without a network: the exact denoiser of its training set, a perfect memoriser."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from miagym.data.candidates import Candidates
from miagym.targets.base import Target

TIMESTEPS = 1000


class DummyTarget(Target):
    """E(z, t, c) = (z - sqrt(ab_t) m) / sqrt(1 - ab_t), where m is the posterior mean of z0.

    The posterior is over training latents (pixels averaged 4×4) of the same caption, or over all of
    them where no caption matches. So a training picture is denoised to itself, and every attack
    that works at all works here; tests use it where a real network would only cost time.

    Args:
        training: what it was "trained" on, square, of a side divisible by 4.
    """

    def __init__(self, training: Candidates) -> None:
        self.name = "dummy"
        self.resolution = training.images.shape[1]
        self.latent_shape = (3, self.resolution // 4, self.resolution // 4)
        self.device = torch.device("cpu")
        betas = torch.linspace(0.00085**0.5, 0.012**0.5, TIMESTEPS, dtype=torch.float64) ** 2
        self.alphas_cumprod = torch.cumprod(1 - betas, dim=0)
        self.final_alpha_cumprod = float(self.alphas_cumprod[0])
        pixels = torch.from_numpy(np.ascontiguousarray(training.images.transpose(0, 3, 1, 2)))
        self._latents = self.encode(pixels.float() / 127.5 - 1)
        self._captions = training.captions

    def encode(self, images: Tensor) -> Tensor:
        return avg_pool2d(images, 4)

    def decode(self, latents: Tensor) -> Tensor:
        return interpolate(latents, scale_factor=4, mode="nearest").clamp(-1, 1)

    def timesteps(self, steps: int) -> list[int]:
        return [int(i) * (TIMESTEPS // steps) + 1 for i in reversed(range(steps))]

    def predict_noise(
        self, latents: Tensor, timestep: int, prompts: Sequence[str], guidance_scale: float = 1.0
    ) -> Tensor:
        eps = self._eps(latents, timestep, prompts)
        if guidance_scale == 1.0:
            return eps
        empty = self._eps(latents, timestep, [""] * len(latents))
        return empty + guidance_scale * (eps - empty)

    def _eps(self, latents: Tensor, timestep: int, prompts: Sequence[str]) -> Tensor:
        ab = self.alpha_bar(timestep)
        rows = []
        for z, prompt in zip(latents, prompts, strict=True):
            same = [i for i, caption in enumerate(self._captions) if caption == prompt]
            z0 = self._latents[same] if same else self._latents
            square = (z - ab**0.5 * z0).pow(2).flatten(1).sum(1)
            weight = torch.softmax(-square / (2 * (1 - ab)), dim=0)
            mean = (weight[:, None, None, None] * z0).sum(0)
            rows.append((z - ab**0.5 * mean) / (1 - ab) ** 0.5)
        return torch.stack(rows)
