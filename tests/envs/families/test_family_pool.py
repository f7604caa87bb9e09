"""Pools about a family: a target nobody names is drawn at each reset, and others are graded."""

from __future__ import annotations

import copy
import pickle
import re
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env, data_equivalence
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from attacks import make_attack
from miagym import Oracle
from miagym.data.registry import load_data
from miagym.envs import oracle_from_env
from miagym.envs.family.family import Family
from miagym.envs.options import PoolOptions
from miagym.envs.pool import PoolEnv, PoolVectorEnv, pool_settings
from miagym.envs.sampler import rows_of
from miagym.envs.settings import SPLITS, Settings
from miagym.envs.tables.tabulating import tabulate
from miagym.errors import SettingsError
from miagym.metrics.auc import auc
from miagym.targets.registry import shared_target, targets_folder
from tests.envs.families.family_hands import CHEAP, LIST, POPULATION, REAL, ask, say
from tests.envs.side_by_side import assert_the_same


def test_splits_share_no_target_and_no_picture_and_order_has_no_say() -> None:
    family, data = Family.of(LIST), load_data("clipart-tune")
    models = {split: {family.targets[i] for i in family.models(split)} for split in SPLITS}
    assert sorted(map(len, models.values())) == [1, 1, 2] and set().union(*models.values()) == {
        *LIST
    }
    other = Family.of(LIST[::-1], data="clipart-tune")
    assert models == {split: {other.targets[i] for i in other.models(split)} for split in SPLITS}
    for split in SPLITS:
        assert (family.pictures(split) == rows_of(data, split)).all()
        assert (family.inside(family.models(split), np.arange(9)) == data.member[:9]).all()
    for n in range(3, 12):
        dealt = [replace(family, targets=tuple("abcdefghijkl"[:n])).models(s) for s in SPLITS]
        assert sorted(np.concatenate(dealt).tolist()) == list(range(n)) and min(map(len, dealt))


def test_the_guide_says_how_four_targets_are_dealt_and_its_example_runs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    family = Family.of(LIST)
    dealt = {s: {LIST[i] for i in family.models(s)} for s in SPLITS}
    assert dealt == {
        "train": {"clipart-overfit", "clipart-null"},
        "val": {"clipart-overfit@40"},
        "test": {"clipart-overfit@80"},
    }
    guide = (Path(__file__).parents[3] / "docs" / "play" / "environment.md").read_text(
        encoding="utf-8"
    )
    section = guide.partition("## A family: targets that nobody names")[2]
    exec(re.findall(r"```py\n(.*?)```", section, re.DOTALL)[0], {})
    assert capsys.readouterr().out.startswith("0.5 (") and "pictures" in section


def test_a_spec_rebuilds_the_environment() -> None:
    env = gym.make("miagym/Pool-v0", **REAL)
    assert env.spec is not None
    again = gym.make(gym.envs.registration.EnvSpec.from_json(env.spec.to_json()))
    assert again.unwrapped.settings.family.targets == LIST
    envs = gym.make_vec("miagym/Pool-v0", num_envs=2, **REAL)
    assert envs.unwrapped.settings.family.targets == LIST


BAD: list[tuple[dict[str, Any], str]] = [
    ({"family": "clipart-overfit"}, "Expected the name or folder of a population as family"),
    ({"family": 3}, "or a list of targets' names; got 3"),
    ({"family": [1, 2, 3]}, "or a list of targets' names"),
    ({"family": LIST[:2]}, "needs 3 targets or more, .*; got 2"),
    ({"family": [*LIST, LIST[0]]}, "clipart-overfit@40 would be twice"),
    ({"family": [*LIST[:3], "icons-overfit"]}, "icons-overfit goes with icons-tune"),
    ({"family": [*LIST[:3], f"{POPULATION}/03"]}, "goes with clipart-population/03"),
    ({"family": LIST, "data": "icons-tune"}, "clipart-overfit@40 goes with clipart-tune"),
    ({"family": [*LIST, "clipart-pixels"]}, "64 pixels a side and clipart-pixels on 32"),
    ({"family": POPULATION, "data": "clipart-tune"}, "leave out data"),
    ({"family": LIST, "target": "clipart-overfit"}, "Expected family or target, got both"),
    ({"family": LIST, "answers": "answers.parquet"}, "Expected family or answers, got both"),
    ({"family": LIST, "reference": "clipart-overfit@80"}, "cannot be the reference"),
]


@pytest.mark.parametrize(("options", "message"), BAD)
def test_what_makes_no_family_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        PoolEnv(**options)


def test_a_name_and_its_path_are_one_target() -> None:
    path = f"{targets_folder()}/./clipart-null"
    with pytest.raises(SettingsError, match=r"clipart-null and .*/\./clipart-null would be twice"):
        Family.of([*LIST, path])


def test_settings_that_nobody_read_a_family_for_refuse_it() -> None:
    with pytest.raises(SettingsError, match="Expected a single target here, got family"):
        Settings.of({"family": LIST}, PoolOptions)
    with pytest.raises(SettingsError, match="A table of answers is about one target"):
        tabulate(pool_settings({"family": LIST, "draws": 2}), ("val",))


