"""`miagym demo`: the first result, on the embedded targets, and the page that shows it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from miagym.cli.evaluate import typed_command
from miagym.cli.shared.console import Out, Seed, progress, say, show
from miagym.errors import RunError

ATTACKS = (
    "text-to-image",
    "rediffuse",
    "loss",
    "sima",
    "pia",
    "secmi",
    "clid",
    "trajectory-partial-denoising",
    "trajectory-reversed-noise",
)
"""What the demo runs beside the blind rows: one attack of each kind; `all` takes much longer."""

LIMIT, FEW = 100, 16
"""Of each side of a part; and on how few variants are compared, controls asked and generated:
together two thirds of the rows of a full run. So few make three minutes on two cores."""


def demo(
    out: Out = Path("runs/demo"),
    seed: Seed = 0,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1,
            help=f"At most so many members, and so many non-members, of a part; else {LIMIT}.",
        ),
    ] = None,
    full: Annotated[
        bool,
        typer.Option("--full", help="Ask about all candidates: narrower intervals, after longer."),
    ] = False,
    app: Annotated[bool, typer.Option(help="End on the page, opened with this run.")] = True,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON instead of tables, and open no page.")
    ] = False,
) -> None:
    """Run twelve attacks on both embedded targets: overfit against realistic."""
    if full and limit is not None:
        raise RunError(
            "--full asks about all candidates, and --limit about some; give one of them."
        )
    from miagym.api.names import with_reference
    from miagym.api.run_config import run_config
    from miagym.cli.page import open_page
    from miagym.evaluation.config import Config, Match

    matches = (
        Match("clipart-realistic", "clipart", ATTACKS),
        Match("clipart-overfit", "clipart-tune", (*ATTACKS, *map(with_reference, ATTACKS))),
    )
    # Small chunks, an even number, so that both cores are busy to the end.
    config = Config(matches=matches, seed=seed, chunk=50)
    if not full:
        few = {"choose_on": FEW, "null_on": FEW, "generated": FEW}
        config = replace(config, limit=LIMIT if limit is None else limit, **few)
    with progress(shown=not as_json) as phases:
        tell = (lambda sentence: None) if as_json else say
        run = run_config(config, None, out, typed_command(), phases, tell)
    show(run, as_json)
    if as_json:
        return
    say(f"Report: {out / 'report.html'}")
    if app:
        open_page(out, first="evaluate")
