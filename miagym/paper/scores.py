"""Scores of one run by attack and variant, read once, with their labels in one order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from miagym.data.dataset import CALIBRATION, TEST
from miagym.errors import RunError
from miagym.evaluation.store import PAPER, labelled
from miagym.metrics.labelled import Labelled

COLUMNS = ["attack", "variant", "part", "candidate", "group", "member", "score"]
PARTS = {CALIBRATION: (CALIBRATION,), TEST: (TEST, PAPER)}
"""By part of the data, those of scores.parquet: variants that were not chosen are kept apart."""


@dataclass(frozen=True, eq=False)
class Scores:
    """All scores of a run on one target.

    Args:
        table: columns of scores.parquet.
    """

    table: pa.Table

    @classmethod
    def read(cls, folder: Path) -> Scores:
        """Of a finished run's folder."""
        return cls(pq.read_table(folder / "scores.parquet", columns=COLUMNS))

    def variants(self, attack: str, part: str) -> dict[str, Labelled]:
        """By its repr, the scores of each variant of an attack on a part of the data.

        Raises:
            RunError: if two variants were not scored on the same candidates.
        """
        kept = pc.field("part").isin(PARTS[part])
        own = self.table.filter((pc.field("attack") == attack) & kept)
        found: dict[str, Labelled] = {}
        candidates: pa.ChunkedArray | None = None
        for variant in sorted(set(own["variant"].to_pylist())):
            rows = own.filter(pc.field("variant") == variant)
            if candidates is not None and not rows["candidate"].equals(candidates):
                raise RunError(
                    f"The variants of {attack} were scored on different candidates; delete the run "
                    "and make it anew."
                )
            candidates = rows["candidate"]
            found[variant] = labelled(rows)
        return found

    def features(self, attacks: list[str], part: str) -> tuple[NDArray[np.float64], Labelled]:
        """Scores (n, d) of all variants of some attacks, concatenated, and the labels they share.

        Raises:
            RunError: if one of them has no scores.
        """
        columns: list[NDArray[np.float64]] = []
        first: Labelled | None = None
        for attack in attacks:
            variants = self.variants(attack, part)
            if not variants:
                raise RunError(f"{attack} has no scores on the {part} part; the run skipped it.")
            for scores in variants.values():
                first = first or scores
                columns.append(scores.score)
        if first is None:
            raise RunError("Expected the signals of a setting, got none.")
        return np.stack(columns, axis=1), first
