"""Empirical epsilon: closed forms, and no proof of more than a private training loses."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from miagym.metrics.epsilon import epsilon_at_least


def test_closed_forms() -> None:
    assert epsilon_at_least((0.2, 0.4), (0.0, 0.1)) == pytest.approx(math.log(2))
    assert epsilon_at_least((0.2, 0.4), (0.0, 0.1), delta=0.1) == pytest.approx(math.log(1))
    assert epsilon_at_least((0.9, 1.0), (0.3, 0.5)) == pytest.approx(math.log(0.5 / 0.1))
    assert epsilon_at_least((0.01, 0.1), (0.02, 0.2)) == 0
    assert epsilon_at_least((0.5, 1.0), (0.0, 0.0)) == math.inf
    with pytest.raises(ValueError, match="delta"):
        epsilon_at_least((0.1, 0.2), (0.1, 0.2), delta=1)


@pytest.mark.slow
def test_randomised_response_is_proven_for_no_more_than_it_is() -> None:
    """It has epsilon 1 exactly: TPR / FPR = e. At most one in twenty proofs may exceed that."""
    rng, truth, n = np.random.default_rng(0), 1.0, 400
    tpr = math.e / (1 + math.e)

    def interval(share: float) -> tuple[float, float]:
        ci = binomtest(int(rng.binomial(n, share)), n).proportion_ci(method="exact")
        return ci.low, ci.high

    proofs = [epsilon_at_least(interval(tpr), interval(1 - tpr)) for _ in range(300)]
    assert np.mean(np.array(proofs) > truth) <= 0.05
    assert np.median(proofs) > 0.6
