"""Noise optimisation against the same steps taken by hand."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor

from attacks.base import mean_square
from attacks.white_box.noise_optimisation import NoiseOptimisation
from miagym.candidates import Candidates
from miagym.oracle import Oracle
from miagym.targets.dummy import DummyTarget
from tests.attacks.plain import Plain, few_of

BLENDED = 700
"""A timestep at which the dummy target mixes training pictures, so that no loss is quadratic."""


def by_hand(p: Plain, t: int, steps: int) -> list[float]:
    e = p.noise(t)
    z_t, caption = p.noised(e, t), p.target.embed([p.caption]).clone()

    def gradient(delta: Tensor) -> Tensor:
        z = (z_t + delta).clone().requires_grad_()
        loss = ((p.target.eps(z, t, caption) - e) ** 2).sum()
        return torch.autograd.grad(loss, z)[0]

    deltas = [torch.zeros_like(z_t)]
    gradients = [gradient(deltas[0])]
    deltas.append(-gradients[0] / (gradients[0] ** 2).sum() ** 0.5)
    while len(deltas) <= steps:
        gradients.append(gradient(deltas[-1]))
        s, y = deltas[-1] - deltas[-2], gradients[-1] - gradients[-2]
        deltas.append(deltas[-1] - abs((s * y).sum()) / (y * y).sum() * gradients[-1])
    error = p.eps(z_t + deltas[-1], t) - e
    return [float((v**2).sum() ** 0.5) for v in (error, deltas[-1])]


def test_features(drawings: Candidates) -> None:
    target, few = few_of(drawings)
    features = NoiseOptimisation(BLENDED, steps=4).features(Oracle(target), few)
    plain = [by_hand(Plain(target, few[[i]]), BLENDED, 4) for i in range(len(few))]
    np.testing.assert_allclose(features, plain, rtol=1e-3, atol=1e-4)


def test_it_lowers_the_loss(dummy: DummyTarget, drawings: Candidates) -> None:
    oracle, strangers = Oracle(dummy), drawings[40:60]
    for t in (100, BLENDED):
        eps = oracle.noise(strangers, t)
        z_t = oracle.add_noise(oracle.encode(strangers), eps, t)
        before = mean_square(oracle.predict_noise(strangers, z_t, t) - eps) * eps[0].numel()
        loss, delta = NoiseOptimisation(t).features(oracle, strangers).T
        assert (loss < before.sqrt()).all()
        assert (delta > 1).all()


def test_the_first_step_has_length_1(dummy: DummyTarget, drawings: Candidates) -> None:
    _, delta = NoiseOptimisation(steps=1).features(Oracle(dummy), drawings[40:50]).T
    torch.testing.assert_close(delta, torch.ones(10))


def test_a_latent_is_optimised_alone(dummy: DummyTarget, drawings: Candidates) -> None:
    attack, few = NoiseOptimisation(BLENDED), drawings[38:42]
    together = attack.features(Oracle(dummy), few)
    alone = [attack.features(Oracle(dummy), few[[i]])[0] for i in range(4)]
    torch.testing.assert_close(together, torch.stack(alone), rtol=1e-5, atol=1e-6)


def test_a_vanished_gradient_stays_put(drawings: Candidates) -> None:
    """Of the same picture under a target that knows nothing else, every gradient is tiny."""
    known = drawings[[0]]
    features = NoiseOptimisation().features(Oracle(DummyTarget(known)), known)
    torch.testing.assert_close(features, torch.zeros(1, 2), rtol=0, atol=1e-4)


def test_members_score_higher(dummy: DummyTarget, drawings: Candidates, member: np.ndarray) -> None:
    assert roc_auc_score(member, NoiseOptimisation()(Oracle(dummy), drawings)) > 0.6
