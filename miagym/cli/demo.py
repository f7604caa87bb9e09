"""`miagym demo`: the first result, on the embedded targets, and the page that shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from miagym.cli.console import Out, Seed

DEMO = (
    "blind-captions",
    "blind-pixels",
    "blind-both",
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
"""What the demo runs: one attack of each kind, in minutes; `--attacks all` takes much longer."""


def demo(
    out: Out = Path("runs/demo"),
    seed: Seed = 0,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="At most so many members, and so many non-members: a quick look."),
    ] = None,
    app: Annotated[bool, typer.Option(help="End on the page, opened with this run.")] = True,
) -> None:
    """Run twelve attacks on both embedded targets: overfit against realistic."""
    from miagym.cli.evaluate import run_and_tell
    from miagym.cli.page import open_page
    from miagym.evaluation.config import Config, Match

    calibrated = tuple(f"{name}+reference" for name in DEMO if not name.startswith("blind"))
    matches = (
        Match("clipart-realistic", "clipart", DEMO, null="clipart-null"),
        Match(
            "clipart-overfit",
            "clipart-tune",
            (*DEMO, *calibrated),
            reference="clipart-realistic",
            null="clipart-null",
        ),
    )
    # Small chunks, so that both cores are busy to the end.
    run_and_tell(Config(matches=matches, seed=seed, limit=limit, chunk=64), out)
    if app:
        open_page(out, first="evaluate")
