"""The loss attacks against their formulas."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from attacks.base import Attack
from attacks.grey_box.loss import LossThreshold, MultipleLoss
from miagym.candidates import Candidates
from miagym.oracle import Oracle
from miagym.targets.dummy import DummyTarget
from tests.attacks.plain import Plain, assert_agrees


def loss(p: Plain, t: int, draw: int) -> float:
    e = p.noise(t, draw)
    return float(((p.eps(p.noised(e, t), t) - e) ** 2).mean())


def test_loss_threshold(drawings: Candidates) -> None:
    def formula(p: Plain) -> float:
        return -(loss(p, 200, 0) + loss(p, 200, 1) + loss(p, 200, 2)) / 3

    assert_agrees(LossThreshold(timestep=200, draws=3), formula, drawings)


def test_multiple_loss(drawings: Candidates) -> None:
    def formula(p: Plain) -> float:
        return -sum(loss(p, t, 0) for t in range(0, 1000, 100)) / 10

    assert_agrees(MultipleLoss(), formula, drawings)


def test_multiple_loss_at_one_timestep_is_the_loss(drawings: Candidates) -> None:
    target = DummyTarget(drawings[:10])
    multiple = MultipleLoss(timesteps=(300,))(Oracle(target), drawings[6:14])
    single = LossThreshold(timestep=300, draws=1)(Oracle(target), drawings[6:14])
    np.testing.assert_array_equal(multiple, single)


@pytest.mark.parametrize("attack", [LossThreshold(), MultipleLoss()], ids=repr)
def test_members_score_higher(
    attack: Attack, dummy: DummyTarget, drawings: Candidates, member: np.ndarray
) -> None:
    assert roc_auc_score(member, attack(Oracle(dummy), drawings)) > 0.6
