"""The figure of checkpoints shows what was measured, in the order of training."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pyarrow as pa
import pytest

from miagym.metrics.distance import wasserstein
from miagym.metrics.measure import measure
from miagym.report.figures.checkpoints import checkpoint_figure
from miagym.report.figures.style import safe_text
from miagym.results import AttackRow

LADDER = {"mine@5": 0.0, "mine@100": 1.0, "mine@20": 0.5, "mine": 2.0}


def game(
    strengths: dict[str, float], attack: str = "loss", n: int = 300, data: str = "pictures"
) -> tuple[list[AttackRow], pa.Table]:
    """Rows and scores of normal data, members shifted by `strengths[target]`."""
    rng, rows, tables = np.random.default_rng(0), [], []
    member = rng.permutation(np.repeat([True, False], n))
    for target, strength in strengths.items():
        scores = rng.normal(size=2 * n) + strength * member
        name = {"target": target, "data": data, "attack": attack}
        access = "blind" if "blind" in attack else "grey"
        numbers = measure(scores, member).as_row()
        rows.append(AttackRow(**name, access=access, protocol="held-out", chosen=None, **numbers))
        constant = {key: [value] * (2 * n) for key, value in name.items()}
        tables.append(pa.table({**constant, "member": member, "score": scores}))
    return rows, pa.concat_tables(tables)


def joined(*games: tuple[list[AttackRow], pa.Table]) -> tuple[list[AttackRow], pa.Table]:
    return [row for rows, _ in games for row in rows], pa.concat_tables(t for _, t in games)


def drawn(figure: go.Figure | None) -> go.Figure:
    assert figure is not None
    return figure


def legend(figure: go.Figure) -> list[str]:
    return [trace.name for trace in figure.data if trace.showlegend is not False]


def about(figure: go.Figure) -> str:
    return figure.layout.legend.title.text.split(":")[0]


def named(figure: go.Figure, beginning: str) -> go.Scatter:
    return next(t for t in figure.data if t.name and t.name.startswith(beginning))


def bars(figure: go.Figure) -> list[go.Bar]:
    return [trace for trace in figure.data if isinstance(trace, go.Bar)]


def test_curves_and_bars_stand_in_the_order_of_training() -> None:
    rows, scores = game(LADDER)
    figure = drawn(checkpoint_figure(rows[::-1], scores))
    assert [name.split(":")[0] for name in legend(figure)] == [
        *("guessing", "epoch 5", "epoch 20", "epoch 100", "end", "chance")
    ]
    assert [bar.x for bar in bars(figure)] == [("5",), ("20",), ("100",), ("end",)]
    assert figure.layout.annotations[0].text == "loss" and about(figure) == "mine, pictures"


def test_numbers_are_those_of_rows_and_scores() -> None:
    rows, scores = game(LADDER)
    figure = drawn(checkpoint_figure(rows, scores, seed=4))
    found = rows[3].tpr_at_fpr["0.01"]
    assert found is not None
    low, high = (f"{100 * end:.1f}" for end in found.ci)
    assert f"end: {100 * found.tpr:.1f} % [{low}–{high}]" in legend(figure)
    own = scores.filter(pa.compute.field("target") == "mine")
    member, score = own["member"].to_numpy(), own["score"].to_numpy()
    distance, bar = wasserstein(score[member], score[~member], 4), bars(figure)[-1]
    assert bar.y[0] == pytest.approx(distance.value, rel=1e-5)
    assert bar.y[0] + bar.error_y.array[0] == pytest.approx(distance.ci[1], rel=1e-4)
    assert named(figure, "chance").y[-1] == pytest.approx(distance.chance, rel=1e-5)
    curve = named(figure, "end")
    at = np.searchsorted(curve.x, found.fpr + 1e-9) - 1
    assert curve.y[at] == pytest.approx(found.tpr, rel=1e-5)


def test_few_scores_have_bars_without_whiskers() -> None:
    rows, scores = game(LADDER, n=19)
    for bar in bars(drawn(checkpoint_figure(rows, scores))):
        assert bar.y[0] > 0 and bar.error_y.array is None


def test_the_same_rows_draw_the_same_figure() -> None:
    rows, scores = game(LADDER)
    assert drawn(checkpoint_figure(rows, scores)).to_json() == (
        drawn(checkpoint_figure(rows[::-1], scores)).to_json()
    )


def test_loss_is_drawn_and_otherwise_the_strongest_at_the_end_or_the_one_asked_for() -> None:
    weak, strong = game(LADDER), game(dict.fromkeys(LADDER, 3.0), "pia")
    other, blind = game(dict.fromkeys(LADDER, 1.0), "secmi"), game(LADDER, "blind-pixels")

    def attack(*games: tuple[list[AttackRow], pa.Table], asked: str | None = None) -> str:
        figure = drawn(checkpoint_figure(*joined(*games), asked))
        return figure.layout.annotations[0].text

    assert attack(weak, strong, blind) == "loss"
    assert attack(strong, other, blind) == "pia"
    assert attack(weak, strong, other, asked="secmi") == "secmi"
    assert checkpoint_figure(*joined(weak), "pia") is None
    assert checkpoint_figure(*blind) is None


def test_two_trainings_or_two_data_sets_are_not_mixed() -> None:
    longer, shorter = game(LADDER), game({"yours@5": 0.0, "yours": 1.0})
    elsewhere = game({"mine": 0.0, "mine@5": 0.0}, data="other pictures")
    figure = drawn(checkpoint_figure(*joined(shorter, elsewhere, longer)))
    assert about(figure) == "mine, pictures" and len(bars(figure)) == 4


@pytest.mark.parametrize(
    "strengths", [{"mine@5": 1.0}, {"mine": 1.0}, {"mine": 1.0, "yours": 1.0}, {"a@5": 1, "b@9": 1}]
)
def test_fewer_than_two_checkpoints_are_no_figure(strengths: dict[str, float]) -> None:
    assert checkpoint_figure(*game(strengths)) is None


def test_rows_without_scores_and_no_rows_are_no_figure() -> None:
    rows, scores = game(LADDER)
    assert checkpoint_figure(rows, scores.slice(0, 0)) is None
    assert checkpoint_figure([], scores) is None


def test_few_or_equal_scores_can_be_drawn() -> None:
    """50 non-members resolve no 1 %; a target that tells nothing ties every candidate."""
    rows, scores = game(LADDER, n=50)
    assert "not resolvable with n = 50" in " ".join(legend(drawn(checkpoint_figure(rows, scores))))
    place = scores.column_names.index("score")
    flat = scores.set_column(place, "score", pa.array(np.zeros(len(scores))))
    assert {bar.y[0] for bar in bars(drawn(checkpoint_figure(rows, flat)))} == {0.0}


def test_hostile_names_are_text() -> None:
    hostile = "<img src=x onerror=alert(1)>"
    figure = drawn(checkpoint_figure(*game({f"{hostile}@5": 0.0, hostile: 1.0}, data=hostile)))
    assert about(figure) == safe_text(f"{hostile}, {hostile}")
    assert "<img" not in figure.to_json()
