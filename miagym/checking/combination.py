"""Several attacks, one score: a logistic regression that the fitting part teaches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from miagym.errors import TooFewToLearn
from miagym.evaluation.protocol import Attack, LearnedAttack, cross_fitted

Signals = Mapping[str, NDArray[np.float64]]
"""By attack: (n, d), its score (d = 1), or what its rule sees of each picture."""


@dataclass(frozen=True, eq=False)
class Combination:
    """Scores of single attacks, and of all together; nothing here has seen a ranking picture.

    Args:
        fitted: attacks that learn, fitted.
        regression: on the standardised scores of all attacks.
    """

    fitted: Mapping[str, LearnedAttack]
    regression: Pipeline

    @classmethod
    def of(
        cls,
        attacks: Mapping[str, Attack],
        signals: Signals,
        member: NDArray[np.bool_],
        groups: NDArray[np.integer],
        seed: int,
    ) -> Combination:
        """Fitted to the signals (n, d), labels (n,) and groups (n,) of the fitting part.

        What an attack has learned from a picture must not teach the regression how much to trust
        it there; so the regression sees learned attacks cross-fitted.

        Raises:
            TooFewToLearn: if an attack that learns finds too little in a half of the fitting part.
        """
        learned = {n: a for n, a in attacks.items() if isinstance(a, LearnedAttack)}
        columns = [
            _held_out(name, learned[name], signals[name], member, groups, seed)
            if name in learned
            else signals[name][:, 0]
            for name in attacks
        ]
        regression = make_pipeline(
            StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000)
        )
        regression.fit(np.stack(columns, axis=1), member)
        return cls({n: a.fit(signals[n], member) for n, a in learned.items()}, regression)

    def single(self, signals: Signals) -> dict[str, NDArray[np.float64]]:
        """Scores (n,) of each attack, high = member."""
        return {
            name: self.fitted[name].score(values) if name in self.fitted else values[:, 0]
            for name, values in signals.items()
        }

    def together(self, single: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        """Scores (n,) of all attacks together, from those of each: log odds, high = member."""
        return self.regression.decision_function(np.stack(list(single.values()), axis=1))


def _held_out(
    name: str,
    attack: LearnedAttack,
    features: NDArray[np.float64],
    member: NDArray[np.bool_],
    groups: NDArray[np.integer],
    seed: int,
) -> NDArray[np.float64]:
    scores = cross_fitted(attack, features, member, seed, groups)
    if scores is None:
        raise TooFewToLearn(
            f"{name} learns from the fitting part of the calibration part, which is too small: "
            f"{int(member.sum())} members and {int((~member).sum())} non-members; leave the attack "
            "out, or calibrate by more pictures."
        )
    return scores
