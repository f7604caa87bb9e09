"""`miagym host codabench`: a hosted task as a competition on Codabench."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from miagym.cli.hosting.tasks import (
    BUDGET,
    HANDS,
    LEDGER,
    QUESTIONS,
    SUITE,
    Budget,
    Data,
    Db,
    Hands,
    Questions,
    Reference,
    Targets,
    Tasks,
    check_own,
)
from miagym.cli.shared.console import AsJson, print_json, say

OF_A_SUITE = ("url", "start", "final", "end", "task", "out", "tasks", "db", "as_json")
"""Options that go with a suite; all others are of a task about a --target."""


def codabench(
    context: typer.Context,
    url: Annotated[str, typer.Option(help="Where participants find the host.")],
    start: Annotated[datetime, typer.Option(help="Start of the phase dev, in UTC.")],
    final: Annotated[datetime, typer.Option(help="End of dev, and start of final.")],
    end: Annotated[datetime | None, typer.Option(help="End of final; open if absent.")] = None,
    task: Annotated[
        str | None, typer.Option(help="Name of a task of the suite; not of a --target.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The bundle, a new file.")] = Path("bundle.zip"),
    tasks: Tasks = SUITE,
    db: Db = LEDGER,
    target: Targets = None,
    data: Data = None,
    reference: Reference = None,
    questions: Questions = QUESTIONS,
    budget: Budget = BUDGET,
    hands: Hands = HANDS,
    as_json: AsJson = False,
) -> None:
    """Write a bundle that Codabench makes a competition of: pages, candidates, labels, scoring.

    Participants ask the host, which has to be served from the same ledger and with the same
    options, and submit scores to Codabench. The bundle holds the labels: upload it, and hand it to
    nobody.
    """
    from miagym.errors import HostError
    from miagym.hosting.bench.run import chosen
    from miagym.hosting.codabench.bundle import bundle
    from miagym.hosting.codabench.competition import Dates
    from miagym.hosting.records.ledger import Ledger
    from miagym.hosting.suite import own_task, suite

    dates = Dates(start, final, end)
    if target:
        played = own_task(target, data, reference, questions.split(","), budget, hands)
    elif task is None:
        names = ", ".join(one.name for one in suite(tasks))
        raise HostError(f"Expected --task, one of {tasks}: {names}; or a --target of your own.")
    else:
        check_own(context, *OF_A_SUITE)
        (played,) = chosen(suite(tasks), [task])
    with Ledger(db) as ledger:
        made = bundle(played, ledger.secret, url.rstrip("/"), dates)
    made.save(out)
    if as_json:
        print_json({"bundle": str(out), "task": played.name, "candidates": dict(made.candidates)})
        return
    counts = ", ".join(f"{number} in {phase}" for phase, number in made.candidates.items())
    say(f"{out}: the competition {played.name}, candidates: {counts}.")
    say("It holds the labels: upload it to Codabench, and hand it to nobody.")
