"""Classifiers that learn membership from every signal at every timestep of one trajectory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.tree import DecisionTreeClassifier

from attacks.base import LearnedAttack, as_features
from attacks.grey_box.trajectory import SETTINGS, Signal, Trajectory
from attacks.learning.rules import Arrays, Classifier, Features, Labels, Rule
from miagym.oracle import Access, Candidates, Oracle

SEED = 0


@dataclass(frozen=True)
class TrajectoryClassifier(LearnedAttack):
    """Base of the four classifiers of Dubiński et al.: all signals of one trajectory as features.

    Dubiński et al., WACV 2024, arXiv 2306.12983. Grey box. Features: model loss, latent error and
    pixel error at all visited timesteps of one setting, concatenated, then scaled to mean 0 and
    deviation 1 (ours). The paper reads TPR off random splits of one set; here calibration data are
    learned from, and test data are never seen. The setting's timesteps are ours, see `SETTINGS`.
    Features depart from the authors' code as `Trajectory` does. It matters most for those of
    "diff-starts": there one eps serves all timesteps, here each has its own, so that features have
    another joint distribution; what that changes was not measured. Theirs are means of 5 draws,
    ours of 1.

    Costs for each draw and visited timestep 1 UNet row, 2 with guidance, and 1 decode; 1 encode.

    Args:
        setting: name of a setting.
    """

    access = Access.GREY
    paper = "Dubiński et al. 2024, arXiv 2306.12983"

    setting: str = "partial-denoising"

    @property
    def trajectory(self) -> Trajectory:
        """The trajectory of the setting."""
        return SETTINGS[self.setting]

    def features(self, oracle: Oracle, candidates: Candidates) -> NDArray[np.float64]:
        positions = range(len(self.trajectory.visited()))
        return as_features(self.trajectory.errors(oracle, candidates, list(Signal), positions))


@dataclass(frozen=True)
class TrajectoryLogistic(TrajectoryClassifier):
    """Logistic regression on all signals of one trajectory. Faithful.

    Args:
        C: inverse strengths of the penalty, to choose among.
    """

    C: tuple[float, ...] = (0.01, 0.1, 1.0, 10.0, 100.0)

    def new_rule(self) -> Rule:
        return GridSearch.of(LogisticRegression(max_iter=1000)).over(C=self.C)


@dataclass(frozen=True)
class TrajectoryTree(TrajectoryClassifier):
    """A decision tree on all signals of one trajectory. Faithful.

    Args:
        depths: largest depths to choose among.
        splits: the fewest candidates that a node may split, to choose among.
    """

    depths: tuple[int, ...] = (2, 8, 16)
    splits: tuple[int, ...] = (2, 8, 16)

    def new_rule(self) -> Rule:
        tree = DecisionTreeClassifier(random_state=SEED)
        return GridSearch.of(tree).over(max_depth=self.depths, min_samples_split=self.splits)


@dataclass(frozen=True)
class TrajectoryForest(TrajectoryClassifier):
    """A random forest on all signals of one trajectory. Simplified: at most 300 trees.

    Args:
        trees: numbers of trees to choose among. The paper's are 10, 100, 1000; 300 is ours, because
            1000 would be fitted for a minute.
        depths: largest depths to choose among.
    """

    trees: tuple[int, ...] = (10, 100, 300)
    depths: tuple[int, ...] = (2, 8, 16)

    def new_rule(self) -> Rule:
        forest = RandomForestClassifier(random_state=SEED)
        return GridSearch.of(forest).over(n_estimators=self.trees, max_depth=self.depths)


@dataclass(frozen=True)
class TrajectoryNetwork(TrajectoryClassifier):
    """A network of one hidden layer on all signals of one trajectory. Faithful.

    ReLU units, trained by Adam on cross entropy. Training stops when accuracy on the
    validation part has not risen for 10 epochs (ours).

    Args:
        units: in the hidden layer.
        learning_rate: of Adam.
        validation: the share of calibration data that decides when to stop.
        epochs: the most (ours).
    """

    units: int = 10
    learning_rate: float = 1e-3
    validation: float = 0.2
    epochs: int = 2000

    def new_rule(self) -> Rule:
        network = MLPClassifier(
            (self.units,),
            learning_rate_init=self.learning_rate,
            early_stopping=True,
            validation_fraction=self.validation,
            max_iter=self.epochs,
            random_state=SEED,
        )
        return Classifier.of(network)


@dataclass(frozen=True)
class GridSearch(Classifier):
    """A classifier whose hyperparameters are chosen by AUC in 5-fold cross-validation.

    Only the chosen pipeline is kept: the search itself holds types that cannot be saved.
    """

    grid: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def over(self, **grid: Sequence[float]) -> Self:
        """This classifier, to be searched over its parameters by name."""
        name = self.pipeline.steps[-1][0]
        return replace(self, grid={f"{name}__{key}": values for key, values in grid.items()})

    def fit(self, features: Features, member: Labels) -> Self:
        search = GridSearchCV(self.pipeline, self.grid, scoring="roc_auc", cv=5)
        return replace(self, pipeline=search.fit(features, member).best_estimator_)

    def with_arrays(self, arrays: Arrays) -> Self:
        return replace(self, pipeline=super().with_arrays(arrays).pipeline)
