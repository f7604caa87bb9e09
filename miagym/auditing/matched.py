"""Matched subset: members and non-members with the same odds of membership to the views."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from miagym.auditing.result import Audit
from miagym.auditing.ridge import FOLDS
from miagym.data.dataset import encoded
from miagym.data.output import writing
from miagym.data.pictures import take
from miagym.data.source import Source
from miagym.errors import DataError

CALIPER = 0.2
"""Width of a stratum, in standard deviations of the log odds (Austin 2011)."""


def matched_rows(audit: Audit, member: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Rows of a matched subset: as many of either side, alike in their log odds of membership.

    The views' out-of-fold scores give each row its log odds (logistic regression, out of fold
    again); in each stratum of them, as many rows are drawn of either side as the rarer one has.

    Args:
        audit: of the data.
        member: labels (n,) of all rows that the audit was given.

    Returns:
        Rows in order, positions in what was given to the audit.

    Raises:
        DataError: if the audit has no scores, or nothing is alike.
    """
    if not audit.scores.size:
        raise DataError(f"{audit.data} is too small to be matched: {audit.why}")
    label = member[audit.rows]
    model = LogisticRegression()
    odds = np.asarray(
        cross_val_predict(model, audit.scores, label, method="decision_function", cv=FOLDS)
    )
    width = CALIPER * odds.std()
    stratum = np.floor(odds / width).astype(int) if width > 0 else np.zeros(len(odds), dtype=int)
    rng = np.random.default_rng(audit.seed)
    kept = []
    for level in np.unique(stratum):
        sides = [
            rng.permutation(np.flatnonzero((stratum == level) & (label == side)))
            for side in (True, False)
        ]
        pairs = min(map(len, sides))
        kept += [side[:pairs] for side in sides]
    chosen = np.sort(audit.rows[np.concatenate(kept)])
    if not len(chosen):
        raise DataError(f"No members and non-members of {audit.data} are alike to all views.")
    return chosen


def check_kind(out: Path, source: Source) -> None:
    """Checks early that `write_rows` can write such a file.

    Raises:
        DataError: if it is neither a parquet nor a CSV file, or a CSV that pictures should go to.
    """
    if out.suffix.lower() not in (".parquet", ".csv"):
        raise DataError(f"{out}: a matched subset goes to a .parquet or a .csv file.")
    if out.suffix.lower() == ".csv" and source.pictures is not None:
        raise DataError(f"{out}: a CSV holds no pictures; write a .parquet file.")


def write_rows(source: Source, rows: NDArray[np.integer], out: Path) -> None:
    """Writes some rows with all their columns, pictures as encoded bytes, whole or not at all.

    Raises:
        DataError: if the file cannot be written.
    """
    table = source.table.take(pa.array(rows))
    if source.pictures is not None:
        pictures = pa.array(map(encoded, take(source.pictures, rows)), type=pa.binary())
        table = table.append_column("image", pictures)
    with writing(out) as partial:
        if out.suffix.lower() == ".csv":
            pa_csv.write_csv(table, partial)
        else:
            pq.write_table(table, partial, compression="zstd")
