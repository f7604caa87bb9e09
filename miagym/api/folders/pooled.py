"""Finished runs of several seeds, or of several targets of one kind, as one result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from miagym.api.results import Result
from miagym.api.run import Run
from miagym.atomic import replacing, write_json
from miagym.errors import RunError, option
from miagym.evaluation.folders.difference import made_differently, of_two
from miagym.metrics.resampling.over_runs import OverRuns, over_runs
from miagym.results import AttackRow
from miagym.results.formats import detection

if TYPE_CHECKING:
    from miagym.report.model import Table

FILE = "pooled.json"

OF_A_TARGET = ("target", "data", "reference", "null", "shadows", "member_value")
"""What belongs to a target in the settings of its run."""


class Over(StrEnum):
    """What differs between runs that are pooled."""

    SEEDS = "seeds"
    TARGETS = "targets"


@dataclass(frozen=True)
class PooledRow:
    """One attack over all runs.

    Args:
        attack: its name.
        access: what it may ask, as in its rows.
        auc: over the runs.
        tpr: at 1 % FPR, each run under a threshold of its own; None where one resolves no 1 %.
        failed: runs in which a control of it failed.
    """

    attack: str
    access: str
    auc: OverRuns
    tpr: OverRuns | None
    failed: int


@dataclass(frozen=True, eq=False, repr=False)
class PooledRuns(Result):
    """Several runs that differ in the seed alone, or in the target alone.

    Args:
        over: which of the two it is.
        names: seeds or targets, by run.
        shared: whether runs have candidates in common.
        alike: whether all of them have the same candidates.
        rows: by attack, in the order of the first run.
        left_out: attacks that not every run has.
        runs: their folders.
    """

    over: Over
    names: tuple[str, ...]
    shared: bool
    alike: bool
    rows: tuple[PooledRow, ...]
    left_out: tuple[str, ...]
    runs: tuple[Path, ...]

    def __getitem__(self, attack: str) -> PooledRow:
        """The row of an attack.

        Raises:
            RunError: if not every run has it.
        """
        for row in self.rows:
            if row.attack == attack:
                return row
        raise RunError(f"{attack} is not in all of the runs; there are {self._attacks()}.")

    @property
    def sentence(self) -> str:
        """What the intervals are over."""
        n, one = len(self.runs), str(self.over).removesuffix("s")
        which = "which the runs share" if self.alike else "some of which the runs share"
        how = (
            f"candidates, {which}, and the spread between runs"
            if self.shared
            else "the spread between runs, which share no candidate"
        )
        return (
            f"{n} {self.over} ({', '.join(self.names)}): means over runs, with 95 % intervals over "
            f"{how}; they speak of any {one} of this kind, by Student's t with {n - 1} degrees of "
            "freedom."
        )

    def parts(self) -> Iterator[Table | str]:
        from miagym.report.tables.pooled import pooled_table

        yield pooled_table(self.rows, str(self.over))
        yield self.sentence
        for row in self.rows:
            if row.failed:
                yield f"Controls of {row.attack} failed in {row.failed} of {len(self.runs)} runs."
        if self.left_out:
            yield f"Left out, since not every run has them: {', '.join(self.left_out)}."

    def as_json(self) -> dict[str, Any]:
        return {
            "over": str(self.over),
            "names": list(self.names),
            "shared": self.shared,
            "alike": self.alike,
            "rows": [asdict(row) for row in self.rows],
            "left_out": list(self.left_out),
            "runs": [str(path) for path in self.runs],
        }

    def _attacks(self) -> str:
        return ", ".join(row.attack for row in self.rows) or "none"


def pool_runs(paths: Sequence[Path], out: Path) -> PooledRuns:
    """Pools finished runs, and writes what they come to as JSON and as a report.

    Args:
        paths: folders of finished runs of one target each.
        out: a new folder.

    Raises:
        RunError: if they differ in more than the seed, or than the target; or `out` holds
            something else.
    """
    runs = [Run.open(path) for path in paths]
    if out.exists() and not (out / FILE).is_file():
        raise RunError(f"{out} is there already; choose another {option('out')}.")
    over = _over(paths, [run.about for run in runs])
    by_attack = [{row.attack: row for row in run.rows} for run in runs]
    common = [name for name in by_attack[0] if all(name in rows for rows in by_attack)]
    every = dict.fromkeys(name for rows in by_attack for name in rows)
    candidates = [set(run.scores["candidate"].to_pylist()) for run in runs]
    shared = len(set().union(*candidates)) < sum(map(len, candidates))
    found = PooledRuns(
        over,
        tuple(str(r.about["seed"]) if over is Over.SEEDS else _target(r.about) for r in runs),
        shared,
        all(own == candidates[0] for own in candidates),
        tuple(_row([rows[name] for rows in by_attack], shared) for name in common),
        tuple(name for name in every if name not in common),
        tuple(paths),
    )
    _write(found, out)
    return found


def _row(rows: Sequence[AttackRow], shared: bool) -> PooledRow:
    auc = over_runs([row.auc for row in rows], [row.auc_ci for row in rows], shared=shared)
    tprs = [found for row in rows if (found := detection(row)) is not None]
    tpr = None
    if len(tprs) == len(rows):
        tpr = over_runs([one.tpr for one in tprs], [one.ci for one in tprs], shared=shared)
    failed = sum(bool(row.failed_controls) for row in rows)
    return PooledRow(rows[0].attack, str(rows[0].access), auc, tpr, failed)


def _over(paths: Sequence[Path], about: Sequence[Mapping[str, Any]]) -> Over:
    """What the runs differ in, if that can be pooled."""
    if any(len(one["config"]["matches"]) != 1 for one in about):
        raise RunError("Runs of several targets each are not pooled; give runs of one target each.")
    pairs = zip(paths[1:], about[1:], strict=True)
    kinds = {_kind(paths[0], about[0], path, other) for path, other in pairs}
    if len(kinds) > 1:
        raise RunError(
            "Some of these runs differ in the seed and some in the target; pool seeds of one "
            "target, or targets under one seed."
        )
    over = kinds.pop()
    values = [_target(one) if over is Over.TARGETS else one["config"]["seed"] for one in about]
    if twice := next((value for value in values if values.count(value) > 1), None):
        raise RunError(f"{twice} stands for two of these runs; give each once.")
    return over


def _kind(first: Path, one: Mapping[str, Any], second: Path, other: Mapping[str, Any]) -> Over:
    if not made_differently(one, other):
        raise RunError(f"{first} and {second} are the same run; give each once.")
    if not made_differently(_without_seed(one), _without_seed(other)):
        return Over.SEEDS
    differs = made_differently(_without_target(one), _without_target(other))
    if not differs and _target(one) != _target(other):
        return Over.TARGETS
    raise RunError(
        f"{first} and {second} cannot be pooled "
        f"({of_two(differs or made_differently(one, other))}); expected runs that differ in the "
        "seed alone, or in the target alone."
    )


def _without_seed(about: Mapping[str, Any]) -> dict[str, Any]:
    config = {key: value for key, value in about["config"].items() if key != "seed"}
    return {**about, "config": config}


def _without_target(about: Mapping[str, Any]) -> dict[str, Any]:
    """What targets of one kind have in common; the pipeline is the kind."""
    (match,) = about["config"]["matches"]
    settings = {key: value for key, value in match.items() if key not in OF_A_TARGET}
    pipeline = about["targets"].get(match["target"], {}).get("pipeline")
    kind = {"targets": {"target": {"pipeline": pipeline}}, "models": {}, "data": {}}
    return {**about, **kind, "config": {**about["config"], "matches": [settings]}}


def _target(about: Mapping[str, Any]) -> str:
    return about["config"]["matches"][0]["target"]


def _write(found: PooledRuns, out: Path) -> None:
    from miagym.report.html import render

    write_json(out / FILE, found.as_json())
    title = f"Membership inference over {len(found.runs)} {found.over}"
    page = render("pooled.html", title=title, parts=list(found.parts()))
    with replacing(out / "report.html") as partial:
        partial.write_text(page, encoding="utf-8", newline="\n")
