"""Scoring program of a Codabench bundle: what `miagym score` finds in a file of `ids,score`.

It runs as `scoring.py INPUT OUTPUT`, beside a copy of the modules that it imports, and needs numpy
and scipy. What it says to participants are fixed sentences; no label is in any.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from miagym.errors import HostError
from miagym.hosting.records.score_lines import read_scores
from miagym.metrics.measure import measure

REFERENCE = "reference.csv"
SCORES = "scores.json"
COLUMNS = {
    "auc": "AUC",
    "auc_low": "AUC, lower end",
    "auc_high": "AUC, upper end",
    "tpr": "TPR@1%FPR",
    "tpr_low": "TPR@1%FPR, lower end",
    "tpr_high": "TPR@1%FPR, upper end",
}
"""Titles of the leaderboard's columns by the keys of `scores.json`."""
DIGITS = 3
"""As a host's leaderboard; each further one would tell more of the labels."""
AT_FPR = 0.01
MAX_BYTES = 1_000_000
WHERE = "the ids are in the first column of candidates.csv of this phase"


@dataclass(frozen=True, eq=False)
class Reference:
    """Labels of a phase's candidates, and groups of look-alikes where there are."""

    ids: tuple[str, ...]
    member: NDArray[np.bool_]
    groups: NDArray[np.int64] | None

    @classmethod
    def read(cls, path: Path) -> Self:
        """Reads lines of id, member and group; the last is empty where all are independent."""
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        member = np.array([row["member"] == "1" for row in rows])
        grouped = all(row["group"] for row in rows)
        groups = np.array([int(row["group"]) for row in rows]) if grouped else None
        return cls(tuple(row["id"] for row in rows), member, groups)


def scored(text: str, reference: Reference) -> dict[str, float]:
    """Columns of the leaderboard; TPRs are left out where the candidates are too few for them.

    Raises:
        HostError: if the file is not one finite score for every candidate.
    """
    scores = read_scores(text, set(reference.ids), WHERE)
    ordered = np.array([scores[name] for name in reference.ids])
    return columns_of(ordered, reference)


def columns_of(scores: NDArray[np.float64], reference: Reference) -> dict[str, float]:
    """Columns of scores (n,) in the order of the reference."""
    found = measure(scores, reference.member, reference.groups)
    columns = dict(zip(("auc", "auc_low", "auc_high"), (found.auc, *found.auc_ci), strict=True))
    at = found.tpr_at_fpr[AT_FPR]
    if at is not None:
        columns |= {"tpr": at.point.tpr, "tpr_low": at.ci[0], "tpr_high": at.ci[1]}
    return {name: round(float(value), DIGITS) for name, value in columns.items()}


def submitted(folder: Path) -> str:
    """The text of the one CSV file that was submitted.

    Raises:
        HostError: if there is none, or another number of them, or it is too large.
    """
    found = [path for path in sorted(folder.rglob("*.csv")) if not path.is_symlink()]
    if len(found) != 1:
        raise HostError(f"Expected a ZIP with one file submission.csv in it, got {len(found)} CSV.")
    if found[0].stat().st_size > MAX_BYTES:
        raise HostError(f"Expected a file of up to {MAX_BYTES:,} bytes.")
    return found[0].read_text(encoding="utf-8-sig", errors="replace")


def main(arguments: list[str]) -> int:
    """Scores `INPUT/res` by `INPUT/ref`, and writes `OUTPUT/scores.json`."""
    given, output = map(Path, arguments)
    columns: Mapping[str, float]
    try:
        columns = scored(submitted(given / "res"), Reference.read(given / "ref" / REFERENCE))
    except HostError as error:
        print(error, file=sys.stderr)
        return 1
    output.mkdir(parents=True, exist_ok=True)
    (output / SCORES).write_text(json.dumps(columns), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
