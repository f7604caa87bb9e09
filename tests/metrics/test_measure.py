"""What `measure` bundles about one attack."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from miagym.errors import DataError
from miagym.metrics.auc import auc, auc_interval
from miagym.metrics.detection import tpr_at_fpr, tpr_interval
from miagym.metrics.measure import Detection, measure


def test_measure_bundles_and_dumps() -> None:
    """0.001 is there only where it resolves, 0.01 always; the row is JSON."""
    rng = np.random.default_rng(0)
    member = rng.permutation(np.repeat([True, False], 1000))
    scores = rng.normal(0, 1, 2000) + member
    metrics = measure(scores, member)
    assert list(metrics.tpr_at_fpr) == [0.01, 0.001]
    assert metrics == measure(scores, member)
    row = json.loads(json.dumps(metrics.as_row()))
    assert row["n_members"] == row["n_nonmembers"] == 1000
    sides = scores[member], scores[~member]
    assert row["auc"] == auc(*sides)
    assert row["auc_ci"] == list(auc_interval(*sides))
    for alpha, found in metrics.tpr_at_fpr.items():
        point, interval = tpr_at_fpr(*sides, alpha), tpr_interval(*sides, alpha)
        assert point and interval and found == Detection(point, interval)
    assert row["tpr_at_fpr"]["0.01"].keys() == {"tpr", "ci", "fpr"}
    few = measure([1.0, 0.0], np.array([True, False]))
    assert few.tpr_at_fpr == {0.01: None}
    assert few.as_row()["tpr_at_fpr"] == {"0.01": None}


@pytest.mark.parametrize(
    ("scores", "member"),
    [([1.0, 2.0], [1, 0]), ([1.0], [True, False]), ([[1.0], [2.0]], [[True], [False]])],
)
def test_measure_refuses_misshapen_input(scores: list, member: list) -> None:
    """Labels of 0 and 1 would index rows instead of choosing them."""
    with pytest.raises(DataError, match=r"Expected scores \(n,\)"):
        measure(scores, np.array(member))
    with pytest.raises(DataError, match="both needed"):
        measure([1.0, 2.0], np.array([True, True]))


def test_a_hundred_thousand_candidates_are_quick() -> None:
    """All intervals of 100,000 rows, while a command has 10 seconds."""
    rng, member = np.random.default_rng(0), np.arange(100_000) < 50_000
    start = time.process_time()
    measure(rng.normal(0, 1, 100_000) + member, member)
    assert time.process_time() - start < 2
