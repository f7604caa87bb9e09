"""The seed paper's classifier attacks: their features, their search, and what is saved."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from attacks.grey_box.trajectory_classifiers import (
    GridSearch,
    TrajectoryClassifier,
    TrajectoryForest,
    TrajectoryLogistic,
    TrajectoryNetwork,
    TrajectoryTree,
)
from attacks.learning.saved import load_attack
from miagym.candidates import Candidates
from miagym.oracle import Oracle
from miagym.targets.dummy import DummyTarget
from tests.attacks.plain import Plain, assert_features_agree

CLASSIFIERS = [
    TrajectoryLogistic(),
    TrajectoryTree(),
    TrajectoryForest(trees=(10, 20), depths=(2,)),
    TrajectoryNetwork(),
]


def by_hand(p: Plain) -> list[float]:
    eps = p.noise(300)
    z, features = p.noised(eps, 300), []
    for t in (300, 200, 100):
        loss = (eps - p.eps(z, t)).square().mean()
        z = p.phi(z, t, t - 100, 7.5)
        features += [loss, (z - p.z0).square().mean(), (255 * p.x - 255 * p.decode(z)).abs().mean()]
    return [float(feature) for feature in features]


def test_features(drawings: Candidates) -> None:
    assert_features_agree(TrajectoryLogistic(), by_hand, drawings)


@pytest.mark.parametrize("attack", CLASSIFIERS, ids=lambda attack: type(attack).__name__)
def test_learns_is_charged_and_is_saved(
    attack: TrajectoryClassifier,
    dummy: DummyTarget,
    drawings: Candidates,
    member: np.ndarray,
    tmp_path: Path,
) -> None:
    fit, rest = np.arange(0, 80, 2), np.arange(1, 80, 2)
    features = attack.features(Oracle(dummy), drawings[fit])
    assert features.shape == (40, 9)
    fitted = attack.fit(features, member[fit])
    asked = Oracle(dummy)
    scores = fitted(asked, drawings[rest])
    assert roc_auc_score(member[rest], scores) > 0.6
    assert asked.meter.spent(drawings.keys[1]) == attack.cost
    fitted.save(tmp_path / "attack.safetensors")
    again = load_attack(tmp_path / "attack.safetensors")
    assert again == fitted
    np.testing.assert_array_equal(again(Oracle(dummy), drawings[rest]), scores)


def test_the_search_takes_what_cross_validates_best() -> None:
    rng = np.random.default_rng(0)
    member = np.arange(200) % 2 == 0
    strong = rng.normal(size=200) + 2 * member  # found under a weak penalty and a strong one
    weak = 200 * (rng.normal(size=200) + 0.1 * member)
    features = np.stack([strong, weak], axis=1)
    rules = [
        GridSearch.of(LogisticRegression(), "passthrough").over(C=grid).fit(features, member)
        for grid in ([1e-9], [1.0], [1e-9, 1.0])
    ]
    strongly, weakly, chosen = (rule.score(features) for rule in rules)
    assert roc_auc_score(member, strongly) < roc_auc_score(member, weakly)
    np.testing.assert_array_equal(chosen, weakly)
