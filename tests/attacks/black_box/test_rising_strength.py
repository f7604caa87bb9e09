"""Rising strength: features against the formula, and what the regression learns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from attacks.black_box.rediffuse import ReDiffuse
from attacks.black_box.rising_strength import RisingStrength
from miagym.candidates import Candidates
from miagym.oracle import Oracle
from miagym.targets.dummy import DummyTarget
from tests.attacks.plain import Plain, assert_features_agree
from tests.attacks.vision_model import save_vision_model


def test_features(drawings: Candidates) -> None:
    def formula(p: Plain) -> list[float]:
        means = []
        for strength in (0.2, 0.7):
            varied = [p.variation(strength, 10, draw) for draw in range(2)]
            distances = [float((2 * p.x - 2 * y).square().mean().sqrt()) for y in varied]
            means.append(sum(distances) / 2)
        return means

    assert_features_agree(RisingStrength(strengths=(0.2, 0.7), draws=2), formula, drawings)


def test_an_encoder_may_measure_instead(
    tmp_path: Path, dummy: DummyTarget, drawings: Candidates
) -> None:
    few = drawings[36:44]
    plain = RisingStrength().features(Oracle(dummy), few)
    seen = RisingStrength(encoder=str(save_vision_model(tmp_path))).features(Oracle(dummy), few)
    assert seen.shape == plain.shape == (8, 4)
    assert (seen > 0).all() and not np.allclose(seen, plain)


def test_members_score_higher(dummy: DummyTarget, drawings: Candidates, member: np.ndarray) -> None:
    fit, rest = np.arange(0, 80, 2), np.arange(1, 80, 2)
    attack, oracle = RisingStrength(), Oracle(dummy)
    fitted = attack.fit(attack.features(oracle, drawings[fit]), member[fit])
    assert roc_auc_score(member[rest], fitted(oracle, drawings[rest])) > 0.6


def test_variations_are_shared_with_rediffuse(dummy: DummyTarget, drawings: Candidates) -> None:
    few, oracle = drawings[:3], Oracle(dummy)
    RisingStrength(draws=2).features(oracle, few)
    computed = oracle.cache.computed
    for attack in ReDiffuse().variants():
        attack(oracle, few)
    assert oracle.cache.computed == computed
