"""`miagym audit`: is this split fair?"""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from miagym.cli.console import AsJson, Seed, console, phases, progress_bar

if TYPE_CHECKING:
    from miagym.auditing.result import Audit

OPTIMISTIC = (
    "\nThe subset in {}, matched by the very looks that judge it here, so that this second audit "
    "is optimistic:"
)


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
    limit: Annotated[int, typer.Option(min=10, help="Most rows of each side to look at.")] = 20_000,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Ask whether members and non-members can be told apart without any model."""
    from miagym.auditing.audit import audit as ask
    from miagym.auditing.data_source import AuditData
    from miagym.auditing.matched import check_kind, matched_rows, write_rows
    from miagym.data.output import check_new
    from miagym.data.registry import open_source
    from miagym.progress import silent

    if matched:
        check_new(matched, "--matched", data, "audited")
    source = open_source(data)
    if matched:
        check_kind(matched, source)
    subject, again = AuditData.of(source), None
    with nullcontext() if as_json else progress_bar() as bar:
        progress = phases(bar) if bar else silent
        found = ask(subject, seed, limit, progress)
        if matched:
            rows = matched_rows(found, source.member)
            again = ask(subject.take(rows), seed, limit, progress)
            write_rows(source, rows, matched)
    if as_json:
        more = {"matched": again.as_json()} if again else {}
        print(json.dumps(found.as_json() | more, indent=2, ensure_ascii=False))
        return
    _show(found)
    if again:
        console.print(OPTIMISTIC.format(matched), markup=False)
        _show(again)


def _show(found: Audit) -> None:
    from miagym.report.audit_tables import audit_tables, remarks

    console.print(f"{found.data} is {found.verdict}. {found.why}", markup=False)
    for table in audit_tables(found):
        console.print(table)
    for remark in remarks(found):
        console.print(remark, markup=False)
