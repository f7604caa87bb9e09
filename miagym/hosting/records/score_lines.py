"""Lines of `ids,score`: one score for every candidate, refused whole where one is amiss."""

from __future__ import annotations

import csv
import io
import math

from miagym.errors import HostError

HEADER = ["ids", "score"]
NAMED = 3
"""How many ids a refusal names."""


def read_scores(text: str, expected: set[str], where: str) -> dict[str, float]:
    """Reads `ids,score` lines, one for each candidate.

    Args:
        text: of a CSV file.
        expected: the ids that there are.
        where: a clause that says where they are found.

    Raises:
        HostError: if ids are missing, doubled or foreign, a score is no finite number, or all of
            them are labels.
    """
    try:
        rows = [row for row in csv.reader(io.StringIO(text)) if row]
    except csv.Error as error:  # a field of megabytes, line ends of two kinds
        raise HostError("Expected a CSV file of short lines, each an id and a score.") from error
    if not rows or [name.strip() for name in rows[0]] != HEADER:
        raise HostError(f"Expected a CSV file whose first line is {','.join(HEADER)}.")
    scores: dict[str, float] = {}
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(HEADER):
            raise HostError(f"Line {number} has {len(row)} columns; expected an id and a score.")
        name, written = (cell.strip() for cell in row)
        try:
            score = float(written)
        except ValueError:
            score = math.nan
        if not math.isfinite(score):
            raise HostError(f"Line {number}: expected a finite number as score.")
        if name in scores:
            raise HostError(f"Line {number} scores an id for the second time; score each once.")
        scores[name] = score
    if foreign := scores.keys() - expected:
        raise HostError(f"{len(foreign)} ids are of no candidate here; {where}.")
    if missing := sorted(expected - scores.keys()):
        raise HostError(
            f"{len(missing)} of {len(expected)} candidates have no score, such as "
            f"{', '.join(missing[:NAMED])}; score every one, those you cannot tell with one half."
        )
    if set(scores.values()) <= {0.0, 1.0} and len(set(scores.values())) == 2:
        raise HostError(
            "All scores are 0 or 1: these are labels; expected scores, higher = member, by which "
            "candidates can be ranked."
        )
    return scores
