"""Fetch of a table of links into a parquet file that `load_data` takes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from miagym.atomic import replacing, write_json
from miagym.data.fetch.crawl import crawl
from miagym.data.fetch.folder import FetchFolder
from miagym.data.fetch.links import KNOWN, Links, choose_links
from miagym.data.fetch.report import fetch_report
from miagym.data.fetch.request import FetchOutcome, FetchStatus, Politeness
from miagym.data.labels import MemberValue
from miagym.data.registry import open_source
from miagym.errors import DataError, option

DATA, REPORT = "data.parquet", "report.json"

FetchProgress = Callable[[int, int], Callable[[], None]]
"""Called with how many links are done and how many there are; returns what to call per link."""


@dataclass(frozen=True)
class Fetch:
    """Options of a fetch: which links to request, and how.

    Args:
        source: `laion-mi`, or data by name with columns `url` and `member`.
        limit: at most so many links of each side, drawn by `seed`.
        seed: of the draw.
        retry: ask again what ended for good, too.
        politeness: how politely.
        member_value: what stands for members in the column `member`.
    """

    source: str
    limit: int | None = None
    seed: int = 0
    retry: bool = False
    politeness: Politeness = field(default_factory=Politeness)
    member_value: MemberValue | None = None


def fetch_pictures(
    fetch: Fetch, out: Path, progress: FetchProgress = lambda done, of: lambda: None
) -> dict[str, Any]:
    """Fetches pictures into `out`; an unfinished or repeated fetch goes on.

    Writes `images/`, `status.jsonl`, `report.json`, and last `data.parquet` with `image` (a path),
    `caption`, `member`, `group` (pictures with the same bytes) and `url`.

    Returns:
        The report; see `fetch_report`.

    Raises:
        DataError: if there are no links, another fetch is at work in `out`, what it holds has
            pictures that this fetch does not ask for, or no picture of a side could be had.
    """
    source = open_source(KNOWN.get(fetch.source, fetch.source), fetch.member_value)
    links = choose_links(source, fetch.limit, fetch.seed)
    folder = FetchFolder(out)
    try:
        _check_keeps(links, out / DATA)
        _ask_all(fetch, links, folder, progress)
        outcomes = [_known(folder, url) for url in links.urls]
        report = {
            "source": fetch.source,
            "limit": fetch.limit,
            "seed": fetch.seed,
            **fetch_report(links.member, outcomes),
            "left_out": links.left_out,
        }
        write_json(out / REPORT, report)
        _write_data(links, outcomes, folder)
    finally:
        folder.close()
    return report


def _check_keeps(links: Links, data: Path) -> None:
    """Whether every picture of an earlier fetch would stay in the table."""
    if not data.exists():
        return
    try:
        there = pq.read_table(data, columns=["url"])["url"].to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise DataError(
            f"{data} is there and is no table of a fetch ({error}); choose another {option('out')}."
        ) from error
    if lost := set(there) - set(links.urls):
        raise DataError(
            f"{data} holds {len(there):,} pictures, of which this fetch asks for "
            f"{len(there) - len(lost):,}; choose another {option('out')}, or delete that file."
        )


def _ask_all(fetch: Fetch, links: Links, folder: FetchFolder, progress: FetchProgress) -> None:
    ended = {FetchStatus.FETCHED} if fetch.retry else set(FetchStatus) - {FetchStatus.LATER}
    open_links = [url for url in links.urls if _known(folder, url).kind not in ended]
    step = progress(len(links.urls) - len(open_links), len(links.urls))

    def done(url: str, outcome: FetchOutcome) -> None:
        folder.note(url, outcome)
        step()

    crawl(open_links, folder.keep, done, fetch.politeness)


def _known(folder: FetchFolder, url: str) -> FetchOutcome:
    return folder.outcome(url) or FetchOutcome(FetchStatus.LATER, "not asked yet")


def _write_data(links: Links, outcomes: list[FetchOutcome], folder: FetchFolder) -> None:
    rows = [i for i, outcome in enumerate(outcomes) if outcome.kind is FetchStatus.FETCHED]
    for side, word in ((True, "members"), (False, "non-members")):
        if not any(links.member[row] == side for row in rows):
            raise DataError(
                f"No picture of the {word} could be fetched; {folder.folder / REPORT} says why, "
                "and the same command asks again what gave no answer."
            )
    paths = [folder.path(links.urls[row]) for row in rows]
    contents = (hashlib.sha256((folder.folder / path).read_bytes()).hexdigest() for path in paths)
    table = pa.table(
        {
            "image": [str(path) for path in paths],
            "caption": [links.captions[row] for row in rows],
            "member": [bool(links.member[row]) for row in rows],
            "group": [content[:16] for content in contents],
            "url": [links.urls[row] for row in rows],
        }
    )
    with replacing(folder.folder / DATA) as partial:
        pq.write_table(table, partial)
