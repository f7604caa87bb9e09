"""Controls stay silent where there is nothing, and alarm where intervals lie."""

from __future__ import annotations

import numpy as np
import pytest

from miagym.metrics import controls
from miagym.metrics.controls import (
    ALARM,
    REPETITIONS,
    label_shuffle,
    nonmembers_against_nonmembers,
    null_target,
)


def scores(shift: float, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    member = rng.permutation(np.repeat([True, False], n))
    return rng.normal(size=2 * n) + shift * member, member


def test_shuffled_labels_find_nothing_and_the_true_ones_stand_out() -> None:
    """However strong the attack is, its control is at 0.5, and its p-value the smallest."""
    control = label_shuffle(*scores(2.0), seed=0)
    assert control.passed and control.coverage is not None and control.coverage > 0.9
    assert 0.48 < control.auc < 0.52
    assert control.auc_ci[0] < 0.5 < control.auc_ci[1]
    assert control.p_value == 1 / (1 + REPETITIONS)


def test_an_attack_that_finds_nothing_has_a_large_p_value() -> None:
    control = label_shuffle(*scores(0.0), seed=0)
    assert control.p_value is not None and control.p_value > 0.05


def test_ties_count_against_the_attack() -> None:
    """All scores equal: every shuffle is as good as the truth."""
    _, member = scores(0.0)
    assert label_shuffle(np.zeros(len(member)), member, seed=0).p_value == 1


def test_only_non_members_are_dealt() -> None:
    """Members may score as they like; too few non-members make no control."""
    score, member = scores(0.0)
    moved = np.where(member, 1e9, score)
    one, other = (nonmembers_against_nonmembers(s, member, seed=3) for s in (score, moved))
    assert one is not None and one == other and one.passed
    assert (one.n_members, one.n_nonmembers) == (150, 150)
    assert nonmembers_against_nonmembers([1.0, 2, 3, 4], np.array([True, False] * 2), 0) is None


def test_a_null_target_that_knows_something_is_an_alarm() -> None:
    assert null_target(*scores(0.0)).passed
    assert not null_target(*scores(1.0)).passed


@pytest.mark.parametrize("width", [0.2, 1.0])
def test_intervals_that_are_too_narrow_are_caught(
    monkeypatch: pytest.MonkeyPatch, width: float
) -> None:
    """An interval of a fifth of its width holds 0.5 far too rarely; the right one does not fail."""
    real = controls.delong

    def narrowed(*counts: np.ndarray) -> tuple[float, tuple[float, float]]:
        value, (low, high) = real(*counts)
        return value, (value - width * (value - low), value + width * (high - value))

    monkeypatch.setattr(controls, "delong", narrowed)
    assert label_shuffle(*scores(0.5), seed=0).passed == (width == 1.0)


def test_false_alarms_are_rare() -> None:
    """Of 300 honest controls, hardly one fails: the level is a third of 2 %."""
    rng, member = np.random.default_rng(0), np.arange(200) < 100
    alarms = sum(
        not null_target(np.round(rng.normal(size=200), 1), member).passed for _ in range(300)
    )
    assert alarms <= 8 and ALARM == 0.02  # a third of 2 % each
