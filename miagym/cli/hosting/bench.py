"""`miagym bench`: an agent on the tasks of a suite, in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from miagym.cli.shared.console import AsJson, console, print_json, progress, say


def bench(
    agent: Annotated[
        str,
        typer.Argument(
            help="even or adaptive, of services again or uploading; or FILE.py:MAKER, "
            "package.module:MAKER of your own."
        ),
    ],
    suite: Annotated[
        str, typer.Option(help="A suite: black-2026 or services-2026.")
    ] = "black-2026",
    task: Annotated[
        list[str] | None, typer.Option(help="Of its tasks only this one; repeatable.")
    ] = None,
    budget: Annotated[
        list[int] | None,
        typer.Option(min=1, help="Of a hand, instead of the task's; several make a curve."),
    ] = None,
    hands: Annotated[
        int | None,
        typer.Option(min=1, help="Hands in each task, of 16 candidates or of 1; all if absent."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the agents and of all noise.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="A new folder: results.json, and ids,score of each task.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure an agent on fixed tasks, beside baselines and beside two that ask nothing.

    MAKER is a function: it gets environments on `train`, one for each target of the task's family,
    and returns an agent with `act(observation, rng)`. Its code runs with your rights.
    """
    from miagym.hosting.bench.agents import baselines_of
    from miagym.hosting.bench.run import (
        as_told,
        check_new,
        chosen,
        curves_of,
        save_bench,
        with_budgets,
    )
    from miagym.hosting.bench.run import bench as measured
    from miagym.hosting.standings import closing, curves_table, standings_table
    from miagym.hosting.suite import suite as suite_of
    from miagym.report.terminal import print_parts

    tasks = with_budgets(chosen(suite_of(suite), task or []), budget or [])
    if out is not None:
        check_new(out)
    walks = sum(len({*baselines_of(one), agent}) for one in tasks)
    with progress(shown=not as_json) as show:
        found = measured(agent, tasks, hands, seed, show("walks", walks))
    drawn = curves_of(found)
    told = as_told(found, drawn)
    if out is not None:
        save_bench(found, told, agent, seed, out)
    if as_json:
        print_json(told)
        return
    for one in found:
        limit = f"{one.task.budget} {one.task.prices.unit} a hand"
        say(f"{one.task.name}, {limit}: {one.task.about}")
        table = standings_table(one.standings, one.task.prices.unit)
        print_parts(console, (table, closing(one.standings)))
    for name, curves in drawn.items():
        unit = next(one.task.prices.unit for one in found if one.task.name == name)
        say(f"{name}: Brier reward under each budget, and the area over their logarithm.")
        print_parts(console, (curves_table(curves, unit),))
    if out is not None:
        say(f"What {agent} said is in {out}.")
