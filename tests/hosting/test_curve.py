"""What an agent earns along budgets, on the same candidates, and the area under it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from miagym.agents.never import NeverAsks
from miagym.cli import app
from miagym.hosting.bench.curve import BudgetCurve, curves, shares
from miagym.hosting.bench.playing import Bench
from miagym.hosting.bench.run import with_budgets
from miagym.hosting.dealing.labels import Labels
from miagym.hosting.records.keys import BLIND
from miagym.hosting.suite import SUITES
from tests.hosting.serving import TASK

BUDGETS = (30, 60, 120)


def labels(n: int, in_group: int) -> Labels:
    member = np.arange(n) % 2 == 0
    return Labels(tuple(map(str, range(n))), member, np.arange(n) // in_group)


@given(st.lists(st.integers(1, 10_000), min_size=2, max_size=8, unique=True))
def test_shares_are_one_in_all_and_a_straight_line_has_its_middle(budgets: list[int]) -> None:
    budgets = sorted(budgets)
    share = shares(budgets)
    assert share.min() > 0 and share.sum() == pytest.approx(1)
    at = np.log(budgets)
    assert share @ at == pytest.approx((at[0] + at[-1]) / 2)
    assert shares(BUDGETS) == pytest.approx([0.25, 0.5, 0.25])


def test_an_area_is_told_beside_the_first_players_on_the_same_candidates() -> None:
    rng, known = np.random.default_rng(0), labels(200, 2)
    sure = [0.1, 0.2, 0.4]
    noise = rng.normal(0, 0.05, 200)
    first = [0.5 + (known.member - 0.5) * s + noise for s in sure]
    better = [0.5 + (known.member - 0.5) * (s + 0.2) + noise for s in sure]
    blind = np.full(200, 0.5)
    each = [{"even": a, "mine": b, BLIND: blind} for a, b in zip(first, better, strict=True)]
    even, mine, never = curves(BUDGETS, each, known)
    assert [one.is_blind for one in (even, mine, never)] == [False, False, True]
    assert list(mine.rewards) == sorted(mine.rewards)
    for one in (even, mine):
        assert one.area == pytest.approx(np.dot([0.25, 0.5, 0.25], one.rewards))
        assert one.area_ci[0] < one.area < one.area_ci[1]
    assert even.gain == 0 and even.gain_ci == (0, 0)
    assert mine.gain == pytest.approx(mine.area - even.area) and mine.gain_ci[0] > 0
    width = np.ptp(mine.gain_ci)
    assert width < np.ptp(mine.area_ci), "paired: what is hard for both is no difference"
    assert never.rewards == (0, 0, 0) and never.area_ci == (0, 0)


def test_look_alikes_are_no_independent_evidence() -> None:
    rng = np.random.default_rng(0)
    lucky = np.repeat(rng.normal(0, 0.2, 25), 8)  # the same for all eight of a group
    scores = [{"mine": np.clip(0.5 + lucky, 0, 1)}] * 2
    known = labels(200, 8)
    alone = Labels(known.keys, known.member, None)
    (grouped,), (each,) = (curves((1, 2), scores, one) for one in (known, alone))
    assert isinstance(grouped, BudgetCurve) and grouped.area == each.area
    assert np.ptp(grouped.area_ci) != np.ptp(each.area_ci)


def test_every_budget_has_the_same_hands() -> None:
    tasks = with_budgets([TASK], [24, 8, 24])
    assert [task.budget for task in tasks] == [8, 24]
    assert with_budgets([TASK], []) == [TASK]
    walks = [Bench(task).walk(lambda train: NeverAsks()) for task in tasks]
    assert list(walks[0].scores) == list(walks[1].scores)


@pytest.mark.slow
def test_the_command_draws_a_curve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SUITES, "small", (TASK,))
    asked = ["bench", "even", "--suite", "small", "--budget", "4", "--budget", "8"]
    found = CliRunner().invoke(app, [*asked, "--json", "--out", str(tmp_path / "out")])
    assert found.exit_code == 0, found.output
    told = json.loads(found.stdout)
    saved = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    assert saved["tasks"] == told["tasks"] and saved["curves"] == told["curves"]
    assert list(told["tasks"]) == ["small-of-4", "small-of-8"]
    assert {path.name for path in (tmp_path / "out").glob("*.csv")} == {
        "small-of-4.csv",
        "small-of-8.csv",
    }
    rows = {row["player"]: row for row in told["curves"]["small"]}
    assert set(rows) == {"even", "adaptive", "blind", "never asks"}
    for budget, name in zip((4, 8), told["tasks"], strict=True):
        for row in told["tasks"][name]:
            earned = rows[row["player"]]["rewards"][(4, 8).index(budget)]
            assert earned == row["brier_reward"]
    shown = CliRunner().invoke(app, asked)
    assert shown.exit_code == 0 and "Brier reward by budget" in shown.output
    assert "less even" in shown.output and "small, 8 UNet rows a hand" in shown.output
