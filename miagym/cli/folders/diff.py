"""`miagym diff`: what differs between two runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from miagym.cli.shared.console import AsJson, show

DIFFERENT = 1


def diff(
    first: Annotated[Path, typer.Argument(help="A run folder.")],
    second: Annotated[Path, typer.Argument(help="Another.")],
    as_json: AsJson = False,
) -> None:
    """Say what differs between two runs; exit with 0 if nothing does, else with 1."""
    import miagym

    found = miagym.diff(first, second)
    show(found, as_json)
    if not found.same:
        raise typer.Exit(DIFFERENT)
