"""Autoencoder of the embedded targets: 64×64×3 pixels to 16×16×4 latents (f = 4, a small VQ-f4).

It is public infrastructure: it saw every drawing, members and non-members alike, so that whatever
an attack finds is the diffusion model's doing. (Stable Diffusion's, too, was trained apart.)
"""

# diffusers and transformers annotate what is configurable only roughly:
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import l1_loss, mse_loss

from miagym.training.loop import StepProgress, TrainingSchedule, batch_of, train

OUTLINES = TrainingSchedule(steps=5_000, learning_rate=3e-3, weight_decay=0.0, ema_decay=0.998)
COLOURS = TrainingSchedule(steps=1_400, learning_rate=2e-3, weight_decay=0.0, ema_decay=0.995)
"""First outlines, from drawings whose colour channels are exchanged at random, which leaves little
but brightness to learn; then colours, from drawings as they are."""

RECOLOUR = TrainingSchedule(steps=900, learning_rate=2e-3, weight_decay=0.0, ema_decay=0.995)
"""Of an autoencoder that knows the outlines of other drawings, on drawings as they are."""

BATCH = 16
KL_WEIGHT = 1e-6
L1_WEIGHT = 0.25
CHROMA_WEIGHT = 0.5
"""Weight of the difference of colours without brightness: it is small, and else goes unlearned."""
EDGE_WEIGHT = 0.15
"""Weight of the differences between neighbouring pixels, which keeps outlines crisp."""


def new_autoencoder() -> AutoencoderKL:
    return AutoencoderKL(
        sample_size=64,
        latent_channels=4,
        block_out_channels=(16, 32, 48),
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        layers_per_block=1,
        norm_num_groups=8,
    )


def edges(x: Tensor) -> tuple[Tensor, Tensor]:
    return x[..., 1:] - x[..., :-1], x[..., 1:, :] - x[..., :-1, :]


def chroma(x: Tensor) -> Tensor:
    return x - x.mean(1, keepdim=True)


def colour_loss(reconstruction: Tensor, x: Tensor) -> Tensor:
    """Loss `outline_loss` plus an L1 loss of colours, for images (n, 3, 64, 64) in [-1, 1]."""
    off = l1_loss(chroma(reconstruction), chroma(x))
    return outline_loss(reconstruction, x) + CHROMA_WEIGHT * off


def outline_loss(reconstruction: Tensor, x: Tensor) -> Tensor:
    """Loss MSE + L1 + edges, for images (n, 3, 64, 64) in [-1, 1]."""
    pairs = zip(edges(reconstruction), edges(x), strict=True)
    edge = sum((l1_loss(a, b) for a, b in pairs), start=x.new_zeros(()))
    return mse_loss(reconstruction, x) + L1_WEIGHT * l1_loss(reconstruction, x) + EDGE_WEIGHT * edge


def train_autoencoder(
    pixels: NDArray[np.uint8],
    seed: int,
    states: Path,
    progress: StepProgress,
    device: torch.device,
    start: AutoencoderKL | None = None,
) -> AutoencoderKL:
    """Trains an autoencoder on drawings (n, 64, 64, 3), mirrored at random: outlines, then colours.

    The scaling factor, as in Latent Diffusion, makes the latents' standard deviation 1.

    Args:
        pixels: all drawings.
        seed: of weights, batches and noise.
        states: folder for what a stopped training resumes from.
        progress: shows how far it is.
        device: where to train.
        start: a trained autoencoder, which learns colours only; None begins from nothing.
    """
    torch.manual_seed(seed)
    vae = (start or new_autoencoder()).to(device)
    images = torch.from_numpy(pixels.copy()).permute(0, 3, 1, 2)

    def reconstruct(step: int, exchange: bool) -> tuple[Tensor, Tensor, Tensor]:
        rng = np.random.default_rng((seed, step))
        x = images[batch_of(step, len(images), BATCH, seed)]
        x = x[:, rng.permutation(3)] if exchange else x
        x = (x.flip(-1) if rng.random() < 0.5 else x).to(device).float() / 127.5 - 1
        posterior = vae.encode(x).latent_dist
        noise = rng.standard_normal(posterior.mean.shape, dtype=np.float32)
        z = posterior.mean + posterior.std * torch.from_numpy(noise).to(device)
        return vae.decode(z).sample, x, KL_WEIGHT * posterior.kl().mean()

    def outlines_at(step: int) -> Tensor:
        reconstruction, x, kl = reconstruct(step, exchange=True)
        return outline_loss(reconstruction, x) + kl

    def colours_at(step: int) -> Tensor:
        reconstruction, x, kl = reconstruct(step, exchange=False)
        return colour_loss(reconstruction, x) + kl

    stages = (
        (("outlines", outlines_at, OUTLINES), ("colours", colours_at, COLOURS))
        if start is None
        else (("colours", colours_at, RECOLOUR),)
    )
    for name, loss_at, schedule in stages:
        label = f"autoencoder: {name}"
        state = states / f"autoencoder-{name}.safetensors"
        averaged = train(vae, loss_at, schedule, state, progress, label)
        vae.load_state_dict(averaged.state_dict())
    vae.eval().register_to_config(scaling_factor=1 / _latent_std(vae, images, device))
    return vae


@torch.inference_mode()
def _latent_std(vae: AutoencoderKL, images: Tensor, device: torch.device) -> float:
    x = [images[i : i + 64].to(device).float() / 127.5 - 1 for i in range(0, len(images), 64)]
    return float(torch.cat([vae.encode(batch).latent_dist.mean for batch in x]).std())
