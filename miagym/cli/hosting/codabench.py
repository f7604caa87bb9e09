"""`miagym host codabench`: a hosted task as a competition on Codabench."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from miagym.cli.hosting.tasks import LEDGER, SUITE, KnownDb, Tasks
from miagym.cli.shared.console import AsJson, print_json, say


def codabench(
    url: Annotated[str, typer.Option(help="Where participants find the host.")],
    start: Annotated[datetime, typer.Option(help="Start of the phase dev, in UTC.")],
    final: Annotated[datetime, typer.Option(help="End of dev, and start of final.")],
    task: Annotated[
        str, typer.Option(help="Name of a task: of the suite, or served from this ledger.")
    ],
    end: Annotated[datetime | None, typer.Option(help="End of final; open if absent.")] = None,
    out: Annotated[Path, typer.Option(help="The bundle, a new file.")] = Path("bundle.zip"),
    tasks: Tasks = SUITE,
    db: KnownDb = LEDGER,
    as_json: AsJson = False,
) -> None:
    """Write a bundle that Codabench makes a competition of: pages, candidates, labels, scoring.

    Participants ask the host, which has to be served from the same ledger, and submit scores to
    Codabench. A task about models of your own is known once it was served. The bundle holds the
    labels: upload it, and hand it to nobody.
    """
    from miagym.data.registry import load_data
    from miagym.hosting.codabench.bundle import bundle
    from miagym.hosting.codabench.competition import Dates
    from miagym.hosting.records.ledger import Ledger
    from miagym.hosting.records.tasks import find_task, keep_task
    from miagym.hosting.suite import suite

    dates = Dates(start, final, end)
    with Ledger.existing(db) as ledger:
        played = find_task(ledger, task, suite(tasks))
        made = bundle(played, ledger.secret, url.rstrip("/"), dates)
        keep_task(ledger, played, load_data(played.data).digest)
    made.save(out)
    if as_json:
        print_json({"bundle": str(out), "task": played.name, "candidates": dict(made.candidates)})
        return
    counts = ", ".join(f"{number} in {phase}" for phase, number in made.candidates.items())
    say(f"{out}: the competition {played.name}, candidates: {counts}.")
    say("It holds the labels: upload it to Codabench, and hand it to nobody.")
