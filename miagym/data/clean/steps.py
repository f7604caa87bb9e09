"""Steps of cleaning, in the order in which they are taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from miagym.data.clean.embeddings import embeddings_of
from miagym.data.clean.inspection import Inspection
from miagym.data.clean.language import in_language
from miagym.data.clean.row_filter import RowFilter
from miagym.data.duplicates import (
    MAX_BITS,
    MIN_COSINE,
    duplicate_groups,
    merge_groups,
    near_by_embedding,
    near_pairs,
    near_pairs_by_embedding,
)
from miagym.data.pictures import Picture
from miagym.data.source import Source
from miagym.errors import DataError

NEAR_A_MEMBER = "near-duplicate of a member"
NEAR_ITS_SIDE = "near-duplicate on its side"


@dataclass(frozen=True)
class Cleaning:
    """Options of a cleaning: what is dropped.

    Args:
        within: bits in which the hashes of near-duplicates may differ.
        closeness: least cosine of near-duplicates, if there are embeddings.
        drop: of near-duplicates on one side keep the first; otherwise they share a group.
        min_side: pixels of the short side, at least.
        language: ISO 639-1 code that captions must be in.
        aesthetics: least value in the column `aesthetic`.
        embeddings: file or model folder, see `embeddings_of`.
    """

    within: int = MAX_BITS
    closeness: float = MIN_COSINE
    drop: bool = False
    min_side: int | None = None
    language: str | None = None
    aesthetics: float | None = None
    embeddings: Path | None = None


def apply_filters(
    source: Source, cleaning: Cleaning, inspection: Inspection, remaining: RowFilter
) -> None:
    """Drops pictures unreadable, small, in another language, or below the aesthetic threshold.

    Raises:
        DataError: if a filter lacks what it needs.
    """
    remaining.keep("unreadable picture", inspection.readable[remaining.rows])
    if cleaning.min_side is not None:
        large = inspection.short_sides[remaining.rows] >= cleaning.min_side
        remaining.keep(f"short side below {cleaning.min_side} pixels", large)
    if cleaning.aesthetics is not None:
        above = _scores(source)[remaining.rows] >= cleaning.aesthetics
        remaining.keep(f"aesthetic below {cleaning.aesthetics:g}, or none", above)
    if cleaning.language is not None:
        captions = source.captions
        spoken = in_language([captions[row] for row in remaining.rows], cleaning.language)
        remaining.keep(f"caption not in {cleaning.language}", spoken)


def drop_copies(
    source: Source,
    pictures: Sequence[Picture],
    cleaning: Cleaning,
    inspection: Inspection,
    remaining: RowFilter,
) -> NDArray[np.int64]:
    """Drops repeated rows, non-members near a member, and if wanted near-duplicates on a side.

    Returns:
        Group number of each row that is left (k,), near-duplicates sharing one.
    """
    captions = source.captions
    same = [(inspection.contents[row], captions[row]) for row in remaining.rows]
    remaining.keep_first("same picture and caption on its side", same)
    vectors = None
    if cleaning.embeddings is not None:
        found = embeddings_of(cleaning.embeddings, pictures, remaining.rows)
        vectors = np.zeros((len(source), found.shape[1]), dtype=np.float32)
        vectors[remaining.rows] = found
    remaining.keep(NEAR_A_MEMBER, _far_from_members(cleaning, inspection, vectors, remaining))
    near = _near_groups(cleaning, inspection, vectors, remaining.rows)
    if cleaning.drop:
        remaining.keep_first(NEAR_ITS_SIDE, near.tolist())
        near = _near_groups(cleaning, inspection, vectors, remaining.rows)
    return near


def _scores(source: Source) -> NDArray[np.float64]:
    """Scores of the column `aesthetic`, NaN where there is none."""
    if "aesthetic" not in source.table.column_names:
        raise DataError(
            f"{source.name} has no column aesthetic; scores come with the table (LAION's metadata "
            f"has them), found {', '.join(source.table.column_names)}."
        )
    values = source.table["aesthetic"].to_pylist()
    try:
        return np.array([np.nan if value in (None, "") else float(value) for value in values])
    except ValueError as error:
        raise DataError(f"{source.name}: `aesthetic` must be numbers ({error}).") from error


def _far_from_members(
    cleaning: Cleaning,
    inspection: Inspection,
    vectors: NDArray[np.float32] | None,
    remaining: RowFilter,
) -> NDArray[np.bool_]:
    """Which rows that are left are members, or like none of them."""
    rows, is_member = remaining.rows, remaining.member[remaining.rows]
    members, others = rows[is_member], np.flatnonzero(~is_member)
    far = np.ones(len(rows), dtype=bool)
    hashes = inspection.hashes
    far[others[near_pairs(hashes[rows[others]], hashes[members], cleaning.within)[:, 0]]] = False
    if vectors is not None:
        of_others, of_members = vectors[rows[others]], vectors[members]
        pairs = near_pairs_by_embedding(of_others, of_members, cleaning.closeness)
        far[others[pairs[:, 0]]] = False
    return far


def _near_groups(
    cleaning: Cleaning,
    inspection: Inspection,
    vectors: NDArray[np.float32] | None,
    rows: NDArray[np.integer],
) -> NDArray[np.int64]:
    groups = duplicate_groups(inspection.hashes[rows], cleaning.within)
    if vectors is None:
        return groups
    return merge_groups([groups, near_by_embedding(vectors[rows], cleaning.closeness)])
