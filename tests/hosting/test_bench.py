"""A bench deals everybody the same candidates, and judges what they say beside baselines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from miagym.agents.never import NeverAsks
from miagym.cli import app
from miagym.errors import MiagymError, RunError, SettingsError, UnknownName
from miagym.hosting.bench.agents import BASELINES, even, maker_of
from miagym.hosting.bench.playing import Bench
from miagym.hosting.bench.run import bench, check_new, chosen, save_bench
from miagym.hosting.suite import SUITES
from tests.hosting.serving import TASK

MINE = """
from miagym.agents.never import NeverAsks

THREE = 3


def make(train):
    return NeverAsks()


def nothing(train):
    return None
"""


@pytest.fixture
def mine(tmp_path: Path) -> str:
    (tmp_path / "my_agent.py").write_text(MINE, encoding="utf-8")
    return f"{tmp_path}/my_agent.py"


def test_every_candidate_of_the_deck_is_judged_once_and_everybody_gets_the_same() -> None:
    one, other = (Bench(TASK).walk(lambda train: NeverAsks(), seed) for seed in (0, 1))
    assert len(one.scores) == TASK.hands * TASK.candidates and one.spent == 0
    assert list(one.scores) == list(other.scores) and set(one.scores.values()) == {0.5}
    some = Bench(TASK, most=1).walk(lambda train: NeverAsks())
    assert list(some.scores) == list(one.scores)[: TASK.candidates]


def test_a_family_is_learned_in_an_environment_for_each_target() -> None:
    family = replace(TASK, targets=("clipart-overfit@40", "clipart-overfit"))
    seen: list[str] = []

    def maker(train: Sequence[Any]) -> NeverAsks:
        seen.extend(str(envs.settings.target) for envs in train)
        assert {envs.settings.split for envs in train} == {"train"}
        return NeverAsks()

    played = Bench(family)
    assert {len(hands) for hands in played.hands.values()} == {1, 2}
    assert len(played.walk(maker).scores) == TASK.hands * TASK.candidates
    assert seen == list(family.targets)


@pytest.mark.long
@pytest.mark.slow
def test_asking_beats_not_asking_and_is_paid() -> None:
    task = replace(TASK, hands=12, candidates=8, slots=4, budget=24)
    walks: list[int] = []
    (found,) = bench("even", [task], None, 0, lambda: walks.append(1))
    rows = {row.player: row for row in found.standings}
    assert set(rows) == {*BASELINES, "blind", "never asks"} and len(walks) == len(BASELINES)
    assert rows["even"].auc > 0.75 and rows["even"].spent == 12 * 24
    assert rows["never asks"].brier_reward == 0 and rows["never asks"].spent == 0
    low, high = rows["even"].brier_reward_ci or (0, 0)
    assert low < (rows["even"].brier_reward or 0) < high
    again = Bench(task).walk(even)
    assert again.scores == found.walk.scores


@pytest.mark.slow
def test_the_command_writes_what_it_prints(
    mine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SUITES, "small", (TASK,))
    out = tmp_path / "out"
    asked = ["bench", f"{mine}:make", "--suite", "small", "--json", "--out", str(out)]
    found = CliRunner().invoke(app, asked)
    assert found.exit_code == 0, found.output
    rows = json.loads(found.stdout)["tasks"]["small"]
    told = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert told["tasks"]["small"] == rows and told["agent"] == f"{mine}:make"
    lines = (out / "small.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "ids,score" and len(lines) == 1 + TASK.hands * TASK.candidates
    assert {line.partition(",")[2] for line in lines[1:]} == {"0.5"}


def test_an_agent_is_found_by_file_or_module(mine: str) -> None:
    assert isinstance(maker_of(f"{mine}:make")([]), NeverAsks)
    assert maker_of("miagym.hosting.bench.agents:even") is even is maker_of("even")


BAD: list[tuple[str, type[MiagymError], str]] = [
    ("evn", UnknownName, "did you mean even"),
    ("nowhere.py:make", SettingsError, "There is no file nowhere.py"),
    ("no_such_module:make", SettingsError, "There is no module no_such_module"),
]


@pytest.mark.parametrize(("name", "error", "message"), BAD)
def test_agents_that_are_none(name: str, error: type[MiagymError], message: str) -> None:
    with pytest.raises(error, match=message):
        maker_of(name)


def test_what_is_made_is_an_agent(mine: str) -> None:
    with pytest.raises(SettingsError, match="Expected a function THREE"):
        maker_of(f"{mine}:THREE")
    with pytest.raises(SettingsError, match="Expected an agent with act"):
        Bench(TASK, most=1).walk(maker_of(f"{mine}:nothing"))


def test_tasks_and_hands_that_there_are_not(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="did you mean small"):
        chosen([TASK], ["smal"])
    assert chosen([TASK], []) == [TASK]
    with pytest.raises(SettingsError, match="from 1 to 3 hands of small, got 4"):
        Bench(TASK, most=4)
    for refuses in (check_new, lambda out: save_bench([], {}, "even", 0, out)):
        with pytest.raises(RunError, match="name a new folder"):
            refuses(tmp_path)


def test_the_deal_does_not_depend_on_what_was_dealt_before() -> None:
    first, again = Bench(TASK), Bench(TASK)
    for target, hands in first.hands.items():
        pairs = zip(hands, again.hands[target], strict=True)
        assert all(np.array_equal(a.places, b.places) for a, b in pairs)
