"""Evaluations that a visitor may ask for: bounded, priced beforehand, and then forgotten."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from miagym.app.server.bill import JobBill
from miagym.app.server.jobs import Work
from miagym.app.server.rate_limit import Allowance
from miagym.data.dataset import CALIBRATION, TEST
from miagym.embedded.pairings import Pairing, pairing
from miagym.errors import DataError, UnknownName
from miagym.evaluation.config import Config
from miagym.evaluation.protocol import Attack, LearnedAttack
from miagym.evaluation.store import NULL
from miagym.oracle.access import Access
from miagym.progress import Progress
from miagym.targets.registry import target_names

if TYPE_CHECKING:
    from miagym.api.run import Run

QUICK_ATTACKS = (
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

MIN_CANDIDATES, MAX_CANDIDATES = 20, 120
"""Candidates a side; each part of the embedded data holds as many."""
BUDGETS = (1, 2, 4, 8, 16)
"""Queries for one candidate that may be set."""
CHUNK = 20
"""Candidates at work at a time: few, so that Stop stops soon."""

BASE_ROWS = 1_500
"""What a run costs before its first UNet row: data, blind attacks, controls and the audit."""
SECONDS_A_ROW = 1 / 500
"""Of two cores: `miagym demo` was charged 281,000 rows, in 17.6 minutes of processor time."""
SECONDS_A_CANDIDATE = 0.02
"""For the blind attacks and the audit, which ask no UNet."""


@dataclass(frozen=True)
class EvaluationRequest:
    """What a visitor asks to evaluate.

    Args:
        target: an embedded target, or a checkpoint of it.
        attacks: names out of `QUICK_ATTACKS`; the blind ones run always.
        candidates: of each side, from `MIN_CANDIDATES` to `MAX_CANDIDATES`.
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
        if len(self.attacks) != len(set(self.attacks[: len(QUICK_ATTACKS) + 1])):
            raise DataError(
                f"Expected each attack once, at most {len(QUICK_ATTACKS)}, got "
                f"{len(self.attacks):,} names; name none twice."
            )
        if self.target not in target_names():
            raise UnknownName("target of this page", str(self.target), target_names())
        for name in self.attacks:
            if name not in QUICK_ATTACKS:
                raise UnknownName("attack of this page", str(name), QUICK_ATTACKS)
        if not self.attacks:
            raise DataError("Expected at least one attack, got none; choose some.")
        if not _is_whole(self.candidates, MIN_CANDIDATES, MAX_CANDIDATES):
            raise DataError(
                f"Expected {MIN_CANDIDATES} to {MAX_CANDIDATES} candidates a side, got "
                f"{self.candidates!r}."
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
    def command(self) -> str:
        """What gives the same numbers on the command line."""
        words = ["miagym", "evaluate", "--target", self.target, "--data", self.pairing.data]
        words += ["--attacks", ",".join(self.attacks), "--limit", str(self.candidates)]
        words += [] if self.queries is None else ["--budget", str(self.queries)]
        words += ["--generated", "0", "--chunk", str(CHUNK), "--out", "runs/mine"]
        return shlex.join(words)

    def bill(self) -> JobBill:
        """UNet rows that are charged at most, backward rows at their price, and for the rest."""
        chooses, asks = 2 * min(self.candidates, Config.choose_on), 2 * self.candidates
        null = 2 * min(self.candidates, Config.null_on) if self.pairing.null else 0
        phases = dict.fromkeys((CALIBRATION, TEST, NULL), 0)
        for attack in _attacks(self.attacks).values():
            costs = _costs(attack, self.queries)
            learns = isinstance(attack, LearnedAttack)
            phases[CALIBRATION] += sum(costs) * (asks if learns else chooses)
            phases[TEST] += max(costs) * asks
            phases[NULL] += max(costs) * null
        return JobBill(BASE_ROWS, {f"{self.target}: {part}": n for part, n in phases.items()})

    @property
    def rows(self) -> int:
        """The total of the bill."""
        return self.bill().total

    @property
    def seconds(self) -> float:
        """About so long, on two cores."""
        return self.rows * SECONDS_A_ROW + 2 * self.candidates * SECONDS_A_CANDIDATE


def paid_run(request: EvaluationRequest, allowance: Allowance, client: str) -> Work[Run]:
    """What was asked for, as work that its client has paid.

    Raises:
        RateLimitExceeded: if its allowance does not hold so much.
    """
    return allowance.paid(client, request.bill(), partial(run, request))


def run(request: EvaluationRequest, progress: Progress) -> Run:
    """Runs what was asked for; its folder is gone afterwards, however it ends."""
    from miagym.api.evaluate import evaluate

    return evaluate(
        request.target,
        attacks=request.attacks,
        budget=request.queries,
        limit=request.candidates,
        generated=0,  # it would cost more than all that is asked for
        chunk=CHUNK,
        device=request.device,
        command=request.command,
        progress=progress,
    )


def is_demo(found: Run) -> bool:
    """Whether `miagym demo` made it."""
    return found.command.startswith("miagym demo")


def names_within(access: str) -> tuple[str, ...]:
    """The quick attacks that an attacker with this access, or less, can run.

    Args:
        access: "black", "grey" or "white".
    """
    from miagym.api.attacks import described_attacks

    most = Access.of(access)
    described = {one["name"]: Access.of(one["access"]) for one in described_attacks()}
    return tuple(name for name in QUICK_ATTACKS if described[name] <= most)


def _attacks(names: tuple[str, ...]) -> dict[str, Attack]:
    from miagym.api.names import attacks_of

    return {**attacks_of(names)}


def _costs(attack: Attack, queries: int | None) -> list[int]:
    """Rows that each variant takes for one candidate, as far as the budget pays for it."""
    attack = attack if queries is None else attack.within(queries)
    variants = [v for v in attack.variants() if queries is None or v.cost.queries <= queries]
    return [v.cost.price for v in variants or (attack,)]


def _is_whole(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
