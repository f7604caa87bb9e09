"""The calibrated: what a calibration teaches, ready to be applied to pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from miagym.candidates import Candidates
from miagym.checking.calibration import Calibration
from miagym.checking.combination import Combination
from miagym.checking.features import looks
from miagym.checking.ood import Guard, Resemblance
from miagym.evaluation.signals import Signals
from miagym.metrics.conformal import RulePower, rule_power
from miagym.metrics.groups.clusters import effective_size, group_numbers
from miagym.metrics.likelihood_ratio import LikelihoodRatio

Scores = NDArray[np.float64]
TOGETHER = "together"
"""The name of the combined score, beside those of the attacks."""

REMEMBERED = 256
"""Pictures whose scores are kept, so that a set of them is not asked about twice."""


@dataclass(frozen=True, eq=False)
class CalibratedScores:
    """Scores pictures under a target, beside the scores of the ranking part.

    A picture is asked about by itself, in batches of one, so that its scores do not depend on what
    is asked about beside it.

    Args:
        signals: who is asked.
        calibration: made with them.
    """

    signals: Signals
    calibration: Calibration
    _remembered: dict[str, dict[str, float]] = field(default_factory=dict, init=False)
    _powers: dict[float, RulePower] = field(default_factory=dict, init=False)

    @cached_property
    def combination(self) -> Combination:
        c = self.calibration
        signals = {name: values[c.fitting] for name, values in c.signals.items()}
        return Combination.of(
            c.attacks, signals, c.member[c.fitting], c.groups[c.fitting], self.signals.seed
        )

    @cached_property
    def guard(self) -> Guard:
        return Guard(self.calibration.looks)

    @cached_property
    def ratio(self) -> LikelihoodRatio:
        return LikelihoodRatio.of(
            self.members[TOGETHER], self.nonmembers[TOGETHER], self.signals.seed
        )

    @cached_property
    def members(self) -> dict[str, Scores]:
        """Scores of the ranking part's members, by attack and `TOGETHER`."""
        return self._ranking(member=True)

    @cached_property
    def nonmembers(self) -> dict[str, Scores]:
        """Scores of the ranking part's non-members, by attack and `TOGETHER`."""
        return self._ranking(member=False)

    @cached_property
    def worth(self) -> tuple[float, float]:
        """How many independent ranking members, and non-members, these are to `TOGETHER`."""
        c = self.calibration
        by_side = ((self.members, c.member), (self.nonmembers, ~c.member))
        ours, theirs = (
            effective_size(scores[TOGETHER], group_numbers(c.groups[~c.fitting & side]))
            for scores, side in by_side
        )
        return ours, theirs

    @cached_property
    def controls(self) -> Scores:
        """`TOGETHER` of ranking non-members, one of each group, to compare a set with.

        The pictures of a group score alike. Were all of a large one among the controls, it would
        move their mean, and with it the answer about any set.
        """
        c = self.calibration
        rows = ~c.fitting & ~c.member
        return self.nonmembers[TOGETHER][np.unique(c.groups[rows], return_index=True)[1]]

    def resemblance(self, picture: Candidates) -> Resemblance:
        """What the guard says of one picture."""
        return self.guard(looks(picture)[0])

    def scores(self, picture: Candidates) -> dict[str, float]:
        """Of one picture, by attack and `TOGETHER`; high = member."""
        key = picture.keys[0]
        found = self._remembered.get(key)
        if found is None:
            scores = self._scores(self.signals.of(self.calibration.attacks, picture))
            found = {name: float(values[0]) for name, values in scores.items()}
            if len(self._remembered) >= REMEMBERED:
                self._remembered.clear()
            self._remembered[key] = found
        return found

    def label(self, picture: Candidates) -> bool | None:
        """Whether this very picture is a calibration member (non-member); None if it is neither."""
        key, keys = picture.keys[0], self.calibration.keys
        return bool(self.calibration.member[keys.index(key)]) if key in keys else None

    def power(self, alpha: float) -> RulePower:
        """What the rule "member-like if p <= alpha" finds; the same for every picture."""
        if alpha not in self._powers:
            ours, theirs = self.members[TOGETHER], self.nonmembers[TOGETHER]
            self._powers[alpha] = rule_power(ours, theirs, alpha, self.worth)
        return self._powers[alpha]

    def prepare(self) -> None:
        """Works out now what is otherwise worked out at the first picture."""
        _ = self.combination, self.guard, self.ratio, self.controls

    def _ranking(self, member: bool) -> dict[str, Scores]:
        c = self.calibration
        rows = ~c.fitting & (c.member == member)
        return self._scores({name: values[rows] for name, values in c.signals.items()})

    def _scores(self, signals: Mapping[str, NDArray[np.float64]]) -> dict[str, Scores]:
        single = self.combination.single(signals)
        return {**single, TOGETHER: self.combination.together(single)}
