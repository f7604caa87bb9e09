"""Latents of pictures, encoded once before a training begins."""

# diffusers annotates what is configurable only roughly:
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import numpy as np
import torch
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from torch import Tensor

from miagym.data.dataset import Dataset
from miagym.noise import paired_noise
from miagym.targets.pipeline.target import PipelineTarget
from miagym.training.defences import UNDEFENDED, TrainingDefence
from miagym.training.loop import StepProgress

PIXELS_AT_ONCE = 2**20
"""Decoded and encoded together, which bounds memory: 4 pictures of 512×512, 256 of 64×64."""


@torch.inference_mode()
def encode_mirrored(vae: AutoencoderKL, pixels: NDArray[np.uint8], device: torch.device) -> Tensor:
    """Encodes drawings (n, 64, 64, 3) and their mirror images to scaled latents (2, n, c, h, w)."""
    x = torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)))
    encoded = [
        torch.cat([vae.encode(_scaled(b, device)).latent_dist.mean for b in y.split(64)])
        for y in (x, x.flip(-1))
    ]
    return (torch.stack(encoded) * vae.config.scaling_factor).clone()


@torch.inference_mode()
def encode_sampled(
    target: PipelineTarget,
    data: Dataset,
    rows: NDArray[np.integer],
    seed: int,
    progress: StepProgress,
    defence: TrainingDefence = UNDEFENDED,
) -> Tensor:
    """Encodes some rows of a data set to scaled latents (views, n, c, h, w), on the CPU.

    A latent is a sample of the posterior, as Stable Diffusion is trained on. Its noise depends on
    the seed and the picture alone. A model of pixels has images for latents.

    Args:
        target: in float32.
        data: whose pictures are decoded a few at a time.
        rows: of the data set (n,).
        seed: of the samples.
        progress: shows how far it is.
        defence: says which views of each picture there are; by default itself alone.

    Raises:
        DataError: if a picture cannot be read.
    """
    size = target.resolution
    chunk = max(1, PIXELS_AT_ONCE // size**2)
    latents = []
    for number in progress(range(-(-len(rows) // chunk)), "encoding"):
        some = data.candidates(rows[number * chunk : (number + 1) * chunk], size)
        images = torch.from_numpy(some.images.transpose(0, 3, 1, 2).copy())
        pictures = _scaled(images, target.device)
        noise = paired_noise(seed, some.keys, target.latent_shape, "posterior").to(target.device)
        views = (defence.view(pictures, some.keys, k, seed) for k in range(defence.views))
        latents.append(torch.stack([target.encode(view, noise).cpu() for view in views]))
    return torch.cat(latents, 1).clone()


def _scaled(images: Tensor, device: torch.device) -> Tensor:
    """8-bit images as an autoencoder takes them: in [-1, 1]."""
    return images.to(device).float() / 127.5 - 1
