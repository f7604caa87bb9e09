"""Intervals over models and pictures: known answers, and coverage where both vary."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from miagym.errors import DataError
from miagym.metrics.detection import tpr_at_fpr
from miagym.metrics.resampling import over_models as module
from miagym.metrics.resampling.over_models import over_models


def dealt(rng: np.random.Generator, k: int, n: int) -> np.ndarray:
    return rng.permuted(np.tile(np.arange(n) < n // 2, (k, 1)), axis=1)


def test_values_are_those_of_each_model_and_of_all_pairs() -> None:
    rng = np.random.default_rng(0)
    inside = dealt(rng, 10, 60)
    scores = np.round(inside + rng.normal(size=inside.shape), 1)  # with ties
    found = over_models(scores, inside)
    by_model = [roc_auc_score(y, s) for y, s in zip(inside, scores, strict=True)]
    assert found.auc == pytest.approx(np.mean(by_model))
    assert found.auc_spread == pytest.approx(np.std(by_model, ddof=1))
    point = tpr_at_fpr(scores[inside], scores[~inside], 0.01)
    assert point is not None and found.tpr == pytest.approx(point.tpr)
    assert found.auc_ci[0] < found.auc < found.auc_ci[1]
    assert over_models(scores, inside) == found != over_models(scores, inside, seed=1)


def test_a_difference_is_paired() -> None:
    rng = np.random.default_rng(1)
    inside = dealt(rng, 12, 60)
    hard = rng.normal(size=inside.shape)
    first, second = inside * 1.5 + hard, inside * 1.0 + hard
    gain, none = over_models(first, inside, minus=second), over_models(first, inside, minus=first)
    assert gain.auc == pytest.approx(
        over_models(first, inside).auc - over_models(second, inside).auc
    )
    assert gain.auc_ci[0] > 0
    assert (none.auc, none.auc_ci, none.auc_spread, none.tpr_ci) == (0, (0, 0), 0, (0, 0))
    assert gain.p == pytest.approx(2 / 1001) and none.p == 1, "no resample, and every one"
    assert gain.as_row()["auc_p"] == gain.p
    alone = over_models(first, inside)
    assert alone.p is None and "auc_p" not in alone.as_row()


@pytest.mark.slow
def test_the_p_value_of_no_difference_is_not_small() -> None:
    rng, ps = np.random.default_rng(2), []
    for _ in range(20):
        inside = dealt(rng, 8, 30)
        first, second = (inside * 0.5 + rng.normal(size=inside.shape) for _ in range(2))
        ps.append(over_models(first, inside, minus=second).p)
    assert np.mean([p is not None and p < 0.05 for p in ps]) <= 0.15


@pytest.mark.slow
def test_the_interval_holds_what_other_models_and_pictures_give(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Models differ by what they learn, pictures by how much of it shows."""
    monkeypatch.setattr(module, "RESAMPLES", 150)

    def world(seed: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(seed)
        inside = dealt(rng, 12, 40)
        learns = rng.normal(1, 0.5, (12, 1)) * rng.gamma(2, 0.5, (1, 40))
        return learns * inside + rng.normal(size=inside.shape), inside

    truth = np.mean(
        [
            np.mean([roc_auc_score(y, s) for s, y in zip(*world(i), strict=True)])
            for i in range(1000, 1200)
        ]
    )
    held = [lo <= truth <= hi for lo, hi in (over_models(*world(i)).auc_ci for i in range(100))]
    assert np.mean(held) >= 0.9


@pytest.mark.parametrize(
    ("scores", "inside", "why"),
    [
        (np.zeros((8, 4)), np.ones((8, 4), bool), "single kind"),
        (np.zeros((2, 4)), np.eye(2, 4, dtype=bool), "needs 8"),
        (np.zeros((8, 4)), np.ones((8, 5), bool), "same shape"),
        (np.full((8, 4), np.nan), np.ones((8, 4), bool), "finite"),
    ],
)
def test_what_cannot_be_measured_is_one_sentence(scores, inside, why: str) -> None:
    with pytest.raises(DataError, match=why):
        over_models(scores, inside)
