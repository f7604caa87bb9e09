"""Bench of an agent: a table for each task of a suite, and files to hand on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from miagym import __version__
from miagym.atomic import new_folder
from miagym.errors import RunError, UnknownName
from miagym.hosting.bench.agents import makers_of
from miagym.hosting.bench.curve import BudgetCurve, curves
from miagym.hosting.bench.playing import Bench, Walk
from miagym.hosting.board import Standing, blind_scores, standings
from miagym.hosting.dealing.labels import Labels
from miagym.hosting.records.keys import BLIND
from miagym.hosting.seats import settings_of
from miagym.hosting.suite import HostedTask

NEVER = "never asks"
"""Says one half of everybody, and earns 0."""
RESULTS = "results.json"


@dataclass(frozen=True, eq=False)
class TaskResult:
    """Standings of one task, and what the agent that was measured said."""

    task: HostedTask
    standings: tuple[Standing, ...]
    walk: Walk
    scores: Mapping[str, NDArray[np.float64]]
    """Of each player, in the order of the labels."""
    labels: Labels


def bench(
    agent: str,
    tasks: Sequence[HostedTask],
    hands: int | None,
    seed: int,
    done: Callable[[], object],
) -> list[TaskResult]:
    """Plays tasks with an agent, beside the baselines and two that ask nothing.

    Args:
        agent: as in `maker_of`.
        tasks: of a suite.
        hands: of each walk; all by default.
        seed: of the agents and of all noise.
        done: is called after each walk.

    Raises:
        UnknownName, SettingsError: if there is no such agent, or so many hands.
    """
    makers = [makers_of(agent, task) for task in tasks]
    found = []
    for task, playing in zip(tasks, makers, strict=True):
        played = Bench(task, hands)
        walks: dict[str, Walk] = {}
        for name, maker in playing.items():
            walks[name] = played.walk(maker, seed)
            done()
        found.append(_result(played, walks, agent))
    return found


def with_budgets(tasks: Sequence[HostedTask], budgets: Sequence[int]) -> list[HostedTask]:
    """Each task under each budget, the smallest first, with the same hands; as they are for none.

    Raises:
        HostError: if a task makes no game of a budget.
    """
    return [
        replace(task, budget=budget)
        for task in tasks
        for budget in sorted(set(budgets)) or [task.budget]
    ]


def _result(played: Bench, walks: Mapping[str, Walk], agent: str) -> TaskResult:
    task, deal = played.task, played.deal
    settings = settings_of(task, deal.targets[0], deal.data)
    first = next(iter(walks.values())).scores
    labels = deal.labels(settings.resolution).only(first)
    scores = {name: labels.ordered(walk.scores) for name, walk in walks.items()}
    scores[BLIND] = blind_scores(settings, deal, labels)
    scores[NEVER] = np.full(len(labels.keys), 0.5)
    spent = {name: walk.spent for name, walk in walks.items()}
    ranked = standings(scores, labels, spent, {})
    return TaskResult(task, tuple(ranked), walks[agent], scores, labels)


def curves_of(results: Sequence[TaskResult]) -> dict[str, list[BudgetCurve]]:
    """What players earn along the budgets of each task that was played under several."""
    found: dict[str, list[BudgetCurve]] = {}
    for name in dict.fromkeys(one.task.name for one in results):
        own = [one for one in results if one.task.name == name]
        if len(own) > 1:
            budgets = [one.task.budget for one in own]
            found[name] = curves(budgets, [one.scores for one in own], own[0].labels)
    return found


def chosen(tasks: Sequence[HostedTask], names: Sequence[str]) -> list[HostedTask]:
    """Tasks of these names, or all.

    Raises:
        UnknownName: if there is no such task.
    """
    known = {task.name: task for task in tasks}
    for name in names:
        if name not in known:
            raise UnknownName("task", name, known)
    return [known[name] for name in names] if names else list(tasks)


def save_bench(
    results: Sequence[TaskResult], told: Mapping[str, object], agent: str, seed: int, out: Path
) -> None:
    """Writes a new folder: results.json, and `ids,score` of the agent for each task.

    Args:
        results: of the bench.
        told: the same as numbers, by `as_told`.
        agent: its name.
        seed: of the bench.
        out: the folder.

    Raises:
        RunError: if the folder is there.
    """
    check_new(out)
    with new_folder(out) as folder:
        whole = {"agent": agent, "seed": seed, "version": __version__, **told}
        text = json.dumps(whole, indent=1) + "\n"
        Path(folder, RESULTS).write_text(text, encoding="utf-8")
        for name, one in _named(results).items():
            lines = ["ids,score", *(f"{key},{said!r}" for key, said in one.walk.scores.items())]
            Path(folder, f"{name}.csv").write_text("\n".join([*lines, ""]), encoding="utf-8")


def check_new(out: Path) -> None:
    """Refuses a folder that is there, before anything is played.

    Raises:
        RunError: if it is.
    """
    if out.exists():
        raise RunError(f"{out} exists; name a new folder for what an agent said.")


def as_told(
    results: Sequence[TaskResult], drawn: Mapping[str, Sequence[BudgetCurve]]
) -> dict[str, object]:
    """Rows of each task by its name, and curves where there are several budgets, as numbers."""
    rows = {name: _rows(one.standings) for name, one in _named(results).items()}
    told = {name: [curve.as_row() for curve in found] for name, found in drawn.items()}
    return {"tasks": rows, **({"curves": told} if told else {})}


def _rows(ranked: Sequence[Standing]) -> list[dict[str, object]]:
    told = [standing.as_row() for standing in ranked]
    return [{name: v for name, v in row.items() if name != "submissions"} for row in told]


def _named(results: Sequence[TaskResult]) -> dict[str, TaskResult]:
    """Results by task, and by budget where a task was played under several."""
    often = Counter(one.task.name for one in results)
    return {
        f"{one.task.name}-of-{one.task.budget}" if often[one.task.name] > 1 else one.task.name: one
        for one in results
    }