@pytest.mark.slow
def test_gymnasium_s_own_checker_has_no_complaint() -> None:
    env = gym.make("miagym/Pool-v0", disable_env_checker=True, render_mode="ansi", **REAL)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped)


@pytest.mark.parametrize("family", [LIST, POPULATION])
@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_many_at_once_are_the_same_as_one_by_one(
    mode: AutoresetMode, family: Any, memorisers: None
) -> None:
    options = {**CHEAP, "family": family}
    sync = SyncVectorEnv([lambda: PoolEnv(**options)] * 3, autoreset_mode=mode)
    native = PoolVectorEnv(3, autoreset_mode=mode, **options)
    assert_the_same(native, sync, mode, 12)


@pytest.mark.slow
def test_a_seed_says_target_pictures_and_answers_beside_whatever_others() -> None:
    envs = PoolVectorEnv(4, **REAL)
    envs.reset(seed=5)
    asked = {"candidate": [0, 1, 2], "question": [0, 1, 0], "probability": [0.5] * 3, "stop": 0}
    together, *_ = envs.step({name: np.array([value] * 4) for name, value in asked.items()})
    assert len({envs.game.model(row) for row in range(4)}) == 2
    for row in range(4):
        env = PoolEnv(**REAL)
        env.reset(seed=5 + row)
        alone, *_ = env.step({name: np.array(value) for name, value in asked.items()})
        assert env.game.model(0) == envs.game.model(row)
        np.testing.assert_allclose(alone["statistics"], together["statistics"][row], atol=1e-4)


WAYS: dict[str, Callable[[PoolEnv], PoolEnv]] = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda env: pickle.loads(pickle.dumps(env)),
    "state": lambda env: _restored(env),
}


def _restored(env: PoolEnv) -> PoolEnv:
    other = PoolEnv(**REAL)
    other.reset(seed=9)
    other.set_state(pickle.loads(pickle.dumps(env.get_state())))
    return other


@pytest.mark.parametrize("way", WAYS)
def test_a_copy_goes_on_about_the_same_target_to_the_same_bit(way: str) -> None:
    """Networks round by the size of the batch: what was answered must travel along."""
    env = PoolEnv(**REAL)
    env.reset(seed=3)
    half = np.full(3, 0.5, dtype=np.float32)
    ask_all = {"candidate": np.arange(3), "question": np.zeros(3, int), "probability": half}
    ask_one = {"candidate": np.array([1, 3, 3]), "question": np.ones(3, int), "probability": half}
    env.step(ask_all | {"stop": 0})
    other = WAYS[way](env)
    for action in (ask_one | {"stop": 0}, ask_one | {"stop": 1}):
        assert data_equivalence(env.step(action), other.step(action), exact=True)
    assert data_equivalence(env.reset(), other.reset(), exact=True)


def test_a_state_of_one_family_is_none_of_another() -> None:
    one, other = PoolEnv(**REAL), PoolEnv(**{**REAL, "family": (*LIST[1:], "clipart-realistic")})
    with pytest.raises(SettingsError, match="another target, another family"):
        other.set_state(one.get_state())


def test_an_oracle_of_an_episode_asks_the_target_that_was_drawn() -> None:
    env = PoolEnv(**REAL)
    drawn: set[str] = set()
    for seed in range(4):
        env.reset(seed=seed)
        split = env.game.world.split
        name = LIST[split.models[env.game.model(0)]]
        oracle, alone = oracle_from_env(env), Oracle(shared_target(name, "cpu"), access="grey")
        attack = make_attack("sima")
        expected = attack(alone, oracle.candidates)
        np.testing.assert_allclose(attack(oracle, oracle.candidates), expected, rtol=1e-6)
        drawn.add(name)
    assert len(drawn) == 2


def test_nothing_shown_tells_which_target_it_is() -> None:
    """Their tokenizers differ; captions are read by the first, whichever was drawn."""
    env = PoolEnv(**REAL, render_mode="ansi")
    first, null = (shared_target(name, "cpu") for name in ("clipart-overfit@40", "clipart-null"))
    drawn: set[int] = set()
    for seed in range(6):
        seen, info = env.reset(seed=seed)
        drawn.add(env.game.model(0))
        assert (seen["captions"] == first.tokenize(info["captions"])).all()
        assert (seen["captions"] != null.tokenize(info["captions"])).any()
        assert info.keys() == {"captions", "action_mask"}
        assert str(env.render()).startswith("clipart-overfit@40, clipart-overfit@80, ")
    assert len(drawn) == 2


def test_each_hand_is_of_both_sides_and_answered_by_its_own_target(memorisers: None) -> None:
    envs = PoolVectorEnv(24, family=POPULATION, **{**CHEAP, "candidates": 6, "slots": 6})
    envs.reset(seed=0)
    distance = ask(envs)[:, :3]  # as many as the budget pays
    *_, info = say(envs, np.full((24, 6), 0.5))
    member = np.asarray(info["member"])[:, :3] == 1
    assert len({envs.game.model(row) for row in range(24)}) > 8
    assert auc(-distance[member], -distance[~member]) > 0.85
    assert any(0 < hand.sum() < 3 for hand in member)
