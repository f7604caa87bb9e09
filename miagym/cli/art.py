"""`miagym art`: the embedded drawings anew."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from miagym.cli.shared.console import AsJson, console, print_json, progress_bar
from miagym.errors import UnknownName

SOURCES = {
    "clipart": Path("/usr/share/openclipart"),
    "icons": Path("node_modules/@iconify-json"),
}
"""Each world's art, and where its packages put it."""


def art(
    world: Annotated[str, typer.Argument(help="clipart or icons.")] = "clipart",
    source: Annotated[
        Path | None,
        typer.Option(
            help="Folder with png/ and svg/ of the clip art, or with seven packages of icons; else "
            "where apt or npm puts them."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The parquet file to write; else WORLD.parquet.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Rebuild the embedded art.

    The clip art comes from Debian's packages openclipart-png and openclipart-svg, the icons from
    npm's @iconify-json.
    """
    from miagym.embedded import build, icon_build

    if world not in SOURCES:
        raise UnknownName("world", world, SOURCES)
    make = build.build if world == "clipart" else icon_build.build_icons
    out = out or Path(f"{world}.parquet")
    with progress_bar(shown=not as_json) as bar:
        count = make(
            source or SOURCES[world],
            out,
            lambda drawings, n: bar.track(drawings, n, description="reading"),
        )
    if as_json:
        print_json({"file": str(out), "drawings": dict(count.most_common())})
        return
    for reason, n in count.most_common():
        console.print(f"{n:6,} {reason}")
