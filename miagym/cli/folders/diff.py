"""`miagym diff`: what differs between two runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from miagym.cli.shared.console import AsJson, show

DIFFERENT = 1
NOT_COMPARED = 2
"""Nothing is known to differ, but no scores were compared: a run is not finished."""


def diff(
    first: Annotated[Path, typer.Argument(help="A run folder.")],
    second: Annotated[Path, typer.Argument(help="Another.")],
    as_json: AsJson = False,
) -> None:
    """Say what differs between two runs.

    Exit with 0 if nothing does, with 1 if anything does, and with 2 if scores could not be
    compared, since a run is not finished.
    """
    import miagym

    found = miagym.diff(first, second)
    show(found, as_json)
    if not found.same:
        raise typer.Exit(DIFFERENT if found.differs else NOT_COMPARED)
