"""What holds for every target, whosever it is: for the tests of whoever writes one.

Third parties call `check_target` in a test of their own; with
`pytest.register_assert_rewrite("miagym.targets.contract")` a failure shows the values, too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
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
        AssertionError: where it breaks the contract, with what was expected and what came.
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
    assert target.name, f"Expected a name of the target, got {target.name!r}."
    digest = target.fingerprint
    assert isinstance(digest, str), f"Expected a text as fingerprint, got {digest!r}."


def _check_schedule(target: Target) -> None:
    schedule = target.schedule
    signal, noise = schedule.signal, schedule.noise
    for name in ("signal", "noise", "alphas_cumprod"):
        _shaped(f"schedule.{name}", getattr(schedule, name), (len(schedule),))
    for name, levels in {"signal": signal, "noise": noise}.items():
        kind, least = levels.dtype, float(levels.min())
        assert kind == torch.float64, f"Expected schedule.{name} in float64, got {kind}."
        assert least >= 0, f"Expected schedule.{name} of 0 or more, got {least}."
    assert (signal.diff() <= 0).all(), "Expected schedule.signal to fall, and it rises somewhere."
    assert (noise.diff() >= 0).all(), "Expected schedule.noise to rise, and it falls somewhere."
    formula = signal**2 / (signal**2 + noise**2)
    _close("schedule.alphas_cumprod is a² / (a² + s²)", schedule.alphas_cumprod, formula, 1e-7)
    for steps in (1, 4):
        timesteps = target.timesteps(steps)
        assert (
            len(timesteps) == steps
            and timesteps == sorted(timesteps, reverse=True)
            and all(0 <= t < len(schedule) for t in timesteps)
        ), (
            f"Expected timesteps({steps}) to be {steps} falling ones from 0 to "
            f"{len(schedule) - 1}, got {timesteps}."
        )


def _check_autoencoder(target: Target, images: Tensor) -> None:
    z = target.encode(images)
    _answered("encode", z, (len(images), *target.latent_shape))
    _same("encode", target.encode(images), z)
    _close("encode of one picture is that of a batch", target.encode(images[1:2]), z[1:2])
    decoded = target.decode(z)
    _pictures("decode", decoded, images)
    _close("decode of one latent is that of a batch", target.decode(z[1:2]), decoded[1:2])


def _check_words(target: Target, captions: Sequence[str]) -> None:
    embeddings, came = target.embed(captions), tuple(target.embed(captions).shape)
    assert embeddings.ndim == 3 and len(embeddings) == len(captions), (
        f"Expected embed to answer ({len(captions)}, tokens, width), got {came}."
    )
    _same("embed", embeddings[3], embeddings[0])
    _same("embed", target.embed([captions[2]])[0], embeddings[2])
    tokens = target.tokenize(captions)
    _shaped("tokenize", tokens, (len(captions), TOKENS))
    assert tokens.dtype == np.int32, f"Expected tokenize in int32, got {tokens.dtype}."
    least, most = int(tokens.min()), int(tokens.max())
    assert least >= 0 and most < VOCABULARY, (
        f"Expected tokens from 0 to {VOCABULARY - 1}, got {least} to {most}."
    )
    _same("tokenize", torch.from_numpy(tokens[3]), torch.from_numpy(tokens[0]))


def _check_noise(target: Target, z: Tensor, captions: Sequence[str]) -> None:
    last = len(target.schedule) - 1
    timesteps = [last // 3, last // 2, 1, last // 3]
    eps = target.predict_noise(z, timesteps, captions)
    _answered("predict_noise", eps, z.shape)
    _same("predict_noise", target.predict_noise(z, timesteps, captions), eps)
    for i, t in enumerate(timesteps):
        alone = target.predict_noise(z[[i]], t, [captions[i]])
        _close("predict_noise of one latent is that of a batch", alone, eps[[i]])
    embedded = target.predict_noise(z, timesteps, target.embed(captions))
    _close("predict_noise of embeddings is that of their texts", embedded, eps)
    if target.can_be_guided:
        empty = target.predict_noise(z, timesteps, [""] * len(z))
        guided = target.predict_noise(z, timesteps, captions, 3.0)
        formula = empty + 3 * (eps - empty)
        _close("guided noise is empty + s (told - empty)", guided, formula, 1e-3, 1e-3)
    level = target.level(last // 3)
    z_t, formula = target.add_noise(z, eps, last // 3), level.signal * z + level.noise * eps
    _close("add_noise is a z0 + s eps", z_t, formula, 1e-5, 1e-5)
    back = target.ddim_move(target.ddim_move(z, eps, 1, last // 2), eps, last // 2, 1)
    _close("ddim_move there and back is where it began", back, z, 1e-3, 1e-3)
    _shaped("ddim_move", target.ddim_move(z, eps, 1, FINAL), z.shape)


def _check_sampling(target: Target, z: Tensor, images: Tensor, captions: Sequence[str]) -> None:
    guidance = 2.0 if target.can_be_guided else 1.0
    generated = target.generate(z, captions, 2, guidance)
    _pictures("generate", generated, images)
    alone = target.generate(z[1:2], captions[1:2], 2, guidance)
    _close("generate of one picture is that of a batch", alone, generated[1:2])
    varied = target.vary(target.encode(images), z, captions, 0.5, 4, guidance)
    _answered("vary", varied, images.shape)


def _check_gradients(target: Target, z: Tensor, captions: Sequence[str]) -> None:
    t, h = len(target.schedule) // 3, 1e-2
    eps, direction = z.flip(-1), z.flip(-2)

    def loss(z: Tensor) -> float:
        return float((target.predict_noise(z, t, captions) - eps).double().pow(2).sum())

    gradient = target.latent_gradient(z, t, captions, eps)
    _answered("latent_gradient", gradient, z.shape)
    slope = float((gradient * direction).sum())
    measured = (loss(z + h * direction) - loss(z - h * direction)) / (2 * h)
    assert abs(slope - measured) <= 0.05 * abs(measured) + 0.05, (
        f"Expected latent_gradient to be the slope of the loss, {measured:.4g} along a line as "
        f"measured, got {slope:.4g}."
    )
    if target.has_decoder:
        by_latents = target.decoder_gradient(z, target.decode(z))
        _answered("decoder_gradient", by_latents, z.shape)
    norms = target.parameter_gradient_norms(z[:, None], [t], captions, eps[:, None])
    assert norms.ndim == 2 and len(norms) == 1 and (norms >= 0).all(), (
        "Expected parameter_gradient_norms to answer (1, parameters) of 0 or more, got "
        f"{tuple(norms.shape)}, the least of them {float(norms.min()):.4g}."
    )


def _shaped(what: str, came: Tensor | NDArray[np.int32], expected: Sequence[int]) -> None:
    shapes = tuple(expected), tuple(came.shape)
    assert shapes[0] == shapes[1], f"Expected {what} of shape {shapes[0]}, got {shapes[1]}."


def _answered(what: str, came: Tensor, expected: Sequence[int]) -> None:
    """Of this shape, in float32 and finite."""
    _shaped(f"an answer of {what}", came, expected)
    kind, wrong = came.dtype, int((~came.isfinite()).sum())
    assert kind == torch.float32, f"Expected {what} in float32, got {kind}."
    assert not wrong, f"Expected finite numbers of {what}, got {wrong} of {came.numel()} others."


def _pictures(what: str, came: Tensor, like: Tensor) -> None:
    _answered(what, came, like.shape)
    most = float(came.abs().max())
    assert most <= 1, f"Expected pictures of {what} from -1 to 1, got {most:.4g}; clamp them."


def _same(what: str, again: Tensor, once: Tensor) -> None:
    """Equal questions have equal answers, to the bit."""
    assert torch.equal(again, once), (
        f"Expected equal answers of {what} to an equal question, got others; seed what it draws."
    )


def _close(
    formula: str, came: Tensor, expected: Tensor, rtol: float = 1e-3, atol: float = 1e-4
) -> None:
    """Equal but for what a batch of another size, or rounding, does to the last bits."""
    assert_close(
        came,
        expected,
        rtol=rtol,
        atol=atol,
        msg=lambda told: f"Expected that {formula}, got another answer. {told}",
    )
