"""A run on disk: a folder that grows chunk by chunk, survives a kill, and holds one run only."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from miagym.atomic import replacing
from miagym.errors import RunError, option
from miagym.evaluation.protocol import LearnedAttack
from miagym.metrics.labelled import Labelled
from miagym.results import Results

PAPER, NULL, GENERATED = "paper", "null", "generated"
"""Parts of a run beside those of the data: variants that calibration did not choose, on the test
part; and the chosen ones on the null target."""

SCORES = pa.schema(
    [
        ("target", pa.string()),
        ("data", pa.string()),
        ("attack", pa.string()),
        ("variant", pa.string()),
        ("part", pa.string()),
        ("candidate", pa.string()),
        ("row", pa.int64()),
        ("name", pa.string()),
        ("group", pa.int64()),
        ("member", pa.bool_()),
        ("budget", pa.int64()),
        ("score", pa.float64()),
        ("queries", pa.int64()),
        ("unet_rows", pa.int64()),
        ("backward_rows", pa.int64()),
    ]
)
"""One row for each candidate, attack, variant and budget: the score, and what was spent on it.

`candidate` is a digest of picture and caption, `row` the row of the data, from 0, and `name` what
the data call it: its file. An attack that can stop early has several budgets (queries); its own
score is at the highest. Where the data know no groups or no names, these are null.
"""


@dataclass(frozen=True)
class Clock:
    """What a chunk took, which no two runs share and scores.parquet therefore leaves out."""

    seconds: dict[str, float]
    """Seconds of each attack."""
    rows_charged: int
    rows_computed: int
    refused: dict[str, str]
    """Why attacks gave no scores on this chunk."""
    unreadable: dict[str, str]
    """By the row of a picture that could not be read, why."""


@dataclass(frozen=True)
class Features:
    """What learned attacks see of a calibration chunk."""

    rows: NDArray[np.int64]
    """Which rows of the data (n,) could be read."""
    member: NDArray[np.bool_]
    """Labels (n,)."""
    by_attack: dict[str, NDArray[np.float64]]
    """Features (n, d) by attack."""


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
                f"{path} is there already and holds no run of miagym; choose another "
                f"{option('out')}."
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

    def write(self, chunk: str, scores: pa.Table, features: Features, clock: Clock) -> None:
        """Adds a chunk: either all of it is there afterwards, or nothing."""
        write_json(self._chunks / f"{chunk}.json", vars(clock))
        if features.by_attack:
            told = {"rows": features.rows, "member": features.member}
            _write_arrays(
                self._chunks / f"{chunk}.safetensors", told | _prefixed(features.by_attack)
            )
        _write_table(self._chunks / f"{chunk}.parquet", scores)

    def read(self, chunk: str) -> pa.Table:
        return with_all_columns(pq.read_table(self._chunks / f"{chunk}.parquet"))

    def features(self, chunk: str) -> Features:
        path = self._chunks / f"{chunk}.safetensors"
        if not path.is_file():  # none of its pictures could be read
            return Features(np.empty(0, dtype=np.int64), np.empty(0, dtype=bool), {})
        arrays = load_file(path)
        rows, member = arrays.pop("rows"), arrays.pop("member")
        return Features(rows, member, {name.removeprefix("of "): a for name, a in arrays.items()})

    def keep(self, name: str, attack: LearnedAttack) -> None:
        """Saves a fitted attack beside the results."""
        file = re.sub(r"[^\w.+=(),-]", "-", name)  # parameters that were named may hold anything
        with replacing(self.path / "fitted" / f"{file}.safetensors") as partial:
            attack.save(partial)

    def clock(self, chunk: str) -> Clock:
        return Clock(**json.loads((self._chunks / f"{chunk}.json").read_text(encoding="utf-8")))

    def gather(self, chunks: Iterable[str]) -> None:
        """Writes scores.parquet, chunk after chunk, so that memory holds one chunk at a time."""
        with (
            replacing(self.path / "scores.parquet") as partial,
            pq.ParquetWriter(partial, SCORES, compression="zstd") as writer,
        ):
            for chunk in chunks:
                writer.write_table(self.read(chunk))

    def scores(self, target: str, data: str, attack: str) -> pa.Table:
        """What scores.parquet holds of one attack, in the order in which it was asked."""
        filters = [("target", "==", target), ("data", "==", data), ("attack", "==", attack)]
        return with_all_columns(pq.read_table(self.path / "scores.parquet", filters=filters))

    def finish(self, results: Results) -> None:
        """Writes results.json, which makes the run a finished one, and clears the chunks away."""
        write_json(self.path / "results.json", results.as_json())
        shutil.rmtree(self._chunks, ignore_errors=True)

    def give_up(self) -> None:
        """Leaves nothing behind where nothing was scored, so that a mended command may begin."""
        if not self.begun and not self.finished:
            (self.path / "run.json").unlink(missing_ok=True)
            with suppress(OSError):  # somebody may have put something there
                self.path.rmdir()

    def results(self) -> Results:
        return Results.read(self.path / "results.json")

    def _check_same(self, existing: Path, identity: dict[str, Any]) -> None:
        try:
            other = json.loads(existing.read_text(encoding="utf-8"))
        except ValueError as error:
            raise RunError(
                f"{existing} cannot be read ({error}); choose another {option('out')}."
            ) from error
        ours = json.loads(json.dumps(identity))
        keys = (key for key in ours.keys() | other.keys() if ours.get(key) != other.get(key))
        # A finished run is only read again; an unfinished one would be of two minds.
        free = {"git_commit", "command"} if self.finished else {"command"}
        different = sorted(set(keys) - free)
        if different:
            raise RunError(
                f"{self.path} holds another run (they differ in {' and '.join(different)}); choose "
                f"another {option('out')}, or delete it."
            )


def with_all_columns(scores: pa.Table) -> pa.Table:
    """Scores as `SCORES` has them; what an older run did not write is null."""
    n = scores.num_rows
    there = set(scores.column_names)
    columns = [scores[f.name] if f.name in there else pa.nulls(n, f.type) for f in SCORES]
    return pa.table(columns, schema=SCORES)


def labelled(scores: pa.Table) -> Labelled:
    """Some scores (see `SCORES`) with their labels, and with their groups where these are known."""
    member = scores["member"].to_numpy(zero_copy_only=False).astype(bool)
    known = len(scores) and not scores["group"].null_count
    groups = scores["group"].to_numpy() if known else None
    return Labelled(scores["score"].to_numpy(), member, groups=groups)


def at_full_budget(scores: pa.Table) -> pa.Table:
    """The scores (see `SCORES`) that are each attack's own: those at its highest budget."""
    if len(scores) == 0:
        return scores
    whose = np.zeros(len(scores), dtype=np.int64)
    for key in ("target", "data", "attack"):
        name = np.unique(scores[key].to_numpy(), return_inverse=True)[1]
        whose = whose * (name.max() + 1) + name
    budget = scores["budget"].to_numpy()
    highest = np.zeros(whose.max() + 1, dtype=budget.dtype)
    np.maximum.at(highest, whose, budget)
    return scores.filter(pa.array(budget == highest[whose]))


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Writes a JSON file atomically."""
    with replacing(path) as partial:
        text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        partial.write_text(text, encoding="utf-8")


def _prefixed(by_attack: dict[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """An attack may be called anything, `member` too."""
    return {f"of {name}": np.ascontiguousarray(array) for name, array in by_attack.items()}


def _write_arrays(path: Path, arrays: dict[str, NDArray]) -> None:
    with replacing(path) as partial:
        save_file(arrays, partial)


def _write_table(path: Path, table: pa.Table) -> None:
    with replacing(path) as partial:
        pq.write_table(table, partial, compression="zstd")
