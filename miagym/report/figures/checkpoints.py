"""The figure of checkpoints: how membership becomes visible while a target is trained.

The seed paper's second figure: a ROC curve for each checkpoint, and beside it how far the scores of
members lie from those of non-members.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import pyarrow as pa
from plotly.subplots import make_subplots

from miagym.metrics.distance import wasserstein
from miagym.report.figures.roc_panel import (
    FAINT,
    Sides,
    add_axes,
    add_curve,
    faded,
    finished,
    sides_of,
)
from miagym.report.figures.style import rounded, safe_text
from miagym.report.rows import asking_rows, held_out, strongest
from miagym.results import AttackRow
from miagym.results.formats import detected
from miagym.targets.registry import split_checkpoint

USUAL = "loss"
"""The paper's own choice; the strongest attack on these very scores would flatter the end."""
SCALE = ("#3B6FD4", "#8A63C9", "#C2588F", "#DB7A3C", "#D79A00")
"""From blue to orange: in order for colour-blind readers too, and visible on white and on black."""
END = "end"


@dataclass(frozen=True, eq=False)
class State:
    """One attack on a target at one moment of its training."""

    epoch: int | None
    """None at the end."""
    row: AttackRow
    sides: Sides

    @property
    def told(self) -> str:
        """As the legend names it."""
        when = END if self.epoch is None else f"epoch {self.epoch}"
        return f"{when}: {detected(self.row)}"


def checkpoint_figure(
    rows: Sequence[AttackRow], scores: pa.Table, attack: str | None = None, seed: int = 0
) -> go.Figure | None:
    """ROC of each checkpoint (`NAME@40`, NAME itself at the end), and distances of the scores.

    Args:
        rows: the rows of results.json; of several trainings the one with most checkpoints is drawn.
        scores: the test part, as `page.write_report` takes it.
        attack: whose scores; by default `loss`, and if that was not run, the strongest at the end.
        seed: of the intervals of the distance.

    Returns:
        None if no training has two of them scored by one attack.
    """
    states = _states(rows, scores, attack)
    if not states:
        return None
    last = states[-1].row
    figure = make_subplots(
        cols=2,
        column_widths=[0.6, 0.4],
        subplot_titles=[safe_text(last.attack), "distance of the scores"],
    )
    add_axes(figure)
    colours = _ramp(len(states))
    for state, colour in zip(states, colours, strict=True):
        add_curve(figure, state.sides, state.told, colour, "solid", band=False)
    _add_distances(figure, states, colours, seed)
    base, _ = split_checkpoint(last.target or "")
    return finished(figure, lines=2 + len(states), about=f"{base}, {last.data}: ")


def _states(rows: Sequence[AttackRow], scores: pa.Table, attack: str | None) -> list[State]:
    """The longest training, in order; empty if there is none."""
    trainings: dict[tuple[str, str], list[AttackRow]] = {}
    for row in asking_rows(rows):
        base, _ = split_checkpoint(row.target or "")
        trainings.setdefault((base, row.data or ""), []).append(row)
    found = [_scored(own, scores, attack) for _, own in sorted(trainings.items())]
    return max(found, key=len, default=[])


def _scored(rows: list[AttackRow], scores: pa.Table, attack: str | None) -> list[State]:
    by_attack: dict[str, dict[float, AttackRow]] = {}
    for row in held_out(rows):
        _, epoch = split_checkpoint(row.target or "")
        by_attack.setdefault(row.attack, {})[np.inf if epoch is None else epoch] = row
    ladders = {name: ladder for name, ladder in by_attack.items() if len(ladder) > 1}
    if attack is None and USUAL in ladders:
        attack = USUAL
    elif attack is None:
        last = strongest([ladder[max(ladder)] for ladder in ladders.values()])
        attack = last.attack if last else None
    ladder = ladders.get(attack or "", {})
    states = [
        State(None if epoch == np.inf else int(epoch), row, sides)
        for epoch, row in sorted(ladder.items())
        if (sides := sides_of(row, scores))
    ]
    return states if len(states) > 1 else []


def _add_distances(
    figure: go.Figure, states: Sequence[State], colours: Sequence[str], seed: int
) -> None:
    labels = [END if state.epoch is None else str(state.epoch) for state in states]
    chance = []
    for state, label, colour in zip(states, labels, colours, strict=True):
        distance = wasserstein(
            state.sides.members, state.sides.nonmembers, seed, state.sides.groups
        )
        whiskers = None
        if distance.ci is not None:
            low, high = distance.ci
            above, below = rounded(np.array([high - distance.value, distance.value - low]))
            whiskers = {"array": [above], "arrayminus": [below], "color": colour, "width": 6}
        figure.add_bar(
            x=[label],
            y=rounded(np.array([distance.value])),
            error_y=whiskers,
            marker={"color": faded(colour, 0.35), "line": {"color": colour, "width": 1}},
            legendgroup=safe_text(state.told),
            showlegend=False,
            hovertemplate="%{y:.4g} at %{x}",
            name="",
            row=1,
            col=2,
        )
        chance.append(distance.chance)
    figure.add_scatter(
        x=labels,
        y=rounded(np.array(chance)),
        mode="markers",
        marker={"symbol": "line-ew", "size": 22, "line": {"width": 2, "color": FAINT}},
        name="chance: 95 % of label shuffles stay below",
        hovertemplate="chance below %{y:.4g}",
        row=1,
        col=2,
    )
    figure.update_xaxes(title="epoch", type="category", row=1, col=2)
    figure.update_yaxes(title="Wasserstein distance", rangemode="tozero", row=1, col=2)


def _ramp(n: int) -> list[str]:
    """Colours (n), evenly along `SCALE`."""
    stops = np.array([[int(stop[i : i + 2], 16) for i in (1, 3, 5)] for stop in SCALE])
    places = np.linspace(0, len(SCALE) - 1, n)
    mixed = [np.interp(places, range(len(SCALE)), channel) for channel in stops.T]
    return [
        "#" + "".join(f"{round(value):02X}" for value in rgb) for rgb in zip(*mixed, strict=True)
    ]
