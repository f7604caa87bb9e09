"""What differs between two runs: what made them, and the scores that both have."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from miagym.errors import RunError
from miagym.evaluation.store import with_all_columns

KEYS = ("target", "data", "attack", "variant", "part", "candidate", "row", "budget")
"""Columns that say of what a score is."""

MAX_TOLD = 3
"""Differences in one sentence."""

NONE = "none"
"""Stands where one of the two runs has nothing."""


@dataclass(frozen=True)
class Differs:
    """Something that made two runs, and is not the same in both.

    Args:
        what: in words, such as "code of pia".
        first: its value in the first run.
        second: its value in the second run.
    """

    what: str
    first: str
    second: str


@dataclass(frozen=True)
class ScoresDiffer:
    """How far the scores of one attack lie apart.

    Args:
        attack: its name.
        both: scores that are in both runs.
        only_first: scores that the second run lacks.
        only_second: scores that the first run lacks.
        largest: largest absolute difference of a score that is in both; None if there is none.
    """

    attack: str
    both: int
    only_first: int
    only_second: int
    largest: float | None

    @property
    def same(self) -> bool:
        return not (self.only_first or self.only_second or self.largest)


def read_about(path: Path) -> dict[str, Any]:
    """What run.json of a folder says.

    Raises:
        RunError: if there is none, or it cannot be read.
    """
    file = path / "run.json"
    if not file.is_file():
        raise RunError(f"{path} holds no run of miagym; expected a folder with run.json in it.")
    try:
        about = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{file} cannot be read ({error}); expected what a run wrote.") from error
    if not isinstance(about, dict) or not isinstance(about.get("config"), dict):
        raise RunError(f"{file} is no run.json; expected the configuration of a run in it.")
    return about


def made_differently(first: Mapping[str, Any], second: Mapping[str, Any]) -> tuple[Differs, ...]:
    """What made two runs and differs, from their run.json; command and commit do not count."""
    found = _facts(first), _facts(second)
    names = dict.fromkeys([*found[0], *found[1]])
    values = ((name, *(facts.get(name, NONE) for facts in found)) for name in names)
    return tuple(Differs(name, one, other) for name, one, other in values if one != other)


def in_words(made: Sequence[Differs], first: str = "there", second: str = "here") -> str:
    """The first few of what differs, with both values: "seed: 0 there, 1 here"."""
    told = [f"{one.what}: {one.first} {first}, {one.second} {second}" for one in made[:MAX_TOLD]]
    more = len(made) - MAX_TOLD
    return ", ".join(told) + (f", and {more} more" if more > 0 else "")


def of_two(made: Sequence[Differs]) -> str:
    """The same of two runs that were both named: "seed: 0 in the first, 1 in the second"."""
    return in_words(made, "in the first", "in the second")


def scores_differ(first: Path, second: Path) -> tuple[ScoresDiffer, ...]:
    """By attack, how far scores lie apart; nothing where one of the runs is not finished."""
    files = [path / "scores.parquet" for path in (first, second)]
    if not all(file.is_file() for file in files):
        return ()
    joined = _keyed(files[0], "first").join(
        _keyed(files[1], "second"), keys=list(KEYS), join_type="full outer"
    )
    names = dict.fromkeys(sorted(joined["attack"].unique().to_pylist()))
    return tuple(_of_attack(name, joined.filter(pc.field("attack") == name)) for name in names)


def _keyed(file: Path, name: str) -> pa.Table:
    try:
        scores = with_all_columns(pq.read_table(file))
    except (OSError, pa.ArrowException) as error:
        raise RunError(f"{file} cannot be read ({error}); expected the scores of a run.") from error
    row = pc.fill_null(scores["row"], -1)  # a null is equal to nothing, not even to another
    place = scores.schema.get_field_index("row")
    return (
        scores.set_column(place, "row", row).select([*KEYS, "score"]).rename_columns([*KEYS, name])
    )


def _of_attack(name: str, joined: pa.Table) -> ScoresDiffer:
    first, second = joined["first"], joined["second"]
    both = joined.drop_null()
    apart = np.abs(both["first"].to_numpy() - both["second"].to_numpy())
    largest = float(apart.max()) if len(apart) else None
    return ScoresDiffer(name, len(both), second.null_count, first.null_count, largest)


def _facts(about: Mapping[str, Any]) -> dict[str, str]:
    """What made a run, each under its name in words."""
    return {name: _text(value) for name, value in _each(about) if value is not None}


def _each(about: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    matches = about["config"].get("matches", [])
    several = len(matches) > 1
    for number, match in enumerate(matches):
        where = f" of match {number + 1}" if several else ""
        yield from ((f"{name}{where}", value) for name, value in match.items())
    yield from ((k, value) for k, value in about["config"].items() if k != "matches")
    yield "shard", about.get("shard")
    for kind, words in (("models", "weights of"), ("data", "content of")):
        yield from ((f"{words} {name}", value) for name, value in about.get(kind, {}).items())
    for name, read in about.get("targets", {}).items():
        yield from ((f"{key} of {name}", value) for key, value in read.items())
    for kind, words in (("attacks", "variants of"), ("code", "code of")):
        for number, by_name in enumerate(about.get(kind, [])):
            where = f" in match {number + 1}" if several else ""
            yield from ((f"{words} {name}{where}", value) for name, value in by_name.items())
    yield "code of miagym", about.get("engine")
    yield "schema of run.json", about.get("schema")
    yield from ((f"version of {n}", value) for n, value in about.get("versions", {}).items())


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or NONE
    return str(value)
