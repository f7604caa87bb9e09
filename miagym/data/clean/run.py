"""Cleaning of labelled rows, step by step, into one parquet file."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from miagym.data.clean.inspection import inspect_all
from miagym.data.clean.row_filter import RowFilter
from miagym.data.clean.steps import Cleaning, apply_filters, drop_copies
from miagym.data.clean.write import write_clean
from miagym.data.dataset import CALIBRATION, TEST
from miagym.data.duplicates import merge_groups
from miagym.data.source import Source, parts
from miagym.errors import DataError, option
from miagym.progress import Progress, silent

NOTE = (
    "Near-duplicates of members were dropped from the non-members only, as in the paper; "
    "`miagym audit` says whether the sides still differ."
)


def clean_data(
    source: Source,
    cleaning: Cleaning,
    out: Path,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Cleans a source and writes `image` (bytes), `group`, `part` and the other columns to `out`.

    Unreadable pictures go first, then what the filters refuse, on both sides alike; then repeated
    pictures with the same caption, then non-members near a member. What is left is dealt into parts
    by groups: of near-duplicates, and those the rows had before.

    Returns:
        Rows before and after and what each step dropped, per side; the same is in the metadata of
        the file, under `miagym.clean`.

    Raises:
        DataError: if a filter lacks what it needs, or less than two groups of a side are left.
    """
    if out.suffix.lower() != ".parquet":
        raise DataError(
            f"Expected {option('out')} to end in .parquet, which is written, got {out}."
        )
    pictures = source.require_pictures()
    remaining = RowFilter(source.member)
    inspection = inspect_all(pictures, progress("looking at pictures", len(source)))
    apply_filters(source, cleaning, inspection, remaining)
    near = drop_copies(source, pictures, cleaning, inspection, remaining)
    rows, had = remaining.rows, source.groups
    groups = near if had is None else merge_groups([near, had[rows]])
    part = parts(groups, remaining.member[rows])
    _check_parts(source.name, part, remaining)
    report = {
        "source": source.name,
        "options": asdict(cleaning)
        | {"embeddings": cleaning.embeddings and str(cleaning.embeddings)},
        **remaining.count(),
        "groups": len(np.unique(groups)),
        "unreadable": {
            side: {
                str(row): why
                for row, why in inspection.unreadable.items()
                if remaining.member[row] == m
            }
            for side, m in (("members", True), ("nonmembers", False))
        },
        "note": NOTE,
    }
    step = progress("writing", len(rows))
    write_clean(out, source, rows, {"group": groups, "part": part}, json.dumps(report), step)
    return report


def _check_parts(name: str, part: NDArray[np.str_], remaining: RowFilter) -> None:
    member = remaining.member[remaining.rows]
    for m, word in ((True, "members"), (False, "non-members")):
        for here in (CALIBRATION, TEST):
            if not ((part == here) & (member == m)).any():
                dropped = sum((step.members if m else step.nonmembers) for step in remaining.steps)
                raise DataError(
                    f"{name}: {int((member == m).sum())} {word} are left, in too few groups for a "
                    f"{CALIBRATION} and a {TEST} part; the steps dropped {dropped}. Ask for less."
                )
