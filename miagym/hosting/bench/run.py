"""Bench of an agent: a table for each task of a suite, and files to hand on."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from miagym import __version__
from miagym.atomic import new_folder
from miagym.data.registry import load_data
from miagym.errors import RunError, UnknownName
from miagym.hosting.bench.agents import makers_of
from miagym.hosting.bench.playing import Bench, Walk
from miagym.hosting.board import BLIND, Labels, Standing, blind_scores, standings
from miagym.hosting.seats import settings_of
from miagym.hosting.suite import HostedTask

NEVER = "never asks"
"""Says one half of everybody, and earns 0."""
RESULTS = "results.json"


@dataclass(frozen=True)
class TaskResult:
    """Standings of one task, and what the agent that was measured said."""

    task: HostedTask
    standings: tuple[Standing, ...]
    walk: Walk


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
        found.append(TaskResult(task, tuple(_standings(played, walks)), walks[agent]))
    return found


def _standings(played: Bench, walks: Mapping[str, Walk]) -> list[Standing]:
    task = played.task
    settings = settings_of(task, task.targets[0], played.data)
    first = next(iter(walks.values())).scores
    labels = Labels.of(played.data, settings.resolution).only(first)
    scores = {name: labels.ordered(walk.scores) for name, walk in walks.items()}
    scores[BLIND] = labels.ordered(blind_scores(settings, load_data(task.data)))
    scores[NEVER] = np.full(len(labels.keys), 0.5)
    return standings(scores, labels, {name: walk.spent for name, walk in walks.items()}, {})


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


def save_bench(results: Sequence[TaskResult], agent: str, seed: int, out: Path) -> None:
    """Writes a new folder: results.json, and `ids,score` of the agent for each task.

    Raises:
        RunError: if the folder is there.
    """
    check_new(out)
    with new_folder(out) as folder:
        told = {"agent": agent, "seed": seed, "version": __version__, "tasks": as_rows(results)}
        text = json.dumps(told, indent=1) + "\n"
        Path(folder, RESULTS).write_text(text, encoding="utf-8")
        for one in results:
            lines = ["ids,score", *(f"{key},{said!r}" for key, said in one.walk.scores.items())]
            path = Path(folder, f"{one.task.name}.csv")
            path.write_text("\n".join([*lines, ""]), encoding="utf-8")


def check_new(out: Path) -> None:
    """Refuses a folder that is there, before anything is played.

    Raises:
        RunError: if it is.
    """
    if out.exists():
        raise RunError(f"{out} exists; name a new folder for what an agent said.")


def as_rows(results: Sequence[TaskResult]) -> dict[str, list[dict[str, object]]]:
    """Rows of each task by its name, as plain numbers."""
    rows: dict[str, list[dict[str, object]]] = {}
    for one in results:
        told = [standing.as_row() for standing in one.standings]
        rows[one.task.name] = [
            {name: value for name, value in row.items() if name != "submissions"} for row in told
        ]
    return rows
