"""A target of a third party: a model of pixels that expects its mean picture, and nothing else."""

import numpy as np
import torch

from miagym.targets.base import TOKENS, Target, Told
from miagym.targets.schedule import Schedule


class MeanPicture(Target):
    """E(z, t) = (z - a m) / s, for one picture m: whatever is near m looks like a member."""

    told, can_be_guided = Told.NOTHING, False

    def __init__(self, name, device="auto", dtype="auto", resolution=16):
        self.name, self.resolution = name, resolution
        self.latent_shape = (3, resolution, resolution)
        self.device = torch.device("cpu")
        betas = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)
        ab = torch.cumprod(1 - betas, dim=0)
        self.schedule = Schedule.variance_preserving(ab, final=1.0)
        self.mean = torch.linspace(-1, 1, resolution).expand(self.latent_shape)

    def encode(self, images, noise=None):
        return images

    def decode(self, latents):
        return latents.clamp(-1, 1)

    def embed(self, prompts):
        return torch.zeros(len(prompts), 1, 1)

    def tokenize(self, prompts):
        return np.zeros((len(prompts), TOKENS), dtype=np.int32)

    def predict_noise(self, latents, timestep, prompts, guidance_scale=1.0):
        a, s = self.scales(timestep, latents)
        return (latents - a * self.mean) / s

    def timesteps(self, steps):
        return [int(i) * (1000 // steps) for i in reversed(range(steps))]
