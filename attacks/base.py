"""What an attack is: hyperparameters in the constructor, data in the call, no state."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from torch import Tensor

from attacks.learning.rules import Rule
from miagym.oracle import (
    Access,
    AttackError,
    Candidates,
    Cost,
    NoCaption,
    NotFitted,
    Oracle,
    TooFewToLearn,
    metered_cost,
)

Scores = NDArray[np.float64]
"""(n,), higher = member."""
FORMAT = "miagym fitted attack 1"
"""What stands in the metadata of a saved attack."""


@dataclass(frozen=True)
class Attack(ABC):
    """An attack of one paper: a frozen dataclass, so that `repr` is the constructor call.

    `access` and `__call__` are all that an attack has to bring.
    """

    access: ClassVar[Access]
    """What it asks; a class may name the level, as in "grey"."""
    paper: ClassVar[str] = ""
    adaptive: ClassVar[bool] = False
    """Whether it spends less than `cost` on candidates that it is sure about."""
    uses_reference: ClassVar[bool] = False
    """Whether it calibrates by a public reference model."""
    uses_shadows: ClassVar[bool] = False
    """Whether it compares with shadow models."""

    def __init_subclass__(cls, **options: Any) -> None:
        """Takes an access level by its name, as the oracle does.

        Raises:
            UnknownName: if there is none of this name.
        """
        super().__init_subclass__(**options)
        if isinstance(named := cls.__dict__.get("access"), str):
            cls.access = Access.of(named)

    @abstractmethod
    def __call__(self, oracle: Oracle, candidates: Candidates) -> Scores:
        """Scores of candidates (n,); higher means member."""

    @property
    def cost(self) -> Cost:
        """What the oracle charges for one candidate; the most, if the attack is adaptive.

        Measured in a dry run. Declare it where one run does not show it: in an adaptive attack.
        """
        return metered_cost(self)

    @property
    def beside(self) -> Mapping[str, Attack]:
        """Blind attacks, by name, without whose rows a table with this attack does not stand."""
        return {}

    def variants(self) -> tuple[Attack, ...]:
        """This attack under other hyperparameters; calibration data choose among them.

        The first is the default, which wins ties. A `LearnedAttack` has none: its rule chooses.
        """
        return (self,)

    def within(self, queries: int) -> Attack:
        """This attack, spending up to so many queries a candidate if it can make use of them."""
        return self

    def anytime(self, oracle: Oracle, candidates: Candidates) -> Mapping[int, Scores]:
        """Scores by the queries spent on a candidate until then; the last are the attack's own."""
        return {self.cost.queries: self(oracle, candidates)}


@dataclass(frozen=True)
class LearnedAttack(Attack):
    """An attack that learns its decision rule from calibration data."""

    fewest: ClassVar[int] = 10
    """Members, and non-members, without which nothing is learned."""

    rule: Rule | None = field(default=None, repr=False, compare=False, kw_only=True)
    """Fitted, or None before `fit`."""

    @abstractmethod
    def features(self, oracle: Oracle, candidates: Candidates) -> NDArray[np.float64]:
        """What the rule sees of each candidate (n, d); all questions are asked here."""

    @property
    def cost(self) -> Cost:
        return metered_cost(self, self.features)

    @abstractmethod
    def new_rule(self) -> Rule:
        """The rule before it is fitted, its randomness fixed."""

    def check_calibration(self, member: NDArray[np.bool_]) -> None:
        """Refuses calibration candidates with these labels (n,), if they are too few to learn from.

        Raises:
            TooFewToLearn: if there are fewer than `fewest` of either kind.
        """
        kinds = int(member.sum()), int((~member).sum())
        if min(kinds) < self.fewest:
            raise TooFewToLearn(
                f"{type(self).__name__} learns to tell members from non-members from at least "
                f"{self.fewest} of each; the calibration candidates are {kinds[0]} members and "
                f"{kinds[1]} non-members."
            )

    def fit(self, features: NDArray[np.float64], member: NDArray[np.bool_]) -> Self:
        """A copy that has learned from calibration features (n, d) and labels (n,).

        Raises:
            TooFewToLearn: see `check_calibration`.
        """
        self.check_calibration(member)
        return replace(self, rule=self.new_rule().fit(features, member))

    @property
    def fitted_rule(self) -> Rule:
        """The decision rule that was fitted.

        Raises:
            NotFitted: before `fit`.
        """
        if self.rule is None:
            raise NotFitted(
                f"{type(self).__name__} learns from calibration data; "
                "call fit(features, member) first, or load a fitted one."
            )
        return self.rule

    def save(self, path: Path) -> None:
        """Writes what was learned; `attacks.learning.saved.load_attack` reads it.

        Raises:
            NotFitted: if nothing was.
        """
        learned = self.fitted_rule.arrays()
        arrays = {name: np.ascontiguousarray(array) for name, array in learned.items()}
        given = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "rule"}
        kind = saved_name(type(self).__module__, type(self).__qualname__)
        about = {"attack": kind, "hyperparameters": json.dumps(given)}
        save_file(arrays, path, metadata={"format": FORMAT, **about})

    def score(self, features: NDArray[np.float64]) -> Scores:
        """Scores (n,) of features (n, d) that were asked for already."""
        return self.fitted_rule.score(features)

    def __call__(self, oracle: Oracle, candidates: Candidates) -> Scores:
        rule = self.fitted_rule  # refused before anything is charged
        return rule.score(self.features(oracle, candidates))


def saved_name(module: str, qualified_name: str) -> str:
    """What tells a class from all others in a saved attack; ours may move within this package."""
    return f"{'attacks' if module.startswith('attacks.') else module}:{qualified_name}"


def as_scores(values: Tensor) -> Scores:
    """Scores (n,) in float64 on the CPU from values on any device: the end of attack arithmetic."""
    assert values.ndim == 1
    return values.detach().cpu().double().numpy()


def as_features(values: Tensor) -> NDArray[np.float64]:
    """Features (n, ...) on any device to float64 (n, d) on the CPU."""
    return values.detach().cpu().double().flatten(1).numpy()


def mean_square(difference: Tensor) -> Tensor:
    """Mean over the elements of each row of the square (n,), in float32 or better."""
    return difference.float().pow(2).flatten(1).mean(1)


def check_access(attack: Attack) -> None:
    """Refuses an attack that does not say what it asks.

    Raises:
        AttackError: if its `access` is no access level, or it has none.
    """
    access = getattr(attack, "access", None)
    if not isinstance(access, Access):
        raise AttackError(
            f"Expected {type(attack).__name__} to have an access of {', '.join(map(str, Access))}, "
            f"got {access!r}; name it in the class, as in `access = Access.GREY`."
        )


def require_positive(attack: Attack, *names: str) -> None:
    """Refuses hyperparameters that must be 1 or more; for `__post_init__`.

    Raises:
        AttackError: if one of them is less.
    """
    for name in names:
        if getattr(attack, name) < 1:
            raise AttackError(
                f"{type(attack).__name__} needs {name} of 1 or more, got {getattr(attack, name)}."
            )


def require_captions(candidates: Candidates, attack: Attack) -> None:
    """Refuses candidates without captions.

    Raises:
        NoCaption: if any of them has none.
    """
    without = sum(not caption.strip() for caption in candidates.captions)
    if without:
        raise NoCaption(
            f"{type(attack).__name__} needs captions, and {without} of {len(candidates)} "
            "candidates have none; add captions, or leave this attack out."
        )
