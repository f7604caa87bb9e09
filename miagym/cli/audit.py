"""`miagym audit`: is this split fair?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from miagym.cli.shared.console import AsJson, MemberValue, Seed, progress, show


def audit(
    data: Annotated[
        str,
        typer.Argument(
            help="An embedded data set, a folder, a data set of the hub, or a parquet or CSV file "
            "with `member` and `caption` or `image` or both."
        ),
    ],
    matched: Annotated[
        Path | None,
        typer.Option(
            help="Write a subset whose sides look alike to this new .parquet or .csv file."
        ),
    ] = None,
    member_value: MemberValue = None,
    limit: Annotated[int, typer.Option(min=10, help="Most rows of each side to look at.")] = 20_000,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Ask whether members and non-members can be told apart without any model."""
    import miagym

    with progress(shown=not as_json) as phases:
        found = miagym.audit(
            data,
            matched=matched,
            member_value=member_value,
            limit=limit,
            seed=seed,
            progress=phases,
        )
    show(found, as_json)
