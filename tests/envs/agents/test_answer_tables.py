"""Games that are played from a table of answers equal the live ones to the last bit."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import miagym
import miagym.envs
from miagym.cli import app
from miagym.data.dataset import TEST, Dataset
from miagym.envs.answers.file import read_table, write_table
from miagym.envs.options import PoolOptions
from miagym.envs.pool import PoolEnv, PoolVectorEnv
from miagym.envs.settings import Settings
from miagym.envs.single import SingleEnv
from miagym.envs.tables.simulation import Simulation
from miagym.envs.tables.tabulating import tabulate
from miagym.errors import DataError, SettingsError
from miagym.targets.dummy import DummyTarget

DRAWS, BUDGET = 2, 8
MENU = ["variation@0.3", "loss@200"]


@pytest.fixture(scope="module")
def other(drawings) -> DummyTarget:
    """A reference: it has memorised half of what the target has, under weights of another name."""
    found = DummyTarget(drawings[20:40])
    found.name = found.fingerprint = "another"
    return found


@pytest.fixture(scope="module")
def tables(
    small: Dataset, dummy: DummyTarget, other: DummyTarget, tmp_path_factory: pytest.TempPathFactory
) -> dict[bool, Path]:
    """Files of tables, with a reference and without."""
    root, found = tmp_path_factory.mktemp("tables"), {}
    for with_reference in (True, False):
        options = live(small, dummy, other if with_reference else None)
        settings = Settings.of({**options, "budget": BUDGET}, PoolOptions)
        table = tabulate(settings, ("train", "test"), pictures=with_reference)
        found[with_reference] = root / f"{with_reference}.parquet"
        write_table(table, found[with_reference])
    return found


def live(data: Dataset, target: DummyTarget, reference: DummyTarget | None) -> dict[str, Any]:
    return {
        "target": target, "data": data, "reference": reference, "access": "grey",
        "questions": MENU, "draws": DRAWS, "batch_size": 1,
    }  # fmt: skip


def same(one: Any, other: Any) -> bool:
    """Whether two observations, rewards or infos are equal to the last bit."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    return np.array_equal(one, other) and getattr(one, "dtype", None) == getattr(
        other, "dtype", None
    )


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("with_reference", [True, False])
@pytest.mark.parametrize("kind", [PoolEnv, SingleEnv])
def test_a_game_from_a_table_is_the_live_game(
    kind: type, with_reference: bool, split: str, small, dummy, other, tables
) -> None:
    options = {"budget": BUDGET, "split": split}
    options |= {"candidates": 5, "slots": 3} if kind is PoolEnv else {}
    asked = kind(**live(small, dummy, other if with_reference else None), **options)
    looked_up = kind(answers=tables[with_reference], data=small, **options)
    asked.action_space.seed(0)
    for episode in range(3):
        found = [env.reset(seed=None if episode == 2 else 7) for env in (asked, looked_up)]
        over = False
        while not over:
            if not with_reference:  # whose table holds no pictures
                assert found[0][0].pop("images").any() in (True, False)
            assert same(found[0][0], found[1][0]) and found[0][1:][:-1] == found[1][1:][:-1]
            assert same(found[0][-1], found[1][-1])
            action = asked.action_space.sample() | {"stop": 0}
            if asked.affordable().sum() == 0:
                action["stop"] = 1
            found = [env.step(action) for env in (asked, looked_up)]
            over = found[0][2] or found[0][3]
    assert same(asked.verdicts.probability, looked_up.verdicts.probability)
    assert (asked.settings.split == "train") == (len(looked_up.verdicts) == 0)


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_simulation_is_the_vector_environment(split: str, small, tables) -> None:
    options: Any = {"answers": tables[True], "data": small, "split": split, "budget": BUDGET}
    options |= {"candidates": 5, "slots": 3}
    envs = PoolVectorEnv(4, autoreset_mode="Disabled", **options)
    played = Simulation(envs.settings, 4)
    envs.action_space.seed(0)
    for seed in (3, None):
        seen, simulated = envs.reset(seed=seed)[0], played.reset(seed=seed)
        for step in range(4):
            for name in ("answered", "statistics", "count", "summary", "affordable", "budget_left"):
                assert same(seen[name], simulated[name]), name
            action = envs.action_space.sample() | {"stop": np.full(4, int(step == 3))}
            seen, *found = envs.step(action)[:4]
            simulated, *simulated_found = played.step(action)
            assert all(map(np.array_equal, found, simulated_found))
        assert played.over.all() and same(played.probability, envs.game.probability)


