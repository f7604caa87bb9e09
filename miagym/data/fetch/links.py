"""Choice of links to fetch: each once, some of each side if there are too many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from miagym.data.source import Source
from miagym.errors import DataError

LAION_MI = "laion-mi"
KNOWN = {LAION_MI: "hf:antoniaaa/laion_mi"}
"""Short names of tables with links: Dubiński et al., WACV 2024, arXiv 2306.12983."""


@dataclass(frozen=True, eq=False)
class Links:
    """Links with captions and labels, one row for each picture to fetch.

    Args:
        urls: a link per row (n).
        captions: n texts.
        member: labels (n,).
        left_out: how many rows were left out, by reason.
    """

    urls: tuple[str, ...]
    captions: tuple[str, ...]
    member: NDArray[np.bool_]
    left_out: dict[str, int]


def choose_links(source: Source, limit: int | None, seed: int) -> Links:
    """Chooses every link once, or `limit` of each side, drawn by `seed`.

    A link on both sides stays with the members, since that picture was trained on.

    Raises:
        DataError: if there is no column `url`, or a side has no link.
    """
    if "url" not in source.table.column_names:
        raise DataError(
            f"{source.name} lacks the column url; expected `url`, `member` and if wanted "
            f"`caption`, found {', '.join(source.table.column_names)}."
        )
    urls = [str(url or "").strip() for url in source.table["url"].to_pylist()]
    member, captions = source.member, source.captions
    rows, left_out = _distinct(urls, member)
    rng = np.random.default_rng(seed)
    kept: list[NDArray[np.int64]] = []
    for side, word in ((True, "members"), (False, "non-members")):
        of_side = rows[member[rows] == side]
        if not len(of_side):
            raise DataError(f"{source.name} has no links of {word}; a comparison needs both sides.")
        kept.append(np.sort(rng.permutation(of_side)[:limit]))
    chosen = np.concatenate(kept)
    return Links(
        tuple(urls[row] for row in chosen),
        tuple(captions[row] for row in chosen),
        member[chosen],
        left_out,
    )


def _distinct(
    urls: list[str], member: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], dict[str, int]]:
    seen: dict[str, bool] = {}
    rows: list[int] = []
    left_out = {"no link": 0, "link repeated": 0, "link of a member": 0}
    for row in np.argsort(~member, kind="stable"):  # members first
        url, side = urls[row], bool(member[row])
        if not url:
            left_out["no link"] += 1
        elif url in seen:
            left_out["link repeated" if seen[url] == side else "link of a member"] += 1
        else:
            seen[url] = side
            rows.append(int(row))
    return np.array(sorted(rows), dtype=np.int64), left_out
