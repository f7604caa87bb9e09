"""A run on disk: a folder that grows chunk by chunk, survives a kill, and holds one run only."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from miagym.errors import RunError

SCORES = pa.schema(
    [
        ("target", pa.string()),
        ("data", pa.string()),
        ("attack", pa.string()),
        ("variant", pa.string()),
        ("part", pa.string()),
        ("candidate", pa.string()),
        ("member", pa.bool_()),
        ("score", pa.float64()),
        ("queries", pa.int64()),
        ("unet_rows", pa.int64()),
    ]
)
"""One row for each candidate, attack and variant: the score, and what was spent on it."""


@dataclass(frozen=True)
class Clock:
    """What a chunk took, which no two runs share and scores.parquet therefore leaves out."""

    seconds: dict[str, float]
    """Seconds of each attack."""
    rows_charged: int
    rows_computed: int


class RunFolder:
    """A run's folder. What has been written is never written again.

    Args:
        path: made if it does not exist.
        identity: what makes this run this run: configuration, data, models, versions.

    Raises:
        RunError: if the folder holds another run, or files that are none of ours.
    """

    def __init__(self, path: Path, identity: dict[str, Any]) -> None:
        self.path = path
        self._chunks = path / "chunks"
        existing = path / "run.json"
        if existing.is_file():
            self._check_same(existing, identity)
        elif path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise RunError(
                f"{path} is there already and holds no run of miagym; choose another --out."
            )
        else:
            write_json(existing, identity)

    @property
    def finished(self) -> bool:
        return (self.path / "results.json").is_file()

    @property
    def begun(self) -> bool:
        return self._chunks.is_dir()

    def has(self, chunk: str) -> bool:
        """Whether a chunk has been scored, by this process or one before it."""
        return (self._chunks / f"{chunk}.parquet").is_file()

    def write(self, chunk: str, scores: pa.Table, clock: Clock) -> None:
        """Adds a chunk: either all of it is there afterwards, or nothing."""
        self._chunks.mkdir(parents=True, exist_ok=True)
        write_json(self._chunks / f"{chunk}.json", vars(clock))
        _write_table(self._chunks / f"{chunk}.parquet", scores)

    def read(self, chunk: str) -> pa.Table:
        return pq.read_table(self._chunks / f"{chunk}.parquet")

    def clock(self, chunk: str) -> Clock:
        return Clock(**json.loads((self._chunks / f"{chunk}.json").read_text()))

    def finish(self, scores: pa.Table, results: dict[str, Any]) -> None:
        """Writes scores.parquet and results.json, and clears the chunks away."""
        _write_table(self.path / "scores.parquet", scores)
        write_json(self.path / "results.json", results)
        shutil.rmtree(self._chunks, ignore_errors=True)

    def results(self) -> dict[str, Any]:
        return json.loads((self.path / "results.json").read_text())

    def _check_same(self, existing: Path, identity: dict[str, Any]) -> None:
        try:
            other = json.loads(existing.read_text())
        except ValueError as error:
            raise RunError(f"{existing} cannot be read ({error}); choose another --out.") from error
        ours = json.loads(json.dumps(identity))
        keys = (key for key in ours.keys() | other.keys() if ours.get(key) != other.get(key))
        different = sorted(set(keys) - {"git_commit", "command"})
        if different:
            raise RunError(
                f"{self.path} holds another run (its {' and '.join(different)} differ); choose "
                "another --out, or delete it."
            )


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Writes a JSON file atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(partial, path)


def _write_table(path: Path, table: pa.Table) -> None:
    partial = path.with_suffix(".partial")
    pq.write_table(table, partial, compression="zstd")
    os.replace(partial, path)
