"""Pools about a family: a target nobody names is drawn at each reset, and others are graded."""

from __future__ import annotations

import copy
import pickle
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
from miagym.agents.agent import play
from miagym.agents.random import RandomAgent
from miagym.data.registry import load_data
from miagym.envs import grade, grade_audit, grade_family, oracle_from_env
from miagym.envs.audit.env import AuditVectorEnv
from miagym.envs.family import world
from miagym.envs.family.family import Family
from miagym.envs.grading.verdicts import Verdicts
from miagym.envs.options import PoolOptions
from miagym.envs.pool import PoolEnv, PoolVectorEnv
from miagym.envs.sampler import rows_of
from miagym.envs.settings import SPLITS, Settings
from miagym.errors import DataError, SettingsError
from miagym.metrics.auc import auc
from miagym.targets.base import Target
from miagym.targets.dummy import DummyTarget
from miagym.targets.registry import shared_target, targets_folder

LIST = ("clipart-overfit@40", "clipart-overfit@80", "clipart-overfit", "clipart-null")
POPULATION = "clipart-population"
SMALL: dict[str, Any] = {"candidates": 3, "slots": 3, "access": "grey", "device": "cpu"}
REAL: dict[str, Any] = {**SMALL, "family": LIST, "questions": ["loss@60", "sima@60"], "budget": 6}
CHEAP: dict[str, Any] = {**SMALL, "questions": ["variation@0.3"], "budget": 9, "access": "black"}