def test_labels_of_a_simulation_are_told_on_train_only(small, tables) -> None:
    options = {"answers": tables[True], "data": small, "budget": BUDGET, "candidates": 5}
    played = Simulation(Settings.of({**options, "split": "test"}, PoolOptions), 2)
    played.reset(seed=0)
    with pytest.raises(SettingsError, match="Labels are told on 'train'"):
        played.member()
    with pytest.raises(SettingsError, match="expected settings with answers="):
        Simulation(Settings(draws=3), 2)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"target": "clipart-realistic"}, "made with target='dummy'.*leave target out"),
        ({"access": "black", "questions": ["variation@0.3"]}, "access='grey'"),
        ({"noise_seed": 1}, "noise_seed=0, and this environment has noise_seed=1"),
        ({"draws": 3}, "draws=2, and this environment has draws=3; leave draws out"),
        ({"questions": ["loss@60"]}, "no answers to loss@60; expected some of variation@0.3"),
        ({"split": "val"}, "train, test and none of 'val'"),
        ({"budget": BUDGET + 1}, "a budget of up to 8 UNet rows.*has 9; lower budget"),
        ({"answers": 3}, "Expected a table of answers or its file, got 3"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(options, says: str, small, tables) -> None:
    given = {"answers": tables[True], "data": small, "budget": BUDGET, "candidates": 5, **options}
    with pytest.raises(SettingsError, match=says):
        PoolEnv(**given)
    advised = {name: value for name, value in given.items() if name not in options}
    PoolEnv(**advised, **({} if "answers" in advised else {"answers": tables[True]}), **(
        {} if "budget" in advised else {"budget": BUDGET})).reset(seed=0)  # fmt: skip


def test_a_table_is_refused_about_other_pictures_and_weights(small, dummy, tables) -> None:
    fewer = replace(small, captions=("another", *small.captions[1:]))
    env = PoolEnv(answers=tables[True], data=fewer, budget=BUDGET, candidates=5)
    with pytest.raises(SettingsError, match="about other pictures"):
        env.reset(seed=0)
    changed = DummyTarget(small.candidates(np.arange(4), 64))
    changed.fingerprint = "changed"
    with pytest.raises(SettingsError, match=r"other weights .* than those of dummy \(changed\)"):
        PoolEnv(answers=tables[True], target=changed, data=small, budget=BUDGET)


def test_a_table_has_no_target_for_an_oracle(small, tables) -> None:
    env = PoolEnv(answers=tables[True], data=small, budget=BUDGET, candidates=5)
    env.reset(seed=0)
    with pytest.raises(SettingsError, match="make it without answers="):
        miagym.envs.oracle_from_env(env)


def test_files_that_hold_no_whole_table_are_refused(tables, tmp_path: Path) -> None:
    table, path = pq.read_table(tables[False]), tmp_path / "part.parquet"
    pq.write_table(table.slice(0, 7), path)
    with pytest.raises(DataError, match="no whole table of answers"):
        read_table(path)
    pq.write_table(table.replace_schema_metadata({}), path)
    with pytest.raises(DataError, match="a file that `miagym tabulate` wrote"):
        read_table(path)
    about = json.loads(table.schema.metadata[b"about"]) | {"draws": "many"}
    told = {**table.schema.metadata, b"about": json.dumps(about)}
    pq.write_table(table.replace_schema_metadata(told), path)
    with pytest.raises(DataError, match="'many' as draws"):
        read_table(path)
    path.write_bytes(b"nothing")
    with pytest.raises(DataError, match="cannot be read"):
        read_table(path)


def test_a_table_comes_back_from_its_file(tables, tmp_path: Path) -> None:
    table = read_table(tables[True])
    write_table(table, tmp_path / "again.parquet")
    again = read_table(tmp_path / "again.parquet")
    for name in ("record", "keys", "pictures"):
        assert getattr(again, name) == getattr(table, name)
    for name in ("tokens", "own", "means"):
        assert same(getattr(again, name), getattr(table, name))


def test_what_cannot_be_tabulated_is_refused(small, dummy) -> None:
    settings = Settings(target=dummy, data=small, questions=["variation@0.3"])
    with pytest.raises(SettingsError, match="draws=16"):
        tabulate(settings, ("train",))
    with pytest.raises(SettingsError, match=r"splits=.* of train, val, test, each once"):
        tabulate(replace(settings, draws=2), ("train", "tests"))


def test_a_saved_game_from_a_table_goes_on(small, tables) -> None:
    env = PoolEnv(answers=tables[True], data=small, budget=BUDGET, candidates=5, slots=1)
    env.reset(seed=0)
    action = {"candidate": [0], "question": [1], "probability": [0.5] * 5, "stop": 0}
    env.step(action)
    state = env.get_state()
    once = env.step(action)
    env.set_state(state)
    again = env.step(action)
    assert same(once[0], again[0]) and once[1] == again[1]


@pytest.mark.slow
def test_the_embedded_target_answers_as_its_table_does(small: Dataset) -> None:
    rows = np.concatenate([np.flatnonzero(small.member == side)[:4] for side in (True, False)])
    few = Dataset(
        "few", [small.pictures[r] for r in rows], tuple(small.captions[r] for r in rows),
        small.member[rows], np.full(8, TEST),
    )  # fmt: skip
    options: Any = {
        "target": "clipart-overfit", "reference": "clipart-realistic", "data": few, "draws": 2,
        "batch_size": 1, "split": "test", "questions": ["variation@0.3"], "budget": 18,
    }  # fmt: skip
    table = tabulate(Settings.of(options, PoolOptions), ("test",), pictures=True)
    rules: Any = {"candidates": 4, "slots": 3}
    asked, looked_up = (PoolEnv(**options, **rules), PoolEnv(
        answers=table, data=few, split="test", budget=18, **rules))  # fmt: skip
    found = [env.reset(seed=1) for env in (asked, looked_up)]
    for whom in ([0, 0, 1], [0, 2, 3]):
        assert same(found[0][0], found[1][0])
        action = {"candidate": whom, "question": [0] * 3, "probability": [0.5] * 4, "stop": 0}
        found = [env.step(action) for env in (asked, looked_up)]
    assert same(found[0][0], found[1][0]) and found[0][0]["budget_left"] == 0


PLAYED = """
import sys, gymnasium as gym, miagym
env = gym.make("miagym/Pool-v0", answers=sys.argv[1], budget=30, candidates=4, slots=1)
seen, info = env.reset(seed=0)
for _ in range(10):
    env.step({"candidate": [0], "question": [0], "probability": [0.5] * 4, "stop": 0})
assert "torch" not in sys.modules and "diffusers" not in sys.modules
"""


@pytest.mark.slow
def test_the_command_makes_a_table_that_is_played_without_torch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With embedded data and target, of which two candidates stand for all."""
    monkeypatch.setattr(
        "miagym.envs.tables.tabulating._about",
        lambda *_: (
            np.ones((1, 2, 1, 3), np.float32),
            np.ones((1, 2, 10, 1), np.float32),
            (),
        ),
    )
    file = tmp_path / "answers.parquet"
    given = ["--draws", "2", "--budget", "30", "--questions", "variation@0.3", "--splits", "train"]
    found = CliRunner().invoke(app, ["tabulate", "--out", str(file), *given], prog_name="miagym")
    assert found.exit_code == 0 and f'answers="{file}", budget=30' in found.output.replace("\n", "")
    subprocess.run([sys.executable, "-c", PLAYED, file], check=True)
