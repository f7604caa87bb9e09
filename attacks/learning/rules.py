"""Decision rules that learned attacks fit on calibration data; saved as arrays, never pickled."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, clone
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from miagym.oracle import FittedElsewhere

Arrays = Mapping[str, NDArray]
Features = NDArray[np.float64]
Labels = NDArray[np.bool_]

TRUSTED = [
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.tree._tree.Tree",
    "sklearn.utils._bunch.Bunch",
]
"""Types of scikit-learn that skops does not rebuild unasked; it never runs code from a file."""


class Rule(ABC):
    """Turns features (n, d) into scores (n,), higher = member; immutable: `fit` returns a copy."""

    @abstractmethod
    def fit(self, features: Features, member: Labels) -> Self:
        """A copy fitted to features (n, d) and labels (n,)."""

    @abstractmethod
    def score(self, features: Features) -> NDArray[np.float64]:
        """Scores (n,)."""

    def arrays(self) -> Arrays:
        """What was learned, as arrays by name; the fields, where each is an array."""
        return vars(self)

    def with_arrays(self, arrays: Arrays) -> Self:
        """A copy that has learned what `arrays` holds."""
        return type(self)(**arrays)


@dataclass(frozen=True)
class Classifier(Rule):
    """A scikit-learn classifier behind its scaler.

    The score is its decision function (log odds), or, of trees and networks that have none, its
    probability of membership.

    Args:
        pipeline: ends in a classifier whose randomness is fixed.
    """

    pipeline: Pipeline

    @classmethod
    def of(cls, classifier: ClassifierMixin, scaler: object | None = None) -> Self:
        """A classifier on features scaled by `scaler`, to mean 0 and deviation 1 by default."""
        return cls(make_pipeline(StandardScaler() if scaler is None else scaler, classifier))

    def fit(self, features: Features, member: Labels) -> Self:
        return type(self)(cast(Pipeline, clone(self.pipeline)).fit(features, member))

    def score(self, features: Features) -> NDArray[np.float64]:
        # Log odds keep the order that probabilities lose when they round to 1.
        if hasattr(self.pipeline, "decision_function"):
            self._check(features)
            return np.asarray(self.pipeline.decision_function(features), dtype=np.float64)
        return self.probability(features)

    def probability(self, features: Features) -> NDArray[np.float64]:
        """Probabilities of membership (n,)."""
        self._check(features)
        return self.pipeline.predict_proba(features)[:, 1]

    def _check(self, features: Features) -> None:
        learned = getattr(self.pipeline[0], "n_features_in_", features.shape[1])
        if features.shape[1] != learned:
            raise FittedElsewhere(
                f"Expected {learned} features, as of the model that this rule was fitted to, got "
                f"{features.shape[1]} of another kind of model; fit the attack to this one."
            )

    def arrays(self) -> Arrays:
        import skops.io  # takes seconds: it looks at all of scikit-learn

        return {"skops": np.frombuffer(skops.io.dumps(self.pipeline), dtype=np.uint8)}

    def with_arrays(self, arrays: Arrays) -> Self:
        import skops.io

        return type(self)(skops.io.loads(arrays["skops"].tobytes(), trusted=TRUSTED))


@dataclass(frozen=True)
class MeanProbability(Rule):
    """The mean probability of two classifiers, each of which sees columns of its own.

    scikit-learn says the same by a VotingClassifier of ColumnTransformers, which keep an object for
    each column: 21 megabytes where these are one.

    Args:
        width: columns of the first; the others are those of the second.
        first: a classifier.
        second: another one.
    """

    width: int
    first: Classifier
    second: Classifier

    def fit(self, features: Features, member: Labels) -> Self:
        first, second = self._columns(features)
        fitted = self.first.fit(first, member), self.second.fit(second, member)
        return type(self)(self.width, *fitted)

    def score(self, features: Features) -> NDArray[np.float64]:
        first, second = self._columns(features)
        return (self.first.probability(first) + self.second.probability(second)) / 2

    def arrays(self) -> Arrays:
        both = {"first": self.first.arrays(), "second": self.second.arrays()}
        return {f"{part} {name}": a for part, own in both.items() for name, a in own.items()}

    def with_arrays(self, arrays: Arrays) -> Self:
        first, second = (
            {name.removeprefix(part): a for name, a in arrays.items() if name.startswith(part)}
            for part in ("first ", "second ")
        )
        return type(self)(
            self.width, self.first.with_arrays(first), self.second.with_arrays(second)
        )

    def _columns(self, features: Features) -> tuple[Features, Features]:
        return features[:, : self.width], features[:, self.width :]
