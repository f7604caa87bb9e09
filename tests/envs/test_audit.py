"""An audit: hands of one side, about a model nobody names, with other models where it is graded."""

from __future__ import annotations

import copy
import warnings
from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env, data_equivalence
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from miagym.envs import AUDITS, grade, grade_audit
from miagym.envs.audit.env import AuditEnv, AuditVectorEnv
from miagym.envs.audit.game import HandSampler
from miagym.envs.family.family import Family
from miagym.envs.family.split import FamilySplit
from miagym.envs.grading.verdicts import Verdicts
from miagym.envs.settings import SPLITS
from miagym.errors import DataError, SettingsError
from tests.envs.side_by_side import assert_the_same

FAMILY = Family.of("clipart-population")
pytestmark = pytest.mark.usefixtures("memorisers")  # each remembers exactly its half
OPTIONS: dict[str, Any] = {"candidates": 3, "slots": 3, "questions": ["variation@0.3"], "budget": 9}


def ask(envs: AuditVectorEnv) -> np.ndarray:
    """Distances of variations to the pictures (b, K), one for each."""
    b, k = envs.num_envs, envs.settings.candidates
    asked = {"candidate": np.tile(np.arange(k), (b, 1)), "question": np.zeros((b, k), int)}
    seen, *_ = envs.step(asked | {"probability": np.full(b, 0.5), "stop": np.zeros(b, int)})
    return seen["summary"][:, :, 0, 1]


def say(envs: AuditVectorEnv, probability: np.ndarray) -> tuple[Any, ...]:
    b, k = envs.num_envs, envs.settings.candidates
    nobody = {"candidate": np.full((b, k), k), "question": np.zeros((b, k), int)}
    return envs.step(nobody | {"probability": probability, "stop": np.ones(b, int)})


