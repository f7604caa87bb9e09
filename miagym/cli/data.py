"""`miagym data`: fetch pictures, clean a data set, show what is in one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from miagym.cli.shared.console import (
    AsJson,
    MemberValue,
    console,
    print_json,
    progress,
    progress_bar,
)

data = typer.Typer(
    help="Fetch pictures, clean a data set, show what is in one.", no_args_is_help=True
)

Name = Annotated[
    str, typer.Argument(help="Embedded name, parquet or CSV file, folder, or hf:owner/name.")
]


@data.command()
def fetch(
    source: Annotated[
        str, typer.Argument(help="laion-mi, or a table with `url`, `caption` and `member`.")
    ],
    out: Annotated[Path, typer.Option(help="Folder; an unfinished fetch in it goes on.")],
    limit: Annotated[
        int | None, typer.Option(min=1, help="Ask at most so many links of each side.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draw by --limit.")] = 0,
    member_value: MemberValue = None,
    retry: Annotated[bool, typer.Option(help="Ask again what ended for good, too.")] = False,
    connections: Annotated[int, typer.Option(min=1, help="Questions at a time.")] = 32,
    per_host: Annotated[int, typer.Option(min=1, help="Questions at a time to one host.")] = 2,
    max_bytes: Annotated[int, typer.Option(min=1, help="Bytes of one picture.")] = 20_000_000,
    allow_private: Annotated[
        bool, typer.Option(help="Ask private and loopback addresses too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Fetch pictures by their links, politely and resumably, and count what has rotted."""
    from miagym.data.fetch.request import Politeness
    from miagym.data.fetch.run import DATA, Fetch, fetch_pictures

    politeness = Politeness(
        connections=connections,
        per_host=per_host,
        max_bytes=max_bytes,
        allow_private=allow_private,
    )
    plan = Fetch(source, limit, seed, retry, politeness, member_value)
    if as_json:
        print_json(fetch_pictures(plan, out))
        return
    with progress_bar() as bar:

        def start(done: int, of: int) -> Any:
            task = bar.add_task("asking", total=of, completed=done)
            return lambda: bar.advance(task)

        report = fetch_pictures(plan, out, start)
    _print_sides(report, ("links", "fetched", "rotten", "unreadable", "later"))
    for side in ("members", "nonmembers"):
        for reason, n in list(report[side]["reasons"].items())[:5]:
            _say(f"{n:6,} {reason} ({side})")
    _say(report["finding"])
    _say(f"Pictures: {out / DATA}; `miagym data clean` comes next.")


@data.command()
def clean(
    name: Name,
    out: Annotated[Path, typer.Option(help="The new parquet file to write.")],
    member_value: MemberValue = None,
    within: Annotated[
        int, typer.Option(min=0, max=32, help="Bits in which hashes of near-duplicates differ.")
    ] = 6,
    embeddings: Annotated[
        Path | None,
        typer.Option(help=".npy or .safetensors (rows as in the data), or a CLIP model's folder."),
    ] = None,
    closeness: Annotated[
        float, typer.Option(min=-1, max=1, help="Cosine of near-duplicates by --embeddings.")
    ] = 0.95,
    drop: Annotated[
        bool, typer.Option(help="Of near-duplicates on one side, keep the first only.")
    ] = False,
    language: Annotated[
        str | None, typer.Option(help="Keep captions in this language: en, de, …")
    ] = None,
    aesthetics: Annotated[
        float | None, typer.Option(help="Least value in the column `aesthetic`.")
    ] = None,
    min_side: Annotated[
        int | None, typer.Option(min=1, help="Least pixels of the short side.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Drop copies of members from the non-members, filter both sides alike, deal into parts."""
    from miagym.data.clean.run import clean_data
    from miagym.data.clean.steps import Cleaning
    from miagym.data.output import check_new
    from miagym.data.registry import open_source

    cleaning = Cleaning(within, closeness, drop, min_side, language, aesthetics, embeddings)
    check_new(out, "--out", name, "cleaned")
    source = open_source(name, member_value)
    if as_json:
        print_json(clean_data(source, cleaning, out))
        return
    with progress() as phases:
        report = clean_data(source, cleaning, out, phases)
    _print_steps(report)
    for side, reasons in report["unreadable"].items():
        for row, why in list(reasons.items())[:5]:
            _say(f"Unreadable among the {side}: row {row}, {why}")
    _say(report["note"])
    _say(f"Written: {out}; {report['groups']:,} groups, none of them cut by the parts.")


@data.command()
def show(
    name: Name,
    check: Annotated[bool, typer.Option(help="Decode every picture and list the broken.")] = False,
    member_value: MemberValue = None,
    as_json: AsJson = False,
) -> None:
    """Count what is in a data set: sides and parts, captions, formats and sizes."""
    from miagym.data.describe import describe
    from miagym.data.registry import load_data

    found = describe(load_data(name, member_value), check=check)
    if as_json:
        print_json(found)
        return
    rows = ["calibration", "test", "with_caption", "captions_from", "short_side", "formats"]
    _print_sides(found, (*rows, "passed_over", "unreadable"))
    for warning in found["warnings"]:
        _say(f"Warning: {warning}")
    for side in ("members", "nonmembers"):
        for row, why in list(found[side]["why"].items())[:20]:
            _say(f"Unreadable among the {side}: row {row}, {why}")
    _say(f"Digest: {found['digest']}")


def _say(text: str) -> None:
    console.print(text, markup=False, soft_wrap=True)


def _print_sides(found: dict[str, Any], rows: tuple[str, ...]) -> None:
    table = _table("")
    for row in rows:
        cells = (_cell(found[side][row]) for side in ("members", "nonmembers"))
        table.add_row(row.replace("_", " "), *cells)
    console.print(table)


def _print_steps(report: dict[str, Any]) -> None:
    table = _table("")
    sides = ("members", "nonmembers")
    table.add_row("before", *(_cell(report[side]["before"]) for side in sides))
    for step in report["dropped"]:
        table.add_row(step["step"], *(_dropped(step[side]) for side in sides))
    table.add_row("after", *(_cell(report[side]["after"]) for side in sides))
    console.print(table)


def _dropped(n: int) -> str:
    return f"-{n:,}" if n else "0"


def _table(heading: str) -> Any:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(heading, box=SIMPLE_HEAD)
    for side in ("members", "non-members"):
        table.add_column(side, justify="right")
    return table


def _cell(value: object) -> str:
    if value is None:
        return "no picture can be read"
    if isinstance(value, dict):
        return ", ".join(f"{key} {n:,}" for key, n in value.items()) or "none"
    return f"{value:,}" if isinstance(value, int) else str(value)
