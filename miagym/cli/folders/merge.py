"""`miagym merge`: the shards of one run, or several runs, measured together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from miagym.cli.shared.console import AsJson, Out, progress, say, show


def merge(
    runs: Annotated[
        list[Path],
        typer.Argument(help="All shards of one run, or runs of several seeds or targets."),
    ],
    out: Out,
    as_json: AsJson = False,
) -> None:
    """Measure shards of one run (`evaluate --shard`) as that run, or pool several runs."""
    import miagym

    with progress(shown=not as_json) as phases:
        tell = (lambda sentence: None) if as_json else say
        run = miagym.merge(runs, out, progress=phases, tell=tell)
    show(run, as_json)
    if not as_json:
        say(f"Report: {out / 'report.html'}")
