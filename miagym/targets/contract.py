"""What holds for every target, whosever it is: for the tests of whoever writes one.

Third parties call `check_target` in a test of their own; with
`pytest.register_assert_rewrite("miagym.targets.contract")` a failure shows the values.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.testing import assert_close

from miagym.noise import paired_noise
from miagym.targets.base import FINAL, Target, Told
from miagym.targets.sizes import TOKENS, VOCABULARY

CAPTIONS = ("a cat on a mat", "", "a dog, in the fog", "a cat on a mat")
CLASSES = ("0", "1", "0", "0")


def check_target(target: Target) -> None:
    """Shapes, ranges, formulas; equal questions have equal answers, in whatever batch.

    Args:
        target: any; it is asked some thirty times for a few rows.

    Raises:
        AssertionError: where it breaks the contract.
    """
    captions = CLASSES if target.told is Told.CLASS else CAPTIONS
    names = [str(i) for i in range(len(captions))]
    shape, size = target.latent_shape, target.resolution
    z = paired_noise(0, names, shape, "z").to(target.device)
    images = paired_noise(0, names, (3, size, size), "x").to(target.device).clamp(-1, 1)
    _check_schedule(target)
    _check_autoencoder(target, images)
    _check_words(target, captions)
    _check_noise(target, z, captions)
    _check_sampling(target, z, images, captions)
    if target.has_gradients:
        _check_gradients(target, z[:1], captions[:1])
    assert target.name and isinstance(target.fingerprint, str)


def _check_schedule(target: Target) -> None:
    schedule = target.schedule
    signal, noise = schedule.signal, schedule.noise
    assert signal.shape == noise.shape == schedule.alphas_cumprod.shape == (len(schedule),)
    assert signal.dtype == noise.dtype == torch.float64
    assert (signal >= 0).all() and (noise >= 0).all()
    assert (signal.diff() <= 0).all() and (noise.diff() >= 0).all()
    assert_close(schedule.alphas_cumprod, signal**2 / (signal**2 + noise**2))
    for steps in (1, 4):
        timesteps = target.timesteps(steps)
        assert len(timesteps) == steps and timesteps == sorted(timesteps, reverse=True)
        assert all(0 <= t < len(schedule) for t in timesteps)


def _check_autoencoder(target: Target, images: Tensor) -> None:
    z = target.encode(images)
    assert z.shape == (len(images), *target.latent_shape)
    assert z.dtype == torch.float32 and z.isfinite().all()
    assert torch.equal(target.encode(images), z)
    _close(target.encode(images[1:2]), z[1:2])
    decoded = target.decode(z)
    assert decoded.shape == images.shape and decoded.dtype == torch.float32
    assert decoded.abs().max() <= 1
    _close(target.decode(z[1:2]), decoded[1:2])


def _check_words(target: Target, captions: Sequence[str]) -> None:
    embeddings = target.embed(captions)
    assert embeddings.ndim == 3 and len(embeddings) == len(captions)
    assert torch.equal(embeddings[0], embeddings[3])
    assert torch.equal(target.embed([captions[2]])[0], embeddings[2])
    tokens = target.tokenize(captions)
    assert tokens.shape == (len(captions), TOKENS) and tokens.dtype == np.int32
    assert tokens.min() >= 0 and tokens.max() < VOCABULARY
    assert (tokens[0] == tokens[3]).all()


def _check_noise(target: Target, z: Tensor, captions: Sequence[str]) -> None:
    last = len(target.schedule) - 1
    timesteps = [last // 3, last // 2, 1, last // 3]
    eps = target.predict_noise(z, timesteps, captions)
    assert eps.shape == z.shape and eps.dtype == torch.float32 and eps.isfinite().all()
    assert torch.equal(target.predict_noise(z, timesteps, captions), eps)
    for i, t in enumerate(timesteps):
        _close(target.predict_noise(z[[i]], t, [captions[i]]), eps[[i]])
    _close(target.predict_noise(z, timesteps, target.embed(captions)), eps)
    if target.can_be_guided:
        empty = target.predict_noise(z, timesteps, [""] * len(z))
        guided = target.predict_noise(z, timesteps, captions, 3.0)
        assert_close(guided, empty + 3 * (eps - empty), rtol=1e-3, atol=1e-3)
    level = target.level(last // 3)
    z_t = target.add_noise(z, eps, last // 3)
    assert_close(z_t, level.signal * z + level.noise * eps, rtol=1e-5, atol=1e-5)
    back = target.ddim_move(target.ddim_move(z, eps, 1, last // 2), eps, last // 2, 1)
    assert_close(back, z, rtol=1e-3, atol=1e-3)
    assert target.ddim_move(z, eps, 1, FINAL).shape == z.shape


def _check_sampling(target: Target, z: Tensor, images: Tensor, captions: Sequence[str]) -> None:
    guidance = 2.0 if target.can_be_guided else 1.0
    generated = target.generate(z, captions, 2, guidance)
    assert generated.shape == images.shape and generated.abs().max() <= 1
    _close(target.generate(z[1:2], captions[1:2], 2, guidance), generated[1:2])
    varied = target.vary(target.encode(images), z, captions, 0.5, 4, guidance)
    assert varied.shape == images.shape and varied.isfinite().all()


def _check_gradients(target: Target, z: Tensor, captions: Sequence[str]) -> None:
    t, h = len(target.schedule) // 3, 1e-2
    eps, direction = z.flip(-1), z.flip(-2)

    def loss(z: Tensor) -> float:
        return float((target.predict_noise(z, t, captions) - eps).double().pow(2).sum())

    gradient = target.latent_gradient(z, t, captions, eps)
    assert gradient.shape == z.shape and gradient.dtype == torch.float32
    slope = float((gradient * direction).sum())
    measured = (loss(z + h * direction) - loss(z - h * direction)) / (2 * h)
    assert abs(slope - measured) <= 0.05 * abs(measured) + 0.05
    if target.has_decoder:
        images = target.decode(z)
        by_latents = target.decoder_gradient(z, images)
        assert by_latents.shape == z.shape and by_latents.dtype == torch.float32
        assert by_latents.isfinite().all()
    norms = target.parameter_gradient_norms(z[:, None], [t], captions, eps[:, None])
    assert norms.ndim == 2 and len(norms) == 1 and (norms >= 0).all()


def _close(some: Tensor, others: Tensor) -> None:
    """Equal but for what a batch of another size does to the last bits."""
    assert_close(some, others, rtol=1e-3, atol=1e-4)
