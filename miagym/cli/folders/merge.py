"""`miagym merge`: the shards of one run, measured together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from miagym.cli.shared.console import AsJson, Out, progress, say, show


def merge(
    shards: Annotated[list[Path], typer.Argument(help="Folders of all shards of one run.")],
    out: Out,
    as_json: AsJson = False,
) -> None:
    """Measure a run whose shards were scored with `evaluate --shard`; nothing is scored again."""
    import miagym

    with progress(shown=not as_json) as phases:
        tell = (lambda sentence: None) if as_json else say
        run = miagym.merge(shards, out, progress=phases, tell=tell)
    show(run, as_json)
    if not as_json:
        say(f"Report: {out / 'report.html'}")
