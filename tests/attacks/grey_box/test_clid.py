"""CLiD in three forms against its formulas."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from attacks.base import Attack, LearnedAttack
from attacks.grey_box.clid import CLiD, CLiDThreshold, CLiDVector, WeightedDiscrepancy, clip_prompts
from miagym.candidates import Candidates
from miagym.errors import NoCaption
from miagym.oracle import Oracle
from miagym.oracle.budget import Cost
from miagym.targets.dummy import DummyTarget
from tests.attacks.plain import Plain, assert_agrees, assert_features_agree

LEARNED = [CLiDThreshold(), CLiDVector()]


def loss(p: Plain, t: int, prompt: str, draw: int = 0) -> float:
    e = p.noise(t, draw)
    return float(((p.eps(p.noised(e, t), t, prompt) - e) ** 2).mean())


def test_clid(drawings: Candidates) -> None:
    def formula(p: Plain) -> float:
        return sum(loss(p, 400, "", d) - loss(p, 400, p.caption, d) for d in (0, 1)) / 2

    assert_agrees(CLiD(timestep=400, draws=2), formula, drawings)


@pytest.mark.parametrize("attack", LEARNED, ids=repr)
def test_features(attack: LearnedAttack, drawings: Candidates) -> None:
    def formula(p: Plain) -> list[float]:
        c, n = p.caption, len(p.caption)
        reduced = [c[: n // 3], c[n // 3 : 2 * n // 3], c[2 * n // 3 :], ""]
        full = sum(loss(p, t, c) for t in (400, 450, 500)) / 3
        return [
            full,
            *(sum(loss(p, t, r) for t in (400, 450, 500)) / 3 - full for r in reduced),
        ]

    assert_features_agree(attack, formula, drawings)


def test_clip_prompts() -> None:
    assert clip_prompts("a cat, a mat") == ("a ca", "t, a", " mat", "")
    for caption in ("", "a", "ab", "a dog in fog"):
        *thirds, empty = clip_prompts(caption)
        assert "".join(thirds) == caption and empty == ""
        assert max(map(len, thirds)) - min(map(len, thirds)) <= 1


def test_threshold_rule() -> None:
    """Robust scaling and alpha by hand: here the discrepancies tell, and the loss misleads."""
    features = np.array([[4.0, 9, 9, 9, 9], [1, 8, 8, 8, 8], [3, 1, 1, 1, 1], [2, 0, 0, 0, 4]])
    rule = WeightedDiscrepancy().fit(features, np.array([True, True, False, False]))
    # S(L) = (1, -1, 1/3, -1/3), S(-d) = (-18, -14, 14, 14) / 29: the first member beats the last
    # row, and so everybody, from alpha = 0.547.
    assert rule.alpha == 0.6
    losses, discrepancies = np.array([3, -3, 1, -1]) / 3, np.array([-18, -14, 14, 14]) / 29
    np.testing.assert_allclose(rule.score(features), -(0.4 * losses + 0.6 * discrepancies))


def test_threshold_rule_prefers_a_telling_loss() -> None:
    features = np.array([[1.0, 0], [2, 5], [3, 4], [4, 1]])
    rule = WeightedDiscrepancy().fit(features, np.array([True, True, False, False]))
    assert rule.alpha == 0.0


def test_the_scaler_sees_calibration_data_only() -> None:
    rng = np.random.default_rng(0)
    rule = WeightedDiscrepancy().fit(rng.normal(size=(20, 5)), np.arange(20) < 10)
    rows = rng.normal(size=(6, 5))
    np.testing.assert_allclose(rule.score(rows)[:2], rule.score(rows[:2]))


@pytest.mark.parametrize("attack", [CLiD(), *LEARNED], ids=repr)
def test_it_refuses_pictures_without_captions(
    attack: Attack, dummy: DummyTarget, drawings: Candidates, member: np.ndarray
) -> None:
    few = Candidates(drawings.images[:2], (drawings.captions[0], " "))
    oracle = Oracle(dummy)
    with pytest.raises(NoCaption, match="1 of 2"):
        attack.features(oracle, few) if isinstance(attack, LearnedAttack) else attack(oracle, few)
    assert oracle.meter.total() == Cost()


@pytest.mark.parametrize("attack", [CLiD(), *LEARNED], ids=repr)
def test_members_score_higher(
    attack: Attack, dummy: DummyTarget, drawings: Candidates, member: np.ndarray
) -> None:
    oracle, half = Oracle(dummy), np.arange(80) % 2 == 0
    if isinstance(attack, LearnedAttack):
        features = attack.features(oracle, drawings[np.flatnonzero(half)])
        attack = attack.fit(features, member[half])
    scores = attack(oracle, drawings[np.flatnonzero(~half)])
    assert roc_auc_score(member[~half], scores) > 0.6
