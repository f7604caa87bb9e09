"""`miagym art`: the embedded drawings anew."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from miagym.cli.shared.console import AsJson, console, print_json, progress_bar


def art(
    source: Annotated[Path, typer.Option(help="Folder with png/ and svg/.")] = Path(
        "/usr/share/openclipart"
    ),
    out: Annotated[Path, typer.Option(help="The parquet file to write.")] = Path("clipart.parquet"),
    as_json: AsJson = False,
) -> None:
    """Rebuild the embedded art from Debian's packages openclipart-png and openclipart-svg."""
    from miagym.embedded.build import build

    with progress_bar(shown=not as_json) as bar:
        count = build(
            source, out, lambda drawings, n: bar.track(drawings, n, description="reading")
        )
    if as_json:
        print_json({"file": str(out), "drawings": dict(count.most_common())})
        return
    for reason, n in count.most_common():
        console.print(f"{n:6,} {reason}")
