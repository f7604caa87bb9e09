"""Thresholds are set by scores of a rule that has not seen the candidate, nor its duplicate."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from attacks.blind import BlindPixels
from miagym.evaluation.protocol import cross_fitted
from miagym.metrics.auc import auc

PAIRS = 60


def dealt_in_pairs(seed: int) -> tuple[NDArray, NDArray, NDArray]:
    """Features (2 PAIRS, 4), labels and groups: near-duplicates in pairs, labels by chance."""
    rng = np.random.default_rng(seed)
    picture = rng.normal(size=(PAIRS, 4))
    features = np.repeat(picture, 2, axis=0) + rng.normal(scale=1e-3, size=(2 * PAIRS, 4))
    member = np.repeat(rng.permutation(PAIRS) % 2 == 0, 2)
    return features, member, np.repeat(np.arange(PAIRS), 2)


@pytest.mark.parametrize("grouped", [True, False])
def test_a_duplicate_teaches_nothing_about_its_twin(grouped: bool) -> None:
    attack, found = BlindPixels(trees=20), []
    for seed in range(8):
        features, member, groups = dealt_in_pairs(seed)
        scores = cross_fitted(attack, features, member, seed, groups if grouped else None)
        assert scores is not None
        found.append(auc(scores[member], scores[~member]))
    assert (np.mean(found) < 0.6) == grouped, found


def test_one_group_of_nearly_everything_is_too_little_to_learn_from() -> None:
    features, member, _ = dealt_in_pairs(0)
    one = np.zeros(len(member), dtype=int)
    most = np.where(np.arange(len(member)) < 2, 1, one)
    for groups in (one, most):
        assert cross_fitted(BlindPixels(trees=5), features, member, 0, groups) is None
    few = cross_fitted(BlindPixels(trees=5), features[:12], member[:12], 0)
    assert few is None
