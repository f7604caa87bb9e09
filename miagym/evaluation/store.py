"""A run on disk: a folder that grows chunk by chunk, survives a kill, and holds one run only.

A chunk's scores, and what they took, are one file, which is there whole or not at all. It may hold
some of the attacks and lack others, whose code has changed since; those are scored anew.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors import safe_open
from safetensors.numpy import save_file

from miagym.atomic import replacing, write_json
from miagym.errors import RunError
from miagym.evaluation.chunk import ChunkFeatures, Clock
from miagym.evaluation.claims.claims import Claims, Unshared
from miagym.evaluation.claims.log import LOGS
from miagym.evaluation.protocol import LearnedAttack
from miagym.metrics.labelled import Labelled
from miagym.results import Results

PAPER, NULL, OTHER, GENERATED = "paper", "null", "other", "generated"
"""Parts of a run beside those of the data: variants that calibration did not choose, on the test
part; the chosen ones on null target, other generator, and pictures that the target drew."""

CLOCK = b"clock"
"""Key of a chunk's clock in the metadata of its parquet file."""

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


class RunFolder:
    """A run's folder. What has been written is never written again, unless its code has changed.

    `opening.opened_run` opens one; it refuses the folder of another run.

    Args:
        path: the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.claims: Claims = Unshared()
        """Who works on which chunk; this process alone on all, until it is told otherwise."""
        self._chunks = path / "chunks"
        self.made_by = b""
        """The run.json under which this process works."""

    @property
    def finished(self) -> bool:
        return (self.path / "results.json").is_file()

    @property
    def begun(self) -> bool:
        return self._chunks.is_dir()

    def missing(self, chunk: str, names: Iterable[str]) -> list[str]:
        """Which of these attacks a chunk has not been done with, by any process."""
        done = self.clock(chunk).seconds if self._file(chunk).is_file() else {}
        return [name for name in names if name not in done]

    def write(
        self,
        chunk: str,
        order: Sequence[str],
        scores: pa.Table,
        features: ChunkFeatures,
        clock: Clock,
    ) -> None:
        """Adds attacks to a chunk: either all of this is there afterwards, or nothing.

        The rows of the chunk are in the order of the attacks, whichever were added first.
        """
        if features.by_attack:  # an attack may be called anything, `member` too
            known = self.features(chunk).by_attack | features.by_attack
            arrays = {f"of {name}": np.ascontiguousarray(array) for name, array in known.items()}
            with replacing(self._chunks / f"{chunk}.safetensors", shared=True) as partial:
                save_file({"rows": features.rows, "member": features.member} | arrays, partial)
        if self._file(chunk).is_file():
            scores = pa.concat_tables([self.read(chunk), scores])
            place = [order.index(name) for name in scores["attack"].to_pylist()]
            scores = scores.take(np.argsort(place, kind="stable"))
            clock = self.clock(chunk) + clock
        self._write_chunk(chunk, scores, clock)

    def read(self, chunk: str) -> pa.Table:
        return with_all_columns(pq.read_table(self._file(chunk)))

    def features(self, chunk: str, names: Collection[str] | None = None) -> ChunkFeatures:
        """What learned attacks, all or these, saw of a chunk."""
        path = self._chunks / f"{chunk}.safetensors"
        if not path.is_file():  # none of its pictures could be read
            return ChunkFeatures(np.empty(0, dtype=np.int64), np.empty(0, dtype=bool), {})
        with safe_open(path, framework="numpy") as file:
            keys = file.keys()
            there = {key.removeprefix("of ") for key in keys if key.startswith("of ")}
            wanted = there if names is None else there.intersection(names)
            arrays = {name: file.get_tensor(f"of {name}") for name in wanted}
            return ChunkFeatures(file.get_tensor("rows"), file.get_tensor("member"), arrays)

    def keep(self, name: str, attack: LearnedAttack) -> None:
        """Saves a fitted attack beside the results."""
        file = re.sub(r"[^\w.+=(),-]", "-", name)  # parameters that were named may hold anything
        with replacing(self.path / "fitted" / f"{file}.safetensors", shared=True) as partial:
            attack.save(partial)

    def clock(self, chunk: str) -> Clock:
        """What a chunk took; it is kept in the metadata of its scores."""
        return Clock(**json.loads(pq.read_schema(self._file(chunk)).metadata[CLOCK]))

    def gather(self, chunks: Iterable[str]) -> None:
        """Writes scores.parquet, chunk after chunk, so that memory holds one chunk at a time."""
        with (
            replacing(self.path / "scores.parquet", shared=True) as partial,
            pq.ParquetWriter(partial, SCORES, compression="zstd") as writer,
        ):
            for chunk in chunks:
                writer.write_table(self.read(chunk))

    def scores(self, target: str, data: str, attack: str) -> pa.Table:
        """What scores.parquet holds of one attack, in the order in which it was asked.

        Of a large run, keys and names are most of it; they are left out.
        """
        filters = [("target", "==", target), ("data", "==", data), ("attack", "==", attack)]
        texts = {"target", "data", "attack", "candidate", "name"}
        columns = [name for name in SCORES.names if name not in texts]
        return pq.read_table(self.path / "scores.parquet", columns=columns, filters=filters)

    def finish(self, results: Results) -> None:
        """Writes results.json, which makes the run a finished one.

        The chunks stay: if an attack's code changes, the others need not be run again.
        """
        write_json(self.path / "results.json", results.as_json(), shared=True)

    def give_up(self) -> None:
        """Leaves nothing behind where nothing was scored, so that a mended command may begin."""
        if not self.begun and not self.finished:
            (self.path / "run.json").unlink(missing_ok=True)
            shutil.rmtree(self.path / LOGS, ignore_errors=True)
            with suppress(OSError):  # somebody may have put something there
                self.path.rmdir()

    def results(self) -> Results:
        return Results.read(self.path / "results.json")

    def _file(self, chunk: str) -> Path:
        return self._chunks / f"{chunk}.parquet"

    def _write_chunk(self, chunk: str, scores: pa.Table, clock: Clock) -> None:
        told = json.dumps(vars(clock), ensure_ascii=False)
        with replacing(self._file(chunk), shared=True) as partial:
            described = scores.replace_schema_metadata({CLOCK: told})
            pq.write_table(described, partial, compression="zstd")

    def check_same_code(self) -> None:
        """Whether the run is still what it was when this process began to work on it.

        Raises:
            RunError: if somebody has begun it anew with other code.
        """
        try:
            now = (self.path / "run.json").read_bytes()
        except FileNotFoundError:
            now = b""
        if now != self.made_by:
            raise RunError(
                f"{self.path} was begun anew with other code while this process worked on it; "
                "start it again with that code. What is finished is kept."
            )

    def forget(self, number: int, names: set[str]) -> None:
        """Drops what these attacks have scored in a match."""
        (self.path / "results.json").unlink(missing_ok=True)
        for path in self._chunks.glob(f"{number:02d}-*.parquet"):
            self._forget(path.stem, names)

    def sweep(self) -> None:
        """Removes what killed processes have left half written; only for whoever is alone here."""
        for path in self.path.rglob("*.partial"):
            path.unlink(missing_ok=True)

    def _forget(self, chunk: str, names: set[str]) -> None:
        scores = self.read(chunk)
        kept = pa.array([name not in names for name in scores["attack"].to_pylist()], pa.bool_())
        self._write_chunk(chunk, scores.filter(kept), self.clock(chunk).without(names))


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
        name = scores[key].combine_chunks().dictionary_encode().indices.to_numpy()
        whose = whose * (name.max() + 1) + name
    budget = scores["budget"].to_numpy()
    highest = np.zeros(whose.max() + 1, dtype=budget.dtype)
    np.maximum.at(highest, whose, budget)
    return scores.filter(pa.array(budget == highest[whose]))
