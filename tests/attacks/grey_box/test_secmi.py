"""SecMI by hand: down and up the inversion chain, one image at a time."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import roc_auc_score
from torch import Tensor

from attacks.grey_box.secmi import SecMI, SecMINN
from miagym.candidates import Candidates
from miagym.oracle import Oracle
from miagym.targets.dummy import DummyTarget
from tests.attacks.plain import Plain, assert_agrees, assert_features_agree


def plain_error(p: Plain) -> Tensor:
    z = p.z0
    for s in (0, 20, 40, 60, 80):
        z = p.phi(z, s, s + 20)
    return z - p.phi(p.phi(z, 100, 120), 120, 100)


def plain_secmi(p: Plain) -> float:
    return -float((plain_error(p) ** 2).mean())


def plain_map(p: Plain) -> list[float]:
    return [3, 16, 16, *abs(plain_error(p)).flatten().tolist()]


def test_formula(drawings: Candidates) -> None:
    assert_agrees(SecMI(), plain_secmi, drawings)


def test_map(drawings: Candidates) -> None:
    assert_features_agree(SecMINN(timestep=100), plain_map, drawings)


def test_the_statistic_is_of_the_map(dummy: DummyTarget, drawings: Candidates) -> None:
    few = drawings[36:44]
    errors = SecMINN(timestep=60).features(Oracle(dummy), few)[:, 3:]
    np.testing.assert_allclose(
        SecMI(timestep=60)(Oracle(dummy), few), -(errors**2).mean(1), rtol=1e-4, atol=1e-9
    )


def test_members_score_higher(dummy: DummyTarget, drawings: Candidates, member: np.ndarray) -> None:
    assert roc_auc_score(member, SecMI()(Oracle(dummy), drawings)) > 0.6


def test_the_network_finds_members_it_has_not_seen(
    dummy: DummyTarget, drawings: Candidates, member: np.ndarray
) -> None:
    attack = SecMINN(epochs=4)
    features = attack.features(Oracle(dummy), drawings)
    fitted = attack.fit(features[::2], member[::2])
    assert roc_auc_score(member[1::2], fitted.score(features[1::2])) > 0.6
