"""The set test: exact where nothing is to be found, and strong where something is."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import binom, kstest

from attacks.grey_box.loss import LossThreshold
from attacks.white_box.cdi import CDI
from miagym.candidates import Candidates
from miagym.checking.dataset_inference import DatasetInference, set_test
from miagym.errors import DataError
from miagym.oracle import Oracle
from miagym.targets.dummy import DummyTarget


def test_few_scores_by_hand() -> None:
    suspects, controls = np.array([3.0, 9.0, 4.0]), np.array([1.0, 5.0, 2.0, 0.0])
    answer = set_test(suspects, controls)
    both = np.concatenate([suspects, controls])

    def difference(rows: tuple[int, ...]) -> float:
        return both[list(rows)].mean() - np.delete(both, rows).mean()

    found = difference((0, 1, 2))
    larger = [difference(rows) >= found - 1e-12 for rows in combinations(range(7), 3)]
    assert answer.mean_difference == pytest.approx(found)
    assert answer.p_value == pytest.approx(np.mean(larger))
    assert (answer.suspects, answer.controls) == (3, 4)


def test_it_is_one_sided_and_seeded() -> None:
    rng = np.random.default_rng(0)
    high, low = rng.normal(1, 1, 30), rng.normal(0, 1, 30)
    assert set_test(high, low) == set_test(high, low, seed=0)
    assert set_test(high, low).p_value < 0.01 and set_test(high, low).welch_p_value < 0.01
    assert set_test(low, high).p_value > 0.99 and set_test(low, high).welch_p_value > 0.99


def test_controls_against_controls_are_uniform(dummy: DummyTarget, drawings: Candidates) -> None:
    """200 random halves of the non-members; each is a draw of a p-value under hypothesis 0."""
    scores = LossThreshold()(Oracle(dummy), drawings[40:])
    rng = np.random.default_rng(0)
    p = []
    for split in range(200):
        order = rng.permutation(40)
        p.append(set_test(scores[order[:20]], scores[order[20:]], split, resamples=199).p_value)
    few, many = binom.ppf([0.001, 0.999], 200, 0.05)
    assert few <= np.sum(np.array(p) <= 0.05) <= many
    assert kstest(p, "uniform").pvalue > 0.001


def test_20_members_are_found(dummy: DummyTarget, drawings: Candidates, member: np.ndarray) -> None:
    oracle, learn = Oracle(dummy), np.arange(80) % 40 < 20
    bare = CDI((100, 500))
    fitted = bare.fit(bare.features(oracle, drawings[np.flatnonzero(learn)]), member[learn])
    inference = DatasetInference(fitted)
    answer = inference(oracle, drawings[20:40], drawings[60:80])
    assert (answer.suspects, answer.controls) == (20, 20)
    assert answer.p_value < 0.01 and answer.mean_difference > 0
    assert inference(oracle, drawings[60:70], drawings[70:80]).p_value > 0.01


def test_scores_of_any_attack_will_do(dummy: DummyTarget, drawings: Candidates) -> None:
    attack, oracle = LossThreshold(), Oracle(dummy)
    answer = DatasetInference(attack, seed=3)(oracle, drawings[:20], drawings[40:60])
    scores = attack(oracle, drawings)
    assert answer == set_test(scores[:20], scores[40:60], seed=3)
    assert answer.p_value < 0.01


def test_too_few_are_refused() -> None:
    with pytest.raises(DataError, match="got 1 and 5"):
        set_test(np.zeros(1), np.zeros(5))
