"""Repetitions are the very draws of the optimism table, one by one."""

from __future__ import annotations

import numpy as np
import pytest

from miagym.metrics.detection import tpr_at_fpr
from miagym.metrics.optimism import DRAWS, draws, measure_optimism
from miagym.metrics.resampling.repetitions import repeated_detection


def pool(n: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(1)
    member = rng.permutation(np.repeat([True, False], n))
    return {f"t={v}": rng.normal(size=2 * n) + 0.4 * v * member for v in range(4)}, member


def test_mean_and_deviation_are_those_of_the_optimistic_protocol() -> None:
    scores, member = pool(300)
    found, gap = repeated_detection(scores, member, 7), measure_optimism(scores, member, 7)
    assert found is not None and gap is not None and gap.paper.tpr is not None
    assert found.chosen == gap.paper.chosen
    assert found.drawn == gap.drawn == 150
    assert (found.mean, found.std) == pytest.approx((gap.paper.tpr.mean, gap.paper.tpr.std))


def test_ends_are_the_smallest_and_the_largest_draw() -> None:
    scores, member = pool(250)
    found = repeated_detection(scores, member, 0)
    assert found is not None
    own = scores[found.chosen]
    points = [tpr_at_fpr(own[m], own[n], 0.01) for (m, n), _ in draws(member, 0)]
    tprs = [point.tpr for point in points if point is not None]
    assert len(tprs) == DRAWS
    assert (found.low, found.high) == (min(tprs), max(tprs))
    assert found.low < found.mean < found.high


def test_too_few_non_members_resolve_nothing() -> None:
    assert repeated_detection(*pool(99), 0) is None
    assert repeated_detection(*pool(1), 0) is None
