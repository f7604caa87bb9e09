"""`miagym class`: keys and handouts for a class that plays a hosted game."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from miagym.cli.hosting.tasks import LEDGER, Db
from miagym.cli.shared.console import AsJson, print_json, say

classroom = typer.Typer(help="A class that plays a hosted game.", no_args_is_help=True)


@classroom.callback()
def about() -> None:
    """A class that plays a hosted game."""


@classroom.command()
def create(
    students: Annotated[int, typer.Option(min=1, max=999, help="How many.")],
    url: Annotated[str, typer.Option(help="Where they find the host.")],
    db: Db = LEDGER,
    out: Annotated[Path, typer.Option(help="A new folder for keys and handouts.")] = Path("class"),
    days: Annotated[float | None, typer.Option(min=0, help="Until the keys expire.")] = None,
    as_json: AsJson = False,
) -> None:
    """Add students to a host, and write their keys and a handout for each."""
    from miagym.hosting.classroom import KEYS, create_class
    from miagym.hosting.records.ledger import Ledger

    with Ledger(db) as ledger:
        names = create_class(ledger, students, days, url.rstrip("/"), out)
    if as_json:
        print_json({"students": names, "keys": str(out / KEYS)})
        return
    say(f"{len(names)} students, {names[0]} to {names[-1]}: {out / KEYS}, and a handout for each.")
    say(f"`miagym host --db {db} --address 0.0.0.0` lets them in.")
