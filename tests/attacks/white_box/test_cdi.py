"""CDI: its features one by one, and what the regression makes of them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from attacks.base import Attack, as_features
from attacks.grey_box.loss import LossThreshold
from attacks.grey_box.pia import PIA, PIAN
from attacks.grey_box.secmi import SecMI
from attacks.white_box.cdi import CDI
from attacks.white_box.gradient_masking import GradientMasking
from attacks.white_box.noise_optimisation import NoiseOptimisation
from miagym.candidates import Candidates
from miagym.errors import DataError
from miagym.oracle import Oracle
from miagym.targets.dummy import DummyTarget
from tests.attacks.plain import Plain, few_of


def test_26_features_in_the_order_of_the_paper(drawings: Candidates) -> None:
    target, few = few_of(drawings)
    features = CDI().features(Oracle(target), few)
    assert features.shape == (8, 26)
    single: list[Attack] = [
        LossThreshold(timestep=100, draws=5),
        SecMI(timestep=100),
        PIA(timestep=200, norm=5),
        PIAN(timestep=200, norm=5),
    ]
    for i, attack in enumerate(single):
        np.testing.assert_array_equal(features[:, i], attack(Oracle(target), few))
    masking = as_features(GradientMasking().features(Oracle(target), few))
    np.testing.assert_array_equal(features[:, 4:14], masking)
    optimisation = as_features(NoiseOptimisation().features(Oracle(target), few))
    np.testing.assert_array_equal(features[:, 24:], optimisation)


def test_multiple_loss(drawings: Candidates) -> None:
    target, few = few_of(drawings)
    losses = CDI().features(Oracle(target), few)[:, 14:24]

    def norm(p: Plain, t: int) -> float:
        e = p.noise(0)
        return float(((p.eps(p.noised(e, t), t) - e) ** 2).sum() ** 0.5)

    plain = [
        [norm(Plain(target, few[[i]]), t) for t in range(0, 1000, 100)] for i in range(len(few))
    ]
    np.testing.assert_allclose(losses, plain, rtol=1e-4, atol=1e-4)


def test_members_score_higher(dummy: DummyTarget, drawings: Candidates, member: np.ndarray) -> None:
    attack, half = CDI((100, 500)), np.arange(80) % 2 == 0
    features = attack.features(Oracle(dummy), drawings)
    scores = attack.fit(features[half], member[half]).score(features[~half])
    assert roc_auc_score(member[~half], scores) > 0.9


def test_features_with_the_labels_shuffled_teach_nothing(
    dummy: DummyTarget, drawings: Candidates, member: np.ndarray
) -> None:
    attack, rng = CDI((100, 500)), np.random.default_rng(0)
    features, areas = attack.features(Oracle(dummy), drawings), []
    for _ in range(20):
        label, half = rng.permutation(member), rng.permutation(80) < 40
        scores = attack.fit(features[half], label[half]).score(features[~half])
        areas.append(roc_auc_score(label[~half], scores))
    assert np.mean(areas) == pytest.approx(0.5, abs=0.1)


def test_one_kind_alone_is_refused(drawings: Candidates) -> None:
    with pytest.raises(DataError, match="5 members and 0 non-members"):
        CDI().fit(np.zeros((5, 26)), np.ones(5, dtype=bool))
