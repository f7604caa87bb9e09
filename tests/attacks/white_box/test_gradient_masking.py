"""Gradient masking against gradients taken by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from attacks.white_box.gradient_masking import GradientMasking
from miagym.candidates import Candidates
from miagym.oracle import Oracle
from miagym.targets.dummy import DummyTarget
from tests.attacks.plain import Plain, few_of

STRANGERS = slice(4, 8)
"""Of the few, those that the target does not know: the others' gradients are rounding errors."""


def by_hand(p: Plain, t: int, masked: float = 0.2) -> float:
    e = p.noise(0)
    z_t = p.noised(e, t).clone().requires_grad_()
    norm = ((p.target.eps(z_t, t, p.target.embed([p.caption])) - e) ** 2).sum() ** 0.5
    (g,) = torch.autograd.grad(norm, z_t)
    z, part, total = p.z0.clone(), g.abs().flatten().argsort(descending=True), 0.0
    part = part[: round(masked * len(part))]
    z.view(-1)[part] = e.view(-1)[part]
    restored = p.eps(z, t)
    for i in part:
        total += float(e.view(-1)[i] - p.z0.view(-1)[i] - restored.view(-1)[i]) ** 2
    return total**0.5


def test_features(drawings: Candidates) -> None:
    target, few = few_of(drawings)
    features = GradientMasking((100, 700)).features(Oracle(target), few)[STRANGERS]
    plain = [[by_hand(Plain(target, few[[i]]), t) for t in (100, 700)] for i in range(4, 8)]
    np.testing.assert_allclose(features, plain, rtol=1e-4)


def test_score_is_minus_the_mean_feature(drawings: Candidates) -> None:
    target, few = few_of(drawings)
    attack = GradientMasking((100, 700))
    expected = -attack.features(Oracle(target), few).mean(1)
    np.testing.assert_allclose(attack(Oracle(target), few), expected)


def test_all_masked_is_the_distance_from_noise_to_picture(drawings: Candidates) -> None:
    target, few = few_of(drawings)
    features = GradientMasking((300,), masked=1.0).features(Oracle(target), few)
    for i, feature in enumerate(features):
        p = Plain(target, few[[i]])
        e = p.noise(0)
        expected = float(((e - p.z0 - p.eps(e, 300)) ** 2).sum() ** 0.5)
        assert float(feature[0]) == pytest.approx(expected, rel=1e-4)


def test_members_score_higher(dummy: DummyTarget, drawings: Candidates, member: np.ndarray) -> None:
    assert roc_auc_score(member, GradientMasking()(Oracle(dummy), drawings)) > 0.6
