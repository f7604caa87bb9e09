"""GSA against gradients taken by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor

from attacks.white_box.gsa import GSA, GSA1, GSA2
from miagym.candidates import Candidates
from miagym.oracle import Oracle
from miagym.targets.dummy import DummyTarget
from tests.attacks.plain import Plain, assert_features_agree

TIMESTEPS = (100, 500, 900)


def loss(p: Plain, t: int) -> Tensor:
    e, caption = p.noise(t), p.target.embed([p.caption])
    return ((p.target.eps(p.noised(e, t).clone(), t, caption) - e) ** 2).mean()


def norms(p: Plain, value: Tensor) -> np.ndarray:
    gradients = torch.autograd.grad(value, p.target.parameters())
    return np.array([float((g**2).sum() ** 0.5) for g in gradients])


def test_gsa1(drawings: Candidates) -> None:
    def formula(p: Plain) -> list[float]:
        return list(norms(p, sum((loss(p, t) for t in TIMESTEPS), torch.zeros(())) / 3))

    assert_features_agree(GSA1(TIMESTEPS), formula, drawings)


def test_gsa2(drawings: Candidates) -> None:
    def formula(p: Plain) -> list[float]:
        return list(np.mean([norms(p, loss(p, t)) for t in TIMESTEPS], axis=0))

    assert_features_agree(GSA2(TIMESTEPS), formula, drawings)


def test_at_one_timestep_they_are_the_same(drawings: Candidates) -> None:
    target, few = DummyTarget(drawings[:10]), drawings[6:14]
    first, second = (kind((500,)).features(Oracle(target), few) for kind in (GSA1, GSA2))
    np.testing.assert_array_equal(first, second)
    assert np.ptp(first) > 0


@pytest.mark.parametrize("attack", [GSA1(), GSA2()], ids=repr)
def test_members_score_higher(
    attack: GSA, dummy: DummyTarget, drawings: Candidates, member: np.ndarray
) -> None:
    features, half = attack.features(Oracle(dummy), drawings), np.arange(80) % 2 == 0
    scores = attack.fit(features[half], member[half]).score(features[~half])
    assert roc_auc_score(member[~half], scores) > 0.6