@pytest.fixture
def memorisers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Targets that remember what they were trained on, and answer alike in any batch."""
    known: dict[str, Target] = {}

    def load(name: str, device: str) -> Target:
        if name not in known:
            family = Family.of(POPULATION if name.startswith(POPULATION) else LIST)
            data, number = family.dataset(), family.targets.index(name)
            inside = family.inside(np.array([number]), np.arange(len(data)))[0]
            rows = np.flatnonzero(inside & (name != "clipart-null"))
            known[name] = DummyTarget(data.candidates(rows if len(rows) else np.array([0]), 64))
        return known[name]

    monkeypatch.setattr(world, "shared_target", load)
    monkeypatch.setattr(world, "load_models", lambda settings: (load(settings.target, "cpu"), None))


def ask(envs: Any) -> np.ndarray:
    """Distances of variations to the pictures (b, n), one for each."""
    b, n = envs.num_envs, envs.settings.candidates
    asked = {"candidate": np.tile(np.arange(n), (b, 1)), "question": np.zeros((b, n), int)}
    seen, *_ = envs.step(asked | {"probability": np.full((b, n), 0.5), "stop": np.zeros(b, int)})
    return seen["summary"][:, :, 0, 1]


def say(envs: Any, probability: np.ndarray) -> tuple[Any, ...]:
    b, n = envs.num_envs, envs.settings.candidates
    nobody = {"candidate": np.full((b, n), n), "question": np.zeros((b, n), int)}
    return envs.step(nobody | {"probability": probability, "stop": np.ones(b, int)})


def judged(envs: Any, walks: int) -> Verdicts:
    """Plays hands that are asked about once, and believes the distances."""
    envs.reset(seed=0)
    for _ in range(walks):
        say(envs, 1 / (1 + (ask(envs) / 0.05) ** 4))
        envs.reset(options={"reset_mask": np.ones(envs.num_envs, dtype=bool)})
    return envs.verdicts


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
    assert data_equivalence(native.reset(seed=7), sync.reset(seed=7), exact=True)
    native.action_space.seed(0)
    for _ in range(8):
        action = native.action_space.sample()
        action["stop"] = (native.np_random.random(3) < 0.3).astype(np.int64)
        one, other = native.step(action), sync.step(action)
        assert data_equivalence(one, other, exact=True)
        done = one[2] | one[3]
        if mode == AutoresetMode.DISABLED and done.any():
            resets = [env.reset(options={"reset_mask": done.copy()}) for env in (native, sync)]
            assert data_equivalence(*resets, exact=True)
    assert native.game.begun.sum() > 3


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


def test_where_there_are_many_targets_intervals_are_over_them_and_pictures(
    memorisers: None, tmp_path: Path
) -> None:
    envs = PoolVectorEnv(24, split="test", family=POPULATION, **CHEAP)
    verdicts = judged(envs, 3)
    found = grade_family(verdicts)
    assert found.intervals_over == "models and pictures" and found.n_models == 8
    assert 100 < found.n_judged == len(set(verdicts.candidate)) <= 160
    assert found.metrics.auc > 0.9 and found.brier_reward_ci[0] <= found.brier_reward
    assert found.spent == pytest.approx(3 * len(verdicts) / found.n_judged)
    verdicts.save(tmp_path / "verdicts.parquet")
    assert grade_family(Verdicts.load(tmp_path / "verdicts.parquet")) == found
    turned = grade_family(replace(verdicts, probability=1 - verdicts.probability))
    assert turned.metrics.auc == pytest.approx(1 - found.metrics.auc)


def test_where_there_are_few_targets_intervals_are_over_pictures(memorisers: None) -> None:
    envs = PoolVectorEnv(16, split="test", family=LIST, **CHEAP)
    verdicts = judged(envs, 2)
    found = grade_family(verdicts)
    assert found.intervals_over == "pictures" and found.n_models == 1
    assert verdicts.data == "clipart-tune" and verdicts.family == LIST
    assert found.played.target == ", ".join(LIST) and not found.played.fingerprint
    low, high = found.metrics.auc_ci
    assert 0.6 < low < found.metrics.auc <= high


def test_on_a_control_there_is_nothing_to_be_found(memorisers: None) -> None:
    envs = PoolVectorEnv(32, split="train", family=LIST, **CHEAP)
    envs.reset(seed=0)
    distance = ask(envs)
    *_, info = say(envs, np.full((32, 3), 0.5))
    member = np.asarray(info["member"]) == 1
    models = np.array([envs.game.world.split.models[envs.game.model(i)] for i in range(32)])
    is_null = models == LIST.index("clipart-null")
    assert 8 < is_null.sum() < 24 and member[is_null].any()
    seen, unseen = distance[~is_null][member[~is_null]], distance[~is_null][~member[~is_null]]
    assert auc(-seen, -unseen) > 0.95
    assert (
        0.3 < auc(-distance[is_null][member[is_null]], -distance[is_null][~member[is_null]]) < 0.7
    )


def test_an_audit_takes_a_list_and_counts_hands_that_share_no_picture(memorisers: None) -> None:
    envs = AuditVectorEnv(16, split="test", family=LIST, **CHEAP)
    found = grade_audit(judged_hands(envs, 4))
    assert found.intervals_over == "pictures" and found.n_models == 1
    assert 16 < found.n_judged < 64 and found.metrics.auc > 0.9


def judged_hands(envs: AuditVectorEnv, walks: int) -> Verdicts:
    b, n = envs.num_envs, envs.settings.candidates
    envs.reset(seed=0)
    for _ in range(walks):
        asked = {"candidate": np.tile(np.arange(n), (b, 1)), "question": np.zeros((b, n), int)}
        seen, *_ = envs.step(asked | {"probability": np.full(b, 0.5), "stop": np.zeros(b, int)})
        said = 1 / (1 + (seen["summary"][:, :, 0, 1].mean(1) / 0.05) ** 4)
        nobody = asked | {"candidate": np.full((b, n), n)}
        envs.step(nobody | {"probability": said, "stop": np.ones(b, int)})
        envs.reset(options={"reset_mask": np.ones(b, dtype=bool)})
    return envs.verdicts


def test_the_wrong_grader_names_the_right_one(memorisers: None) -> None:
    envs = PoolVectorEnv(8, split="val", family=LIST, **CHEAP)
    verdicts = judged(envs, 1)
    for wrong in (grade, grade_audit):
        with pytest.raises(DataError, match=r"grade them with grade_family\(verdicts\)"):
            wrong(verdicts)
    one = replace(verdicts, family=None)
    with pytest.raises(DataError, match=r"grade them with grade\(verdicts\)"):
        grade_family(one)
    strange = replace(verdicts, candidate=("0:ab", *verdicts.candidate[1:]))
    with pytest.raises(DataError, match="about nothing that clipart-overfit@40"):
        grade_family(strange)


def test_agents_play_a_family(memorisers: None) -> None:
    envs = PoolVectorEnv(4, split="val", family=LIST, **CHEAP, autoreset_mode="NextStep")
    played = play(RandomAgent(envs.game.prices, stops=0.3), envs, 3, seed=0)
    assert all(grade_family(one).n_judged == 9 for one in played.verdicts)


def test_data_that_was_handed_over_is_handed_to_the_grader(memorisers: None) -> None:
    data = load_data("clipart-tune")
    envs = PoolVectorEnv(8, split="test", family=LIST, data=data, **CHEAP)
    verdicts = judged(envs, 1)
    with pytest.raises(DataError, match=r"grade_family\(verdicts, data\)"):
        grade_family(verdicts)
    assert grade_family(verdicts, data).metrics.auc > 0.7
