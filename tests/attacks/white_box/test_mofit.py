"""MoFit against its three stages by hand, and its limiting cases."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from attacks.base import mean_square
from attacks.white_box.mofit import MoFit
from miagym.candidates import Candidates
from miagym.noise import paired_noise
from miagym.oracle import Oracle
from tests.attacks.plain import Plain, assert_agrees, few_of

BLENDED = 800
"""A timestep at which the dummy target mixes training pictures, so that prompts matter."""


def by_hand(p: Plain) -> float:
    """Two steps on the pixels, three on the embedding."""
    t, target = BLENDED, p.target
    e = p.noise(t)
    empty, caption = target.embed([""]), target.embed([p.caption]).clone()

    def loss(z0: Tensor, embedding: Tensor) -> Tensor:
        return ((target.eps(p.noised(e, t, z0), t, embedding) - e) ** 2).sum()

    normal = paired_noise(0, p.one.keys, (3, 64, 64), "mofit")[0].double()
    uniform = torch.special.erf(normal / 2**0.5).float()
    x = (p.x + 0.15 * uniform).clamp(0, 1)
    for step in (0.075, 0.00075):
        x.requires_grad_()
        (g,) = torch.autograd.grad(loss(target.latents(x[None] * 2 - 1), empty), x)
        x = (x.detach() - step * torch.sign(g)).clamp(0, 1)
    surrogate = target.latents(torch.round(x * 255)[None] / 255 * 2 - 1)

    m, v = torch.zeros_like(caption), torch.zeros_like(caption)
    for i in (1, 2, 3):
        caption.requires_grad_()
        (g,) = torch.autograd.grad(loss(surrogate, caption), caption)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        step = (m / (1 - 0.9**i)) / ((v / (1 - 0.999**i)) ** 0.5 + 1e-8)
        caption = caption.detach() - 0.5 * step
    z0 = p.z0.clone()
    return float((loss(z0, caption) - loss(z0, empty)).detach()) / e.numel()


def test_formula(drawings: Candidates) -> None:
    attack = MoFit(BLENDED, surrogate_steps=2, embedding_steps=3, learning_rate=0.5)
    assert_agrees(attack, by_hand, drawings, rtol=1e-3)


def test_without_embedding_steps_it_is_the_gain_of_the_caption(drawings: Candidates) -> None:
    target, few = few_of(drawings)
    scores = MoFit(BLENDED, surrogate_steps=1, embedding_steps=0)(Oracle(target), few)
    for i, score in enumerate(scores):
        p = Plain(target, few[[i]])
        e = p.noise(BLENDED)
        z_t = p.noised(e, BLENDED)
        losses = [((p.eps(z_t, BLENDED, c) - e) ** 2).mean() for c in (p.caption, "")]
        assert score == pytest.approx(float(losses[0] - losses[1]), rel=1e-4, abs=1e-6)
    assert np.ptp(scores) > 0


def test_without_captions_it_starts_from_the_empty_prompt(drawings: Candidates) -> None:
    target, few = few_of(drawings)
    nameless = Candidates(few.images, ("",) * len(few))
    still = MoFit(BLENDED, surrogate_steps=1, embedding_steps=0)(Oracle(target), nameless)
    np.testing.assert_array_equal(still, np.zeros(len(few)))
    fitted = MoFit(BLENDED, surrogate_steps=1, embedding_steps=3)(Oracle(target), nameless)
    assert (fitted != 0).any()


def test_both_stages_lower_the_loss(drawings: Candidates) -> None:
    target, few = few_of(drawings)
    oracle, attack = Oracle(target), MoFit(BLENDED, learning_rate=0.06)
    eps = oracle.noise(few, BLENDED)

    def loss(pictures: Candidates, prompts: str | Tensor | None) -> float:
        z_t = oracle.add_noise(oracle.encode(pictures), eps, BLENDED)
        predicted = oracle.predict_noise(pictures, z_t, BLENDED, prompts=prompts)
        return float(mean_square(predicted - eps).mean())

    surrogates = attack.surrogates(oracle, few, eps)
    assert surrogates.keys == few.keys
    assert loss(surrogates, "") < loss(few, "")
    assert loss(surrogates, attack.embeddings(oracle, surrogates, eps)) < loss(surrogates, None)
