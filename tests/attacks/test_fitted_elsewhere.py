"""A fitted attack, asked of a model whose answers have another shape."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from attacks.learning.rules import Classifier, MeanProbability
from miagym.errors import FittedElsewhere


def fitted(width: int) -> Classifier:
    rng = np.random.default_rng(0)
    rule = Classifier.of(LogisticRegression())
    return rule.fit(rng.normal(size=(20, width)), np.arange(20) < 10)


@pytest.mark.parametrize("rule", [fitted(5), MeanProbability(2, fitted(2), fitted(3))])
def test_features_of_another_model_are_a_sentence(rule: Classifier | MeanProbability) -> None:
    with pytest.raises(FittedElsewhere, match="fit the attack to this one"):
        rule.score(np.zeros((4, 9)))
    assert rule.score(np.zeros((4, 5))).shape == (4,)
