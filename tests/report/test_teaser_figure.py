"""The paper's first figure: the same attacks on two targets, with bands that hold the truth."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from miagym.metrics.detection import tpr_at_fpr
from miagym.metrics.measure import measure
from miagym.report.figures.roc_band import roc_band, staircase
from miagym.report.figures.teaser import teaser_figure
from miagym.results import AttackRow

PAPER = ("loss", "trajectory-partial-denoising", "trajectory-reversed-noise")
OVERFIT = {"blind-pixels": 0.0, "pia": 3.0, "loss": 1.5, **dict.fromkeys(PAPER[1:], 1.0)}
REALISTIC = dict.fromkeys(("blind-pixels", "pia", *PAPER), 0.0)


def game(strengths: dict[str, dict[str, float]], n: int = 300) -> tuple[list[AttackRow], pa.Table]:
    """Rows and scores of normal data, members shifted by `strengths[target][attack]`."""
    rng, rows, tables = np.random.default_rng(0), [], []
    member = rng.permutation(np.repeat([True, False], n))
    for target, attacks in strengths.items():
        for attack, strength in attacks.items():
            scores = rng.normal(size=2 * n) + strength * member
            name = {"target": target, "data": f"of {target}", "attack": attack}
            access = "blind" if "blind" in attack else "grey"
            numbers = measure(scores, member).as_row()
            rows.append(
                AttackRow(**name, access=access, protocol="held-out", chosen=None, **numbers)
            )
            constant = {key: [value] * (2 * n) for key, value in name.items()}
            tables.append(pa.table({**constant, "member": member, "score": scores}))
    return rows, pa.concat_tables(tables)


def curves(figure: go.Figure | None) -> dict[str, go.Scatter]:
    """What the legend lists, without the numbers."""
    assert figure is not None
    named = [trace for trace in figure.data if trace.showlegend is not False]
    return {trace.name.split(":")[0]: trace for trace in named if trace.name != "guessing"}


def test_the_paper_s_attacks_on_the_overfit_and_the_realistic_target() -> None:
    figure = teaser_figure(*game({"overfit": OVERFIT, "realistic": REALISTIC}))
    drawn = curves(figure)
    assert list(drawn) == [f"{a} on {t}" for t in ("overfit", "realistic") for a in PAPER]
    look = {name: (trace.line.color, trace.line.dash) for name, trace in drawn.items()}
    assert look["loss on overfit"][0] == look[f"{PAPER[1]} on overfit"][0]
    assert look["loss on overfit"][0] != look["loss on realistic"][0]
    assert look["loss on overfit"][1] == look["loss on realistic"][1]
    assert len({dash for _, dash in look.values()}) == 3


def test_numbers_are_those_of_the_rows() -> None:
    rows, scores = game({"overfit": OVERFIT, "realistic": REALISTIC})
    row = next(r for r in rows if r.attack == "loss")
    found = row.tpr_at_fpr["0.01"]
    assert found is not None
    curve = curves(teaser_figure(rows, scores))["loss on overfit"]
    assert f": {100 * found.tpr:.1f} % [" in curve.name
    at = np.searchsorted(curve.x, found.fpr + 1e-9) - 1
    assert curve.y[at] == pytest.approx(found.tpr, rel=1e-5)


def test_a_band_is_switched_off_with_its_curve() -> None:
    figure = teaser_figure(*game({"overfit": OVERFIT, "realistic": REALISTIC}))
    groups = {trace.legendgroup for trace in curves(figure).values()}
    assert figure is not None
    bands = [trace for trace in figure.data if trace.fill == "toself"]
    assert {trace.legendgroup for trace in bands} == groups and len(bands) == 6
    assert len(figure.to_json()) < 60_000


def test_other_attacks_stand_in_the_strongest_first() -> None:
    both = {"a": {"clid": 1.0, "pia": 3.0, "secmi": 2.0, "sima": 0.5}}
    drawn = curves(teaser_figure(*game({**both, "b": dict.fromkeys(both["a"], 0.0)})))
    assert list(drawn)[:3] == ["pia on a", "secmi on a", "clid on a"]


def test_of_many_targets_the_best_and_the_worst_case() -> None:
    middle = {f"t{strength}": {"loss": strength} for strength in (1.0, 3.0, 0.1, 2.0)}
    assert list(curves(teaser_figure(*game(middle)))) == ["loss on t3.0", "loss on t0.1"]


@pytest.mark.parametrize(
    "strengths",
    [
        {},
        {"a": OVERFIT},
        {"a": {"loss": 1.0}, "b": {"pia": 1.0}},
        {"a": {"blind-pixels": 1.0}, "b": {"blind-pixels": 1.0}},
    ],
)
def test_no_shared_attack_is_no_figure(strengths: dict[str, dict[str, float]]) -> None:
    rows, scores = game({"other": {"loss": 0.0}} | strengths)
    rows = [row for row in rows if row.target != "other"]
    assert teaser_figure(rows, scores) is None


def test_rows_without_scores_are_no_figure() -> None:
    rows, scores = game({"overfit": OVERFIT, "realistic": REALISTIC})
    assert teaser_figure(rows, scores.slice(0, 0)) is None


@given(
    st.lists(st.integers(-5, 5), min_size=1, max_size=60),
    st.lists(st.integers(-5, 5), min_size=1, max_size=60),
)
def test_bands_and_curves_are_rates_and_rise(members: list[int], nonmembers: list[int]) -> None:
    """Ties, single scores and separated sides included."""
    sides = np.array(members, float), np.array(nonmembers, float)
    band, (fpr, tpr) = roc_band(*sides), staircase(*sides)
    assert np.array_equal(band.fpr, np.unique(band.fpr)) and band.fpr[-1] == fpr[-1] == 1
    assert ((band.low >= 0) & (band.low <= band.high) & (band.high <= 1)).all()
    assert (np.diff(tpr) >= 0).all() and tpr[-1] == 1
    for rate, found in zip(fpr[:-1], tpr[:-1], strict=True):
        point = tpr_at_fpr(*sides, rate)
        assert point is not None and point.tpr == found


def test_bands_hold_the_truth_as_often_as_they_say() -> None:
    """Normal scores, members shifted by 1, 150 on each side, 200 times."""
    rng, fpr = np.random.default_rng(0), None
    held = []
    for seed in range(200):
        band = roc_band(rng.normal(1, size=150), rng.normal(size=150), points=6, seed=seed)
        fpr = band.fpr[:-1]
        truth = norm.sf(norm.isf(fpr) - 1)
        held.append((band.low[:-1] <= truth) & (truth <= band.high[:-1]))
    share = np.mean(held, 0)
    assert (share >= 0.91).all() and share[2:].max() < 0.995
