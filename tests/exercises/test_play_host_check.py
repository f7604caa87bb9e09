"""The check of exercise 6 lets through an agent that listens, and hardly ever a guess."""

from __future__ import annotations

import numpy as np
import pytest

from miagym.exercises.checks.play_host import check_verdicts
from miagym.exercises.task import Wrong

HANDS, PICTURES, GUESSES = 2, 16, 2000


def passes(evidence: np.ndarray, said: np.ndarray) -> bool:
    try:
        check_verdicts([*zip(evidence, said, strict=True)])
    except Wrong:
        return False
    return True


def test_a_guess_does_not_pass_for_a_player() -> None:
    rng = np.random.default_rng(0)
    guesses = [passes(*rng.normal(size=(2, HANDS, PICTURES))) for _ in range(GUESSES)]
    assert np.mean(guesses) < 0.005


@pytest.mark.parametrize("noise", [0, 0.5])
def test_who_listens_passes(noise: float) -> None:
    """Also whoever adds something of their own to what they were told."""
    rng = np.random.default_rng(1)
    evidence = rng.normal(size=(HANDS, PICTURES))
    assert passes(evidence, evidence + noise * rng.normal(size=evidence.shape))


def test_one_verdict_for_all_says_nothing() -> None:
    evidence = np.random.default_rng(2).normal(size=(HANDS, PICTURES))
    with pytest.raises(Wrong, match="hardly follows what it was told"):
        check_verdicts([(each, np.full(PICTURES, 0.5)) for each in evidence])
