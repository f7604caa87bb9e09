"""Standings as the table that every other result of the house is."""

from __future__ import annotations

from collections.abc import Sequence

from miagym.envs.settings import ROWS
from miagym.hosting.bench.curve import BudgetCurve
from miagym.hosting.board import Standing
from miagym.report.model import Cell, Column, Group, Line, Number, Table
from miagym.report.tables.evaluation import measured, number, share


def standings_table(standings: Sequence[Standing], unit: str = ROWS) -> Table:
    """A line for each player, the best group first; who asks nothing among them.

    Args:
        standings: of one task.
        unit: of what was spent.
    """
    columns = (
        Column("player"),
        Column("rank", kind="number"),
        measured("AUC"),
        measured("TPR@1%FPR"),
        measured("Brier reward"),
        Column(unit, kind="number"),
    )
    lines = tuple(Line(_name(one), _cells(one), one.is_blind) for one in standings)
    return Table("Leaderboard", columns, (Group("", lines),))


def closing(standings: Sequence[Standing]) -> str:
    """What equal ranks mean, and what intervals hold for."""
    over = standings[0].intervals_over
    return f"Rows of one rank are not told apart. Intervals hold for other {over} of this kind."


def curves_table(curves: Sequence[BudgetCurve], unit: str = ROWS) -> Table:
    """A line for each player, a column for each budget, and the area under the rewards.

    Args:
        curves: of one task.
        unit: of its budgets.
    """
    columns = (
        Column("player"),
        *(measured(f"{budget} {unit}") for budget in curves[0].budgets),
        measured("area"),
        measured(f"less {curves[0].player}"),
    )
    lines = tuple(
        Line(
            one.player,
            (
                *(number(*pair) for pair in zip(one.rewards, one.rewards_ci, strict=True)),
                number(one.area, one.area_ci),
                Number("", None) if one is curves[0] else number(one.gain, one.gain_ci),
            ),
            one.is_blind,
        )
        for one in curves
    )
    return Table("Brier reward by budget", columns, (Group("", lines),))


def _name(one: Standing) -> str:
    return f"{one.player} (asks nothing)" if one.is_blind else one.player


def _cells(one: Standing) -> tuple[Cell, ...]:
    reward = one.brier_reward
    return (
        Number(str(one.rank), one.rank),
        number(one.auc, one.auc_ci),
        Number("too few", None)
        if one.tpr is None or one.tpr_ci is None
        else share(one.tpr, one.tpr_ci),
        Number("", None)
        if reward is None or one.brier_reward_ci is None
        else number(reward, one.brier_reward_ci),
        Number(str(one.spent), one.spent),
    )