def test_splits_share_no_model_and_no_picture() -> None:
    for parts, whole in (
        ([FAMILY.models(split) for split in SPLITS], 32),
        ([FAMILY.pictures(split) for split in SPLITS], 80),
    ):
        assert sorted(np.concatenate(parts).tolist()) == list(range(whole))
        assert [len(part) for part in parts] == [whole // 2, whole // 4, whole // 4]


def test_a_hand_is_of_one_side_and_sides_are_drawn_by_a_fair_coin() -> None:
    split = FamilySplit(FAMILY, "train", 64)
    sampler = HandSampler(split, 4, np.random.default_rng(0))
    hands = [sampler.sample() for _ in range(600)]
    labels = [split.member(hand) for hand in hands]
    assert all(one is not None and len(set(one.tolist())) == 1 for one in labels)
    assert abs(np.mean([one[0] for one in labels if one is not None]) - 0.5) < 0.06
    assert all(len({split.model(np.array([place])) for place in hand}) == 1 for hand in hands)
    assert len({split.model(hand) for hand in hands}) == 16
    assert all(len(set(hand.tolist())) == 4 for hand in hands)


def test_gymnasium_s_own_checker_has_no_complaint() -> None:
    assert set(AUDITS) <= set(gym.registry)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(AuditEnv(**OPTIONS), skip_render_check=True)


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_many_at_once_are_the_same_as_one_by_one(mode: AutoresetMode) -> None:
    sync = SyncVectorEnv([lambda: AuditEnv(**OPTIONS)] * 3, autoreset_mode=mode)
    native = AuditVectorEnv(3, autoreset_mode=mode, **OPTIONS)
    assert native.observation_space == sync.observation_space
    assert native.action_space == sync.action_space
    assert_the_same(native, sync, mode, 8)


def test_a_copy_goes_on_about_the_same_model() -> None:
    env = AuditEnv(**OPTIONS)
    env.reset(seed=3)
    other = copy.deepcopy(env)
    env.action_space.seed(1)
    action = env.action_space.sample() | {"stop": 0}
    assert data_equivalence(env.step(action), other.step(action), exact=True)


def test_each_hand_is_answered_by_its_own_model() -> None:
    """A memoriser gives back what it has seen, and nothing else does: distances tell the side."""
    envs = AuditVectorEnv(24, split="train", **OPTIONS)
    envs.reset(seed=0)
    distance = ask(envs).mean(axis=1)
    *_, rewards, _, _, info = say(envs, np.full(24, 0.5))
    member = np.asarray(info["member"]) == 1
    assert len(set(envs.game.places[:, 0] // len(FAMILY.pictures("train")))) > 8
    assert distance[member].max() < distance[~member].min()
    assert rewards == pytest.approx(0.0) and info["member"].shape == (24,)


def test_verdicts_are_graded_by_hands_with_intervals_over_models() -> None:
    envs = AuditVectorEnv(16, split="test", **OPTIONS)
    envs.reset(seed=0)
    for _ in range(3):
        distance = ask(envs).mean(axis=1)
        *_, rewards, _, _, info = say(envs, 1 / (1 + (distance / np.median(distance)) ** 20))
        assert "member" not in info and not rewards.any()
        envs.reset(options={"reset_mask": np.ones(16, dtype=bool)})
    verdicts = envs.verdicts
    found = grade_audit(verdicts)
    assert found.n_judged == len(set(verdicts.candidate)) <= found.n_split < 8 * 6 + 1
    assert found.n_judged > 20 and found.n_models == 8
    assert found.intervals_over == "models"
    assert found.metrics.auc > 0.9 and found.brier_reward > 0.5
    assert found.spent == pytest.approx(9 * len(verdicts) / found.n_judged)
    assert "one verdict on 3 pictures" in found.played.terms
    turned = grade_audit(replace(verdicts, probability=1 - verdicts.probability))
    assert turned.metrics.auc == pytest.approx(1 - found.metrics.auc)


def test_a_hand_that_is_left_counts() -> None:
    env = AuditEnv(split="val", **OPTIONS)
    env.reset(seed=0)
    one = {"candidate": [0, 1, 2], "question": [0] * 3, "probability": 0.25, "stop": 0}
    env.step(one)
    env.reset()
    assert env.verdicts.probability.tolist() == [0.25] and env.verdicts.spent.tolist() == [9.0]


@pytest.fixture
def verdicts() -> Verdicts:
    env = AuditEnv(split="val", **OPTIONS)
    env.reset(seed=0)
    env.step({"candidate": [3] * 3, "question": [0] * 3, "probability": 0.5, "stop": 1})
    return env.verdicts


BAD: list[tuple[dict[str, Any], str]] = [
    ({"candidate": ()}, "no verdicts"),
    ({"candidate": ("a",)}, "'a' is about nothing that clipart-population, val, deals"),
    ({"candidate": ("",)}, "'' is about nothing that"),
    ({"candidate": ("99:1,99:2",)}, "about nothing that clipart-population, val, deals"),
    ({"hands": False}, "with grade_family"),
    ({"probability": np.array([np.nan])}, "probabilities from 0 to 1"),
    ({}, "verdicts so far are on one side"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_verdicts_that_cannot_be_graded(
    change: dict[str, Any], message: str, verdicts: Verdicts
) -> None:
    with pytest.raises(DataError, match=message):
        grade_audit(replace(verdicts, **change))


def test_hands_are_not_graded_as_candidates(verdicts: Verdicts) -> None:
    with pytest.raises(
        DataError, match="whole hands, as an audit asks for; grade them with grade_audit"
    ):
        grade(verdicts)


MADE: list[tuple[dict[str, Any], str]] = [
    ({"family": "clipart-overfit"}, "a population as family, got 'clipart-overfit'"),
    ({"target": "clipart-overfit"}, "argument 'target'"),
    ({"family": None}, "got family=None"),
    ({"candidates": 12, "split": "val"}, "A hand of 12 pictures cannot be dealt"),
]


@pytest.mark.parametrize(("options", "message"), MADE)
def test_options_that_make_no_audit(options: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        AuditEnv(**options).reset()
