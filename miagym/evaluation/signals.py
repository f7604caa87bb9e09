"""Attacks ask a target about candidates: the one engine of `evaluate` and of `check`."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from miagym.candidates import Candidates
from miagym.data.dataset import Dataset
from miagym.errors import (
    AccessDenied,
    AttackError,
    BudgetExhausted,
    DataError,
    FittedElsewhere,
    NoCaption,
    RunError,
    TargetError,
    TooFewToLearn,
)
from miagym.evaluation.protocol import Attack, LearnedAttack
from miagym.evaluation.shadow_models import ShadowModels
from miagym.oracle import Budget, Cache, Oracle, Shadows, check_cost
from miagym.oracle.latents import KeptLatents
from miagym.targets.base import Target

REFUSALS = (
    AccessDenied,
    BudgetExhausted,
    FittedElsewhere,
    NoCaption,
    TargetError,
    TooFewToLearn,
)
"""Why an attack is left out, while the others go on."""

Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True, eq=False)
class Signals:
    """What attacks say of candidates under one target.

    Args:
        target: the model in question.
        attacks: by name.
        reference: a public base of the target, for attacks that calibrate by it.
        seed: of all noise.
        batch_size: latents in one call of the target.
        queries: that one candidate may cost; None is no limit.
        posterior: what pictures are encoded to, as in `Oracle`.
        shadows: models like the target, for attacks that compare with them.
        defence: of the target's black box, as in `Oracle`; reference and shadows have none.
        latents: where what pictures are encoded to is kept, as in `Oracle`.
    """

    target: Target
    attacks: Mapping[str, Attack]
    reference: Target | None = None
    seed: int = 0
    batch_size: int = 64
    queries: int | None = None
    posterior: str = "mean"
    shadows: ShadowModels | None = None
    defence: str = ""
    latents: KeptLatents | None = None

    def oracle(self, attack: Attack, cache: Cache, target: Target | None = None) -> Oracle:
        """The oracle that one attack gets: a meter of its own, a cache that it may share.

        Args:
            attack: says how much may be asked.
            cache: of answers, shared by the attacks on the same candidates.
            target: what is asked; `self.target` by default.
        """

        def door(
            target: Target,
            reference: Oracle | None = None,
            shadows: Shadows | None = None,
            defence: str = "",
        ) -> Oracle:
            return Oracle(
                target,
                attack.access,
                seed=self.seed,
                cache=cache,
                batch_size=self.batch_size,
                budget=Budget(queries=self.queries),
                reference=reference,
                shadows=shadows,
                posterior=self.posterior,
                defence=defence,
                latents=self.latents,
            )

        reference = None if self.reference is None else door(self.reference)
        shadows = None
        if self.shadows is not None and attack.uses_shadows:
            shadows = self.shadows.through(lambda model: door(model, reference))
        return door(target or self.target, reference, shadows, self.defence)

    def generated(self, candidates: Candidates) -> Candidates:
        """What the target draws from the captions of candidates, as candidates of their own.

        Raises:
            TargetError: if it generates without being told anything.
        """
        given = {"seed": self.seed, "batch_size": self.batch_size, "defence": self.defence}
        oracle = Oracle(self.target, **given)
        images = oracle.generate(candidates).permute(0, 2, 3, 1) * 255
        pixels = images.round().clamp(0, 255).byte().cpu().numpy()
        return Candidates(pixels, candidates.captions)

    def of(
        self, attacks: Mapping[Name, Attack], candidates: Candidates
    ) -> dict[Name, NDArray[np.float64]]:
        """By attack: scores (n, 1), or what its rule sees (n, d); all under one cache."""
        cache = Cache()
        return {
            name: _signal(attack, self.oracle(attack, cache), candidates)
            for name, attack in attacks.items()
        }

    def refused(
        self, candidate: Candidates, member: NDArray[np.bool_] | None = None
    ) -> dict[str, str]:
        """Which attacks cannot be run on a candidate like this one, and why.

        Args:
            candidate: one; without a caption, where there are such.
            member: labels (n,) of what attacks may learn from, if their number is to be checked.

        Raises:
            AttackError: if an attack gives what are no scores, or declares another cost than the
                meter counted.
        """
        reasons = {}
        for name, attack in self.attacks.items():
            try:
                if member is not None and isinstance(attack, LearnedAttack):
                    attack.check_calibration(member)
                oracle = self.oracle(attack, Cache())
                _signal(attack, oracle, candidate)
            except REFUSALS as error:
                reasons[name] = str(error)
            else:
                if self.queries is None:
                    check_cost(attack.cost, oracle.meter.total(), attack.adaptive, name)
        return reasons

    def check_any_left(self, attacks: Iterable[str], reasons: Iterable[str]) -> None:
        """Whether there is anything left to ask.

        Raises:
            RunError: if every attack was refused, with the reasons.
        """
        if not list(attacks):
            told = " ".join(dict.fromkeys(f"{why.rstrip('.')}." for why in reasons))
            raise RunError(f"No attack can be run on {self.target.name}: {told}")


def _signal(attack: Attack, oracle: Oracle, candidates: Candidates) -> NDArray[np.float64]:
    if isinstance(attack, LearnedAttack):
        return attack.features(oracle, candidates)
    return checked_scores(attack, attack(oracle, candidates), len(candidates))[:, None]


def first_readable(data: Dataset, rows: NDArray[np.integer], size: int) -> Candidates:
    """The first of some rows whose picture can be read, as one candidate.

    Raises:
        DataError: if there is none.
    """
    for row in rows:
        loaded = data.load(np.array([row]), size)
        if len(loaded.rows):
            return loaded.candidates
    raise DataError(f"None of the {len(rows)} pictures of {data.name} can be read.")


def checked_scores(attack: Attack, scores: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """The scores of an attack, if they are what an evaluation can use.

    Raises:
        AttackError: if they are no n finite numbers.
    """
    found = np.asarray(scores)
    if found.shape != (n,) or not np.issubdtype(found.dtype, np.number):
        raise AttackError(
            f"{attack!r} gave scores of shape {found.shape} and type {found.dtype} for {n} "
            f"candidates; expected {n} numbers of shape ({n},), higher = member."
        )
    if not np.isfinite(found).all():
        row = int(np.flatnonzero(~np.isfinite(found))[0])
        raise AttackError(
            f"{attack!r} scored candidate {row} of {n} with {found[row]}; expected finite numbers."
        )
    return found.astype(np.float64, copy=False)
