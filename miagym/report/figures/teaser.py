"""The seed paper's first figure: the same attacks where they succeed and where they do not."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
import pyarrow as pa

from miagym.palette import PALETTE
from miagym.report.figures.roc_panel import add_axes, add_curve, finished, sides_of
from miagym.report.rows import asking_rows, by_target, held_out, strength
from miagym.results import AttackRow
from miagym.results.formats import detected

PAPER = ("loss", "trajectory-partial-denoising", "trajectory-reversed-noise")
"""The paper's own attacks come first: chosen beforehand, they flatter nobody."""
ATTACKS = 3
STROKES = ("solid", "dash", "dot")


def teaser_figure(
    rows: Sequence[AttackRow], scores: pa.Table, first: Sequence[str] = PAPER
) -> go.Figure | None:
    """Up to three attacks on two targets: a colour for each target, a stroke for each attack.

    Of more than two targets it takes those on which the first of the attacks does best and worst.
    The bands are `roc_band.roc_band`: 95 % at each point by itself.

    Args:
        rows: the rows of results.json.
        scores: the test part, as `page.write_report` takes it.
        first: names of the attacks to draw, chosen beforehand; others follow by strength.

    Returns:
        None if no two targets share an attack that looks at the model.
    """
    targets = {
        label: {row.attack: row for row in held_out(asking_rows(group)) if sides_of(row, scores)}
        for label, group in by_target(rows).items()
    }
    pair = _pair(targets, first)
    if pair is None:
        return None
    best, worst = (targets[label] for label in pair)
    attacks = _ordered([attack for attack in best if attack in worst], best, first)[:ATTACKS]
    figure = go.Figure()
    add_axes(figure)
    for label, colour in zip(pair, (PALETTE[1], PALETTE[0]), strict=True):
        for attack, stroke in zip(attacks, STROKES, strict=False):
            row = targets[label][attack]
            name = f"{attack} on {label}: {detected(row)}"
            add_curve(figure, sides_of(row, scores), name, colour, stroke, band=True)
    return finished(figure, lines=1 + 2 * len(attacks))


def _pair(targets: dict[str, dict[str, AttackRow]], first: Sequence[str]) -> tuple[str, str] | None:
    """The targets on which the first attack that two of them share does best and worst."""
    names = {attack: row for own in targets.values() for attack, row in own.items()}
    for attack in _ordered(list(names), names, first):
        having = [label for label, own in targets.items() if attack in own]
        if len(having) > 1:
            ranked = sorted(having, key=lambda label, a=attack: -targets[label][a].auc)
            return ranked[0], ranked[-1]
    return None


def _ordered(attacks: list[str], rows: dict[str, AttackRow], first: Sequence[str]) -> list[str]:
    """Those chosen beforehand, then the others from the strongest down."""
    others = [attack for attack in attacks if attack not in first]
    others.sort(key=lambda attack: strength(rows[attack]), reverse=True)
    return [attack for attack in first if attack in attacks] + others
