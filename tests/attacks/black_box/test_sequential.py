"""The sequential attack: what it spends, when it stops, and that early stopping changes nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from attacks.black_box.sequential import SequentialTest, SequentialVariation
from miagym.candidates import Candidates
from miagym.oracle import Oracle
from miagym.oracle.access import Access
from miagym.targets.dummy import DummyTarget
from tests.attacks.plain import Plain, assert_features_agree


def distances(p: Plain) -> list[float]:
    pictures = [p.variation(0.3, 10, draw) for draw in range(4)]
    means = (sum(pictures[:k], torch.zeros(())) / k for k in (1, 2, 3, 4))
    return [float((mean - p.x).square().sum().sqrt()) for mean in means]


def test_features(drawings: Candidates) -> None:
    assert_features_agree(SequentialVariation(), distances, drawings)


@pytest.fixture(scope="module")
def evidence() -> tuple[np.ndarray, np.ndarray]:
    """Features (400, 4) of one noisy distance that settles draw by draw, and labels."""
    rng = np.random.default_rng(0)
    member = np.arange(400) < 200
    draws = np.where(member, 1.0, 0.0)[:, None] + rng.normal(size=(400, 4))
    return np.cumsum(draws, axis=1) / np.arange(1, 5), member


def test_it_spends_what_was_allowed_and_more_where_in_doubt(
    evidence: tuple[np.ndarray, np.ndarray],
) -> None:
    features, member = evidence
    rule = SequentialTest(most=4, mean=3, lead=1.0).fit(features, member)
    _, taken = rule.walk(features)
    assert 2.5 < taken.mean() <= 3 and set(taken) <= {1, 2, 3, 4}
    first = rule.log_odds(0, features[:, :1])
    doubt = (first > 1.0 - rule.boundary) & (first < rule.boundary)
    assert (taken[doubt] > 1).all() and (taken[~doubt] == 1).all()
    uniform = SequentialTest(most=3, mean=3, lead=1.0).fit(features[:, :3], member)
    assert (uniform.walk(features[:, :3])[1] == 3).all()


def test_it_acquits_sooner_than_it_accuses(evidence: tuple[np.ndarray, np.ndarray]) -> None:
    features, member = evidence
    rule = SequentialTest(most=4, mean=3, lead=2.0).fit(features, member)
    scores, taken = rule.walk(features)
    early = scores[taken < 4]
    assert (early <= 2.0 - rule.boundary).sum() > (early >= rule.boundary).sum()


@pytest.mark.slow
def test_asking_one_by_one_gives_the_scores_of_asking_everything(
    dummy: DummyTarget, drawings: Candidates, member: np.ndarray
) -> None:
    reference = Oracle(DummyTarget(drawings[[0, 79]]))
    oracle = Oracle(dummy, Access.BLACK, reference=reference)
    attack = SequentialVariation()
    features = attack.features(oracle, drawings)
    assert features.shape == (80, 8)  # target and reference, after each of four draws
    fitted = attack.fit(features, member)
    asked = Oracle(dummy, Access.BLACK, reference=Oracle(DummyTarget(drawings[[0, 79]])))
    np.testing.assert_allclose(fitted(asked, drawings), fitted.score(features), rtol=1e-4)
    rule = fitted.fitted_rule
    assert isinstance(rule, SequentialTest)
    spent = [asked.meter.spent(key).queries for key in drawings.keys]
    assert spent == rule.walk(features)[1].tolist()


def test_within_a_budget() -> None:
    assert SequentialVariation().within(4) == SequentialVariation()
    assert SequentialVariation().within(1) == replace(SequentialVariation(), mean=1, most=1)
