"""The paper's protocol is optimistic, held-out choices are not, and both look at the same draws."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from miagym.metrics.auc import auc
from miagym.metrics.detection import tpr_at_fpr
from miagym.metrics.optimism import DRAWS, Optimism, measure_optimism


def pool(n: int, variants: int, shift: float = 0.0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(4)
    member = rng.permutation(np.repeat([True, False], n))
    return {f"t={v}": rng.normal(size=2 * n) + shift * member for v in range(variants)}, member


def gap_of(*arguments: object) -> Optimism:
    gap = measure_optimism(*arguments, seed=0)  # type: ignore[arg-type]
    assert gap is not None
    return gap


def test_choosing_on_the_same_data_flatters() -> None:
    """Forty useless variants: the best of them looks good, a held-out choice does not."""
    scores, member = pool(300, 40)
    gap = gap_of(scores, member)
    assert gap.paper.tpr is not None and gap.held_out.tpr is not None
    assert gap.paper.tpr.mean > gap.held_out.tpr.mean + 0.005
    assert gap.held_out.auc.mean == pytest.approx(0.5, abs=0.02)
    assert (gap.draws, gap.drawn, gap.variants) == (DRAWS, 150, 40)


def test_one_variant_leaves_no_gap() -> None:
    """And the mean over draws is the AUC of the pool."""
    scores, member = pool(300, 1, shift=1.0)
    gap = gap_of(scores, member)
    assert gap.paper == gap.held_out
    values = scores["t=0"]
    assert gap.paper.auc.mean == pytest.approx(auc(values[member], values[~member]), abs=0.005)
    assert gap.paper.auc.std > 0


def test_a_variant_that_is_better_is_chosen_by_both() -> None:
    scores, member = pool(300, 5)
    scores["good"] = scores["t=0"] + 2.0 * member
    gap = gap_of(scores, member)
    assert gap.paper.chosen == gap.held_out.chosen == "good"
    assert gap.paper.auc == gap.held_out.auc


def test_a_draw_is_measured_as_everything_else_is() -> None:
    """The mean over draws, recomputed draw by draw with the library's own metrics."""
    scores, member = pool(250, 2, shift=1.0)
    rng, aucs, tprs = np.random.default_rng(0), [], []
    sides = np.flatnonzero(member), np.flatnonzero(~member)
    for _ in range(DRAWS):
        drawn = [scores["t=0"].round(1)[rng.permutation(side)[:125]] for side in sides]
        point = tpr_at_fpr(*drawn, 0.01)
        aucs.append(auc(*drawn))
        tprs.append(point.tpr if point else np.nan)
    gap = gap_of({"t=0": scores["t=0"].round(1)}, member)
    assert gap.paper.auc.mean == pytest.approx(np.mean(aucs))
    assert gap.paper.tpr is not None and gap.paper.tpr.mean == pytest.approx(np.mean(tprs))


def test_few_non_members_leave_only_the_auc() -> None:
    """Draws of 99 non-members do not resolve 1 %; draws of 1 are none."""
    assert gap_of(*pool(199, 2)).paper.tpr is None
    assert gap_of(*pool(200, 2)).paper.tpr is not None
    assert measure_optimism(*pool(3, 2), seed=0) is None


def test_the_row_is_json() -> None:
    row = json.loads(json.dumps(gap_of(*pool(200, 2)).as_row()))
    assert row["paper"]["auc"].keys() == {"mean", "std"}
    assert row["held_out"]["tpr"].keys() == {"mean", "std"}


@settings(max_examples=25)  # each draws 1,000 times
@given(st.integers(4, 30), st.integers(4, 30), st.integers(1, 4), st.integers(0, 9))
@pytest.mark.slow
def test_it_is_seeded_and_within_bounds(m: int, n: int, variants: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    member = np.arange(m + n) < m
    scores = {str(v): rng.integers(0, 5, m + n).astype(float) for v in range(variants)}
    gap = measure_optimism(scores, member, seed)
    assert gap == measure_optimism(scores, member, seed)
    assert gap is not None and gap.drawn == min(m, n) // 2
    assert 0 <= gap.held_out.auc.mean <= 1 and gap.paper.auc.std >= 0
