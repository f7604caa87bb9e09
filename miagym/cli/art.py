"""`miagym art`: the embedded drawings anew."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from miagym.cli.console import console, progress_bar


def art(
    source: Annotated[Path, typer.Option(help="Folder with png/ and svg/.")] = Path(
        "/usr/share/openclipart"
    ),
    out: Annotated[Path, typer.Option(help="The parquet file to write.")] = Path("clipart.parquet"),
) -> None:
    """Rebuild the embedded art from Debian's packages openclipart-png and openclipart-svg."""
    from miagym.embedded.build import build

    with progress_bar() as bar:
        count = build(
            source, out, lambda drawings, n: bar.track(drawings, n, description="reading")
        )
    for reason, n in count.most_common():
        console.print(f"{n:6,} {reason}")
