"""Verdicts stored while the game is played. No label is in them; `grade` looks labels up."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self, TypedDict

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from miagym.atomic import replacing
from miagym.envs.grading.played import Played
from miagym.errors import DataError

FORMAT = "miagym verdicts 2"
WITHOUT_GAME = "miagym verdicts 1"
"""Of files from before 0.3, which did not say how they were come by."""
COLUMNS = ("candidate", "probability", "spent")
FAMILY = {"family": str | list | tuple | None, "hands": bool}
"""What files from before there were families do not say."""
ABOUT = {"data": str, "split": str, "size": int, "by_name": bool, **FAMILY}


class VerdictScope(TypedDict):
    """What verdicts are about, and how they were come by; as in `Verdicts`."""

    data: str
    split: str
    size: int
    by_name: bool
    family: str | tuple[str, ...] | None
    hands: bool
    played: Played


@dataclass(frozen=True, eq=False)
class Verdicts:
    """Verdicts of an agent on candidates (m), and what it had spent. No label is in them."""

    data: str
    """Name of the data set."""
    split: str
    size: int
    """Side of the pictures in pixels, on which a candidate's key depends."""
    candidate: tuple[str, ...]
    """Keys: a digest of picture and caption, of a family with the number of the target before."""
    probability: NDArray[np.float64]
    """Of membership (m,), in [0, 1]."""
    spent: NDArray[np.float64]
    """UNet rows a candidate (m,), where a pool shares its spending evenly."""
    played: Played
    """Which model was asked, under which rules."""
    by_name: bool = True
    """Whether `data` is a name that leads to the data; else `grade` must be given it."""
    family: str | tuple[str, ...] | None = None
    """Of which the target of each episode was drawn, as `family=` names it; None if it was one."""
    hands: bool = False
    """Whether each verdict is one on all candidates of an episode, as in an audit."""

    def __len__(self) -> int:
        return len(self.candidate)

    def save(self, path: Path | str) -> None:
        """Writes a parquet file, whole or not at all."""
        columns = [list(self.candidate), self.probability, self.spent]
        about = {name: getattr(self, name) for name in ABOUT} | {"played": asdict(self.played)}
        table = pa.table(dict(zip(COLUMNS, columns, strict=True)))
        table = table.replace_schema_metadata({"format": FORMAT, "about": json.dumps(about)})
        with replacing(Path(path)) as partial:
            pq.write_table(table, partial)

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Reads what `save` wrote.

        Raises:
            DataError: if it is something else.
        """
        try:
            table = pq.read_table(path)
        except (OSError, pa.ArrowException) as error:
            raise DataError(f"{path} cannot be read as verdicts ({error}).") from error
        metadata = table.schema.metadata or {}
        if metadata.get(b"format") == WITHOUT_GAME.encode():
            raise DataError(
                f"{path} was written before verdicts told which target was asked under which "
                "rules, so that nobody can say what its grade means; play the episodes again."
            )
        if metadata.get(b"format") != FORMAT.encode():
            raise DataError(
                f"{path} holds no verdicts; expected a file that `Verdicts.save` wrote."
            )
        try:
            about = json.loads(metadata.get(b"about", b"{}"))
            played = about.pop("played", None)
            text, *numbers = (table[name].combine_chunks() for name in COLUMNS)
            numbers = [column.cast(pa.float64()) for column in numbers]
        except (ValueError, TypeError, KeyError, pa.ArrowException) as error:
            raise DataError(f"{path} holds no whole verdicts ({error}).") from error
        about = {"family": None, "hands": False, **about}
        told = about.keys() == ABOUT.keys() and all(
            isinstance(about[name], kind) for name, kind in ABOUT.items()
        )
        if not told or not pa.types.is_string(text.type):
            raise DataError(f"{path} holds no whole verdicts: it does not say what they are about.")
        if gaps := sum(column.null_count for column in (text, *numbers)):
            raise DataError(f"{path} holds verdicts with {gaps} gaps; expected none.")
        try:
            game = Played.of(played)
        except DataError as error:
            raise DataError(f"{path} holds no whole verdicts. {error}") from error
        if isinstance(about["family"], list):
            about["family"] = tuple(map(str, about["family"]))
        return cls(
            **about,
            played=game,
            candidate=tuple(text.to_pylist()),
            **dict(zip(COLUMNS[1:], (column.to_numpy() for column in numbers), strict=True)),
        )


@dataclass
class VerdictLog:
    """Collects verdicts, episode after episode."""

    _candidates: list[str] = field(default_factory=list)
    _probabilities: list[float] = field(default_factory=list)
    _spent: list[float] = field(default_factory=list)

    def add(self, keys: tuple[str, ...], probability: NDArray[np.float64], spent: int) -> None:
        """Adds the verdict of one episode on its n candidates, and what it spent on all of them."""
        self._candidates.extend(keys)
        self._probabilities.extend(map(float, probability))
        self._spent.extend([spent / len(keys)] * len(keys))

    def verdicts(self, scope: VerdictScope) -> Verdicts:
        """All verdicts so far."""
        return Verdicts(
            candidate=tuple(self._candidates),
            probability=np.array(self._probabilities),
            spent=np.array(self._spent),
            **scope,
        )

    def copied(self) -> VerdictLog:
        """Another with the same verdicts, to which more can be added."""
        return VerdictLog(list(self._candidates), list(self._probabilities), list(self._spent))
