"""Standings as the tab shows them: a table, what equal ranks mean, and a figure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import plotly.graph_objects as go
from markupsafe import Markup

from miagym.app.figures import captioned
from miagym.app.html import render
from miagym.app.leaderboard.reading import Board, Row
from miagym.report.figures.plots import Curve, auc_figure
from miagym.report.figures.style import styled
from miagym.report.model import Cell, Column, Group, Line, Number, Table
from miagym.report.tables.evaluation import measured, number, share
from miagym.results.formats import count

COLUMNS = (
    Column("Player"),
    Column("Rank", kind="number"),
    measured("AUC"),
    measured("TPR at 1 % FPR"),
    measured("Brier reward"),
    Column("Cost", note="in all", kind="number"),
    Column("Submissions", kind="number"),
)
MAX_DRAWN = 40
"""Rows of the figure; the table has all."""


def board_html(board: Board) -> Markup:
    """The table, and below it which ranks are shared."""
    lines = tuple(Line(row_name(row), _cells(row), row.is_blind) for row in board.rows)
    table = Table(f"Leaderboard of {board.task.task}", COLUMNS, (Group("", lines),))
    has_players = any(not row.is_blind for row in board.rows)
    return render(
        "leaderboard/board.html",
        task=board.task,
        content=table,
        shared=shared_ranks(board.rows),
        has_players=has_players,
        over=board.rows[0].intervals_over if board.rows else "pictures",
    )


def row_name(row: Row) -> str:
    """The player, or that this row is nobody's."""
    return f"{row.player} (asks nothing)" if row.is_blind else row.player


def shared_ranks(rows: Sequence[Row]) -> str:
    """Which ranks are shared, in one sentence; nothing if none is."""
    sizes = {rank: n for rank, n in sorted(Counter(row.rank for row in rows).items()) if n > 1}
    if not sizes:
        return ""
    first, *others = (f"{rank} is shared by {n}" for rank, n in sizes.items())
    told = ", ".join([f"Rank {first} rows", *others])
    return f"{told}: these candidates do not tell them apart."


def board_figure(board: Board | None) -> go.Figure:
    """AUC of every row with its interval."""
    if board is None or not board.rows:
        figure = go.Figure()
        figure.update_xaxes(visible=False).update_yaxes(visible=False)
        return captioned(styled(figure, height=160), "No standings to draw.")
    figure = auc_figure(
        [
            Curve(board.task.task, row_name(row), None, row.auc, row.auc_ci, shown=True)
            for row in board.rows[:MAX_DRAWN]
        ]
    )
    return figure.update_xaxes(title_font_size=13, title_standoff=8)


def _cells(row: Row) -> tuple[Cell, ...]:
    tpr, reward = row.tpr, row.brier_reward
    return (
        Number(str(row.rank), row.rank),
        number(row.auc, row.auc_ci),
        Number("too few", None) if tpr is None or row.tpr_ci is None else share(tpr, row.tpr_ci),
        Number("no probabilities", None)
        if reward is None or row.brier_reward_ci is None
        else number(reward, row.brier_reward_ci),
        Number(count(row.spent), row.spent),
        Number("" if row.is_blind else count(row.submissions), row.submissions),
    )
