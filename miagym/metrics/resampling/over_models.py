"""Metrics over many models and the pictures dealt to them, with intervals over both.

Each model has its own members among the same pictures. A number of one model says nothing of the
next one, and pictures are shared by all, so both are resampled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from miagym.errors import DataError
from miagym.metrics.auc import Interval

ALPHA = 0.01
RESAMPLES = 1000
TAIL = 0.025
MIN_MODELS = 8
"""Below this, the spread between models is not told with any certainty."""

Weights = NDArray[np.float64]


@dataclass(frozen=True)
class OverModels:
    """What one attack, or the difference of two, comes to over models and pictures.

    Args:
        auc: mean over models of the AUC within each.
        auc_ci: 95 %, over models and pictures.
        auc_spread: standard deviation of the AUC between models.
        tpr: TPR at FPR <= 1 % of all pairs of model and picture, under one threshold.
        tpr_ci: 95 %, over models and pictures.
    """

    models: int
    pictures: int
    auc: float
    auc_ci: Interval
    auc_spread: float
    tpr: float
    tpr_ci: Interval
    p: float | None = None
    """Two-sided, of a difference in AUC, from the same resamples; None for a single attack."""

    def as_row(self) -> dict[str, Any]:
        """Plain numbers and lists."""
        return {
            "models": self.models,
            "pictures": self.pictures,
            "auc": self.auc,
            "auc_ci": list(self.auc_ci),
            "auc_spread": self.auc_spread,
            "tpr_at_fpr": {str(ALPHA): {"tpr": self.tpr, "ci": list(self.tpr_ci)}},
            **({} if self.p is None else {"auc_p": self.p}),
        }


def over_models(
    scores: ArrayLike, inside: ArrayLike, seed: int = 0, minus: ArrayLike | None = None
) -> OverModels:
    """Metrics of scores (k, n) of n pictures under k models, or what they gain over others.

    Intervals are percentiles of the pigeonhole bootstrap (Owen 2007, Ann. Appl. Stat. 1): models
    and pictures are drawn with replacement, independently, and a pair weighs the product. It is
    mildly conservative. Scores have one scale for all models and pictures in the TPR, as a
    threshold that is used on all of them needs. The p-value counts resamples on either side of 0,
    those at 0 on both; the least possible is 2 / 1001.

    Args:
        scores: higher = member.
        inside: which model was trained on which picture (k, n), bool.
        seed: of the bootstrap.
        minus: scores (k, n) of another attack, or of the same on other models that were dealt the
            same pictures, whose metrics are subtracted, pair by pair.

    Raises:
        DataError: if shapes differ, a score is not finite, there are fewer than 8 models, or a
            model lacks members or non-members.
    """
    both = [np.asarray(each, dtype=np.float64) for each in (scores, minus) if each is not None]
    labels = np.asarray(inside)
    _check(both, labels)
    measures = [_Measure(each, labels) for each in both]
    k, n = labels.shape
    value = _difference(measures, np.ones((1, k)), np.ones((1, n)))[0]
    rng = np.random.default_rng(seed)
    weights = [(_counts(rng, k), _counts(rng, n)) for _ in range(RESAMPLES)]
    models, pictures = (np.stack(each) for each in zip(*weights, strict=True))
    drawn = _difference(measures, models, pictures)
    low, high = np.nanquantile(drawn, [TAIL, 1 - TAIL], axis=0)
    beyond = min((drawn[:, 0] <= 0).sum(), (drawn[:, 0] >= 0).sum())
    p = None if minus is None else min(1.0, 2 * (1 + float(beyond)) / (1 + RESAMPLES))
    each = [measure.by_model(np.ones((1, n)))[0] for measure in measures]
    spread = each[0] - each[1] if minus is not None else each[0]
    return OverModels(
        models=k,
        pictures=n,
        auc=float(value[0]),
        auc_ci=(float(min(low[0], value[0])), float(max(high[0], value[0]))),
        auc_spread=float(spread.std(ddof=1)),
        tpr=float(value[1]),
        tpr_ci=(float(min(low[1], value[1])), float(max(high[1], value[1]))),
        p=p,
    )


def _difference(measures: Sequence[_Measure], models: Weights, pictures: Weights) -> Weights:
    """AUC and TPR (r, 2) of the first, less those of the second if there is one."""
    first, *others = (measure.of(models, pictures) for measure in measures)
    return first - others[0] if others else first


class _Measure:
    """AUC within models and pooled TPR of one attack, under weights of models and pictures."""

    def __init__(self, scores: NDArray[np.float64], inside: NDArray[np.bool_]) -> None:
        self.inside = inside
        self.levels = [_Levels.of(row, member) for row, member in zip(scores, inside, strict=True)]
        self.order = np.argsort(-scores, axis=None, kind="stable")
        ranked = scores.ravel()[self.order]
        self.last = np.append(ranked[1:] != ranked[:-1], True)  # of those with equal scores
        self.member = inside.ravel()[self.order]

    def of(self, models: Weights, pictures: Weights) -> Weights:
        """AUC and TPR (r, 2) under weights (r, k) of models and (r, n) of pictures."""
        by_model = self.by_model(pictures)
        there = np.where(np.isnan(by_model), 0, models)
        total = there.sum(1)
        won = (there * np.nan_to_num(by_model)).sum(1)
        auc = np.divide(won, total, out=np.full(len(total), np.nan), where=total > 0)
        tpr = [
            self._tpr(np.outer(*both).ravel()[self.order])
            for both in zip(models, pictures, strict=True)
        ]
        return np.stack([auc, tpr], axis=1)

    def by_model(self, pictures: Weights) -> Weights:
        """AUC of each model (r, k); not a number where a side was not drawn."""
        return np.stack([levels.auc(pictures) for levels in self.levels], axis=1)

    def _tpr(self, weights: Weights) -> float:
        """Share of members above the lowest threshold that at most 1 % of the others pass."""
        ours = np.where(self.member, weights, 0).cumsum()
        theirs = np.where(self.member, 0, weights).cumsum()
        allowed = self.last & (theirs <= ALPHA * theirs[-1] * (1 + 1e-12))
        return float(ours[allowed].max(initial=0.0) / ours[-1])


@dataclass(frozen=True, eq=False)
class _Levels:
    """The distinct scores of one model, lowest first, and which pictures have each."""

    order: NDArray[np.intp]
    starts: NDArray[np.intp]
    member: NDArray[np.bool_]

    @classmethod
    def of(cls, scores: NDArray[np.float64], member: NDArray[np.bool_]) -> _Levels:
        order = np.argsort(scores, kind="stable")
        ranked = scores[order]
        starts = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))
        return cls(order, starts, member[order])

    def auc(self, pictures: Weights) -> Weights:
        """AUC (r,) under weights (r, n): members above others, and half of those level."""
        ranked = pictures[:, self.order]
        ours, theirs = (
            np.add.reduceat(ranked * side, self.starts, axis=1)
            for side in (self.member, ~self.member)
        )
        won = (ours * (theirs.cumsum(1) - theirs / 2)).sum(1)
        total = ours.sum(1) * theirs.sum(1)
        return np.divide(won, total, out=np.full(len(total), np.nan), where=total > 0)


def _counts(rng: np.random.Generator, n: int) -> Weights:
    return rng.multinomial(n, np.full(n, 1 / n)).astype(np.float64)


def _check(scores: list[NDArray[np.float64]], inside: NDArray[np.bool_]) -> None:
    shapes = {each.shape for each in scores}
    if inside.dtype != np.bool_ or inside.ndim != 2 or shapes != {inside.shape}:
        raise DataError(
            "Expected scores (models, pictures) and labels of the same shape and type bool, got "
            f"{', '.join(map(str, sorted(shapes)))} and {inside.shape} of type {inside.dtype}."
        )
    if not all(np.isfinite(each).all() for each in scores):
        raise DataError("Expected finite scores; at least one is infinite or not a number.")
    if len(inside) < MIN_MODELS:
        raise DataError(
            f"An interval over models needs {MIN_MODELS} of them or more, got {len(inside)}."
        )
    if (inside.all(1) | ~inside.any(1)).any():
        raise DataError("Each model needs members and non-members; one has a single kind.")
