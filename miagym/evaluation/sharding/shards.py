"""Shards: parts of a run for machines without a shared folder, each in a folder of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

from miagym.atomic import write_json
from miagym.errors import RunError, SettingsError, option
from miagym.evaluation.folders.difference import read_about

FILE = "shard.json"
"""Written once a shard is done: which it is, and its chunks."""

T = TypeVar("T")


@dataclass(frozen=True)
class Shard:
    """One of several parts of a run; all calibrate, and each takes its share of the other chunks.

    Args:
        number: from 1.
        of: how many there are.

    Raises:
        SettingsError: if there is no such shard.
    """

    number: int = 1
    of: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of:
            raise SettingsError(
                f"There is no shard {self}; expected i/n with i from 1 to n, such as 1/4."
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """From "1/4"; a `SettingsError` says what else was given."""
        found = re.fullmatch(r"(\d+)/(\d+)", text.strip())
        if found is None:
            raise SettingsError(f"Expected a shard as i/n, such as 1/4, got {text!r}.")
        return cls(int(found[1]), int(found[2]))

    @property
    def whole(self) -> bool:
        return self.of == 1

    def share(self, tasks: Sequence[T]) -> list[T]:
        """What falls to it: each n-th."""
        return list(tasks[self.number - 1 :: self.of])

    def told_of(self, chunks: Sequence[int], size: int) -> str:
        """How many chunks of the test part fall to it, in a sentence.

        Args:
            chunks: how many each match has.
            size: candidates in one.

        Raises:
            SettingsError: if there are more shards than chunks, so that some would hold none.
        """
        most = max(chunks)
        if self.of > most:
            raise SettingsError(
                f"Expected no more shards than the test part has chunks of up to {size} candidates "
                f"({most}), got {self}; cut the run into smaller chunks ({option('chunk')}), or "
                "into fewer shards."
            )
        held = sum(len(self.share(range(n))) for n in chunks)
        return f"Shard {self} holds {held} of the {sum(chunks)} chunks of the test part."

    def finish(self, path: Path, chunks: Sequence[str]) -> None:
        """Writes that this shard is done in a folder, and which chunks it has."""
        write_json(path / FILE, {"shard": str(self), "chunks": list(chunks)}, shared=True)

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


WHOLE = Shard()
"""A run that is not cut into shards."""


def finished_shard(path: Path) -> tuple[Shard, list[str]]:
    """Which shard a folder holds, and its chunks.

    Raises:
        RunError: if it holds none, or one that is not done.
    """
    file = path / FILE
    if not file.is_file():
        if "shard" not in read_about(path):
            raise RunError(
                f"{path} holds a whole run, and no shard of one; expected all shards of one run, "
                "or several finished runs that differ in the seed alone, or in the target alone."
            )
        raise RunError(
            f"{path} holds no finished shard; expected {FILE} in it, which a run with "
            f"{option('shard')} writes at its end. Give its command again, and what is missing is "
            "scored."
        )
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        return Shard.parse(told["shard"]), list(told["chunks"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{file} cannot be read ({error}); expected what a shard wrote.") from error
