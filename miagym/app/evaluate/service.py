"""Evaluations that a visitor may ask for: bounded, priced beforehand, run in a folder that goes."""

from __future__ import annotations

import json
import shlex
import tempfile
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from attacks import LearnedAttack, blind_names, make_attack
from miagym.data.dataset import TEST
from miagym.embedded.pairings import Pairing, pairing
from miagym.errors import DataError, RunError, UnknownName
from miagym.evaluation.config import Config, Match
from miagym.evaluation.provenance import identity
from miagym.evaluation.run import evaluate
from miagym.evaluation.store import SCORES, RunFolder, at_full_budget
from miagym.oracle.access import Access
from miagym.progress import Progress
from miagym.targets.registry import target_names

QUICK = (
    "text-to-image",
    "rediffuse",
    "loss",
    "sima",
    "pia",
    "secmi",
    "clid",
    "quantile-regression",
    "trajectory-logistic",
    "gradient-masking",
)
"""Attacks that take no more than a minute of two cores on 100 + 100 candidates."""

FEWEST, MOST = 20, 140
"""Candidates a side; each part of the embedded data holds as many."""
BUDGETS = (1, 2, 4, 8, 16)
"""Queries for one candidate that may be set."""
CHUNK = 20
"""Candidates at work at a time: few, so that Stop stops soon."""
FOLDER = "miagym-run-"
"""How the name of a run's temporary folder begins."""

SECONDS_A_ROW = 1 / 500
"""Of two cores: `miagym demo` was charged 281,000 rows, in 17.6 minutes of processor time."""
SECONDS_A_CANDIDATE = 0.02
"""For the blind attacks and the audit, which ask no UNet."""


@dataclass(frozen=True)
class Asked:
    """What a visitor asks for.

    Args:
        target: an embedded target, or a checkpoint of it.
        attacks: names out of `QUICK`; the blind ones run always.
        candidates: of each side, from `FEWEST` to `MOST`.
        queries: for one candidate, or None: each attack as it is by default.
        device: where the targets are put.

    Raises:
        UnknownName: for a target or an attack that the page does not offer.
        DataError: for numbers out of bounds, or no attack at all.
    """

    target: str
    attacks: tuple[str, ...]
    candidates: int = 100
    queries: int | None = None
    device: str = "auto"

    def __post_init__(self) -> None:
        if self.target not in target_names():
            raise UnknownName("target of this page", str(self.target), target_names())
        for name in self.attacks:
            if name not in QUICK:
                raise UnknownName("attack of this page", str(name), QUICK)
        if not self.attacks:
            raise DataError("Expected at least one attack, got none; choose some.")
        if not _is_whole(self.candidates, FEWEST, MOST):
            raise DataError(
                f"Expected {FEWEST} to {MOST} candidates a side, got {self.candidates!r}."
            )
        if self.queries is not None and not _is_whole(self.queries, 1, max(BUDGETS)):
            raise DataError(
                f"Expected a budget of 1 to {max(BUDGETS)} queries, or none; got {self.queries!r}."
            )

    @property
    def pairing(self) -> Pairing:
        """The data that belong to the target, and its null target."""
        found = pairing(self.target)
        assert found is not None  # every embedded target has one
        return found

    @property
    def config(self) -> Config:
        """The same run as a configuration; the blind attacks go first, as in the command line."""
        names = tuple(dict.fromkeys([*blind_names(), *self.attacks]))
        match = Match(self.target, self.pairing.data, names, null=self.pairing.null)
        return Config(
            (match,),
            queries=self.queries,
            limit=self.candidates,
            chunk=CHUNK,
            device=self.device,
        )

    @property
    def command(self) -> str:
        """What gives the same numbers on the command line."""
        words = ["miagym", "evaluate", "--target", self.target, "--data", self.pairing.data]
        words += ["--attacks", ",".join(self.attacks), "--limit", str(self.candidates)]
        words += [] if self.queries is None else ["--budget", str(self.queries)]
        words += ["--chunk", str(CHUNK), "--out", "runs/mine"]
        return shlex.join(words)

    @property
    def rows(self) -> int:
        """UNet rows that are charged at most, backward rows at their price."""
        config = self.config
        chooses, asks = 2 * min(self.candidates, config.choose_on), 2 * self.candidates
        null = 2 * min(self.candidates, config.null_on) if self.pairing.null else 0
        total = 0
        for name in self.attacks:
            costs = _costs(name, self.queries)
            learns = isinstance(make_attack(name), LearnedAttack)
            total += sum(costs) * (asks if learns else chooses) + max(costs) * (asks + null)
        return total

    @property
    def seconds(self) -> float:
        """About so long, on two cores."""
        return self.rows * SECONDS_A_ROW + 2 * self.candidates * SECONDS_A_CANDIDATE


@dataclass(frozen=True, eq=False)
class Finished:
    """A run that is over, in memory."""

    results: dict[str, Any]
    """As results.json holds them."""
    scores: pa.Table
    """Of the test part, each attack at its full budget (see `store.SCORES`)."""
    command: str
    """What gives the same numbers on the command line."""

    @property
    def is_demo(self) -> bool:
        """Whether `miagym demo` made it."""
        return self.command.startswith("miagym demo")


def run(asked: Asked, progress: Progress) -> Finished:
    """Runs what was asked for; its folder is gone afterwards, however it ends."""
    with tempfile.TemporaryDirectory(prefix=FOLDER) as folder:
        path = Path(folder)
        config, command = asked.config, asked.command
        results = evaluate(
            config,
            make_attack,
            lambda runs: RunFolder(path, identity(config, runs, command)),
            progress,
        )
        return Finished(results, _test_scores(path), command)


def opened(folder: Path | None) -> Finished | None:
    """A finished run from its folder, by default the one in the package; None if there is none.

    Raises:
        RunError: if a folder was named that holds no finished run, or one that cannot be read.
    """
    path = Path(str(files("miagym").joinpath("assets/demo"))) if folder is None else folder
    if not (path / "results.json").is_file():
        if folder is None:
            return None
        raise RunError(f"{folder} holds no finished run; expected results.json in it.")
    try:
        results = json.loads((path / "results.json").read_text(encoding="utf-8"))
        command = json.loads((path / "run.json").read_text(encoding="utf-8"))["command"]
        return Finished(results, _test_scores(path), command)
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        why = f"it lacks {error}" if isinstance(error, KeyError) else error
        raise RunError(f"The run in {path} cannot be read: {why}.") from error


def names_within(access: str) -> tuple[str, ...]:
    """The quick attacks that an attacker with this access, or less, can run.

    Args:
        access: "black", "grey" or "white".
    """
    return tuple(n for n in QUICK if make_attack(n).access <= Access[access.upper()])


def _costs(name: str, queries: int | None) -> list[int]:
    """Rows that each variant takes for one candidate, as far as the budget pays for it."""
    attack = make_attack(name) if queries is None else make_attack(name).within(queries)
    variants = [v for v in attack.variants() if queries is None or v.cost.queries <= queries]
    return [v.cost.price for v in variants or (attack,)]


def _test_scores(path: Path) -> pa.Table:
    if not (path / "scores.parquet").is_file():
        return SCORES.empty_table()
    table = pq.read_table(path / "scores.parquet", filters=[("part", "==", TEST)])
    return at_full_budget(table)


def _is_whole(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
