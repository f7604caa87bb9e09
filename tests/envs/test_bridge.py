"""Attacks of the library inside an environment: the same scores, the same spend."""

from __future__ import annotations

from collections.abc import Callable

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded

from attacks import REFERENCE, Attack, attack_names, make_attack
from attacks.base import LearnedAttack
from miagym.candidates import Candidates
from miagym.data.dataset import Dataset
from miagym.envs import oracle_from_env
from miagym.envs.pool import PoolEnv, PoolVectorEnv
from miagym.envs.single import SingleEnv
from miagym.errors import AccessDenied, BudgetExhausted, DataError, SettingsError
from miagym.oracle import Oracle
from miagym.oracle.access import Access
from miagym.targets.dummy import DummyTarget
from tests.tiers import few_of_the_family, mostly_slow

PLENTY = 100_000
POOL = {"candidates": 4, "slots": 1}


OF_THE_BASE = "noise-probe"
"""Inverts pictures under the public base, which in a game is a service as well."""


NAMES = [name for name in attack_names(with_reference=True) if name != OF_THE_BASE]
QUICK = [name for name in few_of_the_family(NAMES) if REFERENCE not in name]


@pytest.mark.parametrize(
    "name", mostly_slow(NAMES, quick=[*QUICK, f"rediffuse{REFERENCE}", f"loss{REFERENCE}"])
)
def test_every_attack_plays_as_through_the_oracle(
    name: str,
    dummy: DummyTarget,
    small: Dataset,
    drawings: Candidates,
    member: np.ndarray,
    quick: Callable[[str], Attack],
) -> None:
    access = max(make_attack(name).access, Access.BLACK)
    reference = DummyTarget(drawings[len(member) // 2 :])
    env = PoolEnv(target=dummy, data=small, access=str(access), reference=reference, budget=PLENTY,
                  noise_seed=5, questions=["text-to-image"], steps=2, **POOL)  # fmt: skip
    observation, _ = env.reset(seed=0)
    through = oracle_from_env(env)
    direct = Oracle(dummy, access, seed=5, reference=Oracle(reference, access, seed=5))
    attack = quick(name)
    if isinstance(attack, LearnedAttack):
        known = np.r_[:12, 40:52]
        features = attack.features(direct, drawings[known])
        attack = attack.fit(features, member[known])
        direct = Oracle(dummy, access, seed=5, reference=Oracle(reference, access, seed=5))
    one, other = (attack(oracle, through.candidates) for oracle in (through, direct))
    np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-9)
    assert through.meter.total() == direct.meter.total()
    action = {"candidate": [4], "question": [0], "probability": [0.5] * 4, "stop": 0}
    after, *_ = env.step(action)
    spent = observation["budget_left"][0] - after["budget_left"][0]
    assert spent == direct.meter.total().price


def test_what_needs_the_base_itself_is_refused_where_the_base_is_a_service(
    dummy: DummyTarget, small: Dataset, drawings: Candidates
) -> None:
    base = DummyTarget(drawings[40:])
    env = PoolEnv(target=dummy, data=small, access="black", reference=base, budget=PLENTY, **POOL)
    env.reset(seed=0)
    through = oracle_from_env(env)
    with pytest.raises(AccessDenied, match="needs grey access"):
        make_attack(OF_THE_BASE)(through, through.candidates)


def test_an_attack_stops_where_the_budget_does(dummy: DummyTarget, small: Dataset) -> None:
    env = PoolEnv(target=dummy, data=small, access="grey", budget=10, **POOL)
    env.reset(seed=0)
    oracle = oracle_from_env(env)
    make_attack("sima")(oracle, oracle.candidates)  # one row each
    with pytest.raises(BudgetExhausted, match=r"costs 8 UNet rows, and 6 of the episode's 10"):
        z0 = oracle.encode(oracle.candidates)
        oracle.predict_noise(oracle.candidates, z0, 100, guidance_scale=2.0)
    assert env.game.accounts.left.tolist() == [6]
    draws = make_attack("rediffuse").within(5)
    with pytest.raises(BudgetExhausted):
        draws(oracle, oracle.candidates)


def test_draws_fit_what_the_pool_can_pay(dummy: DummyTarget, small: Dataset) -> None:
    """A black-box attack asks for as many pictures of each candidate as the episode can pay."""
    env = gym.make("miagym/Pool-v0", candidates=4, budget=26)
    env.reset(seed=0)
    oracle = oracle_from_env(env)
    make_attack("rediffuse").within(5)(oracle, oracle.candidates)
    assert oracle.meter.total().queries == 8 and oracle.meter.total().unet_rows == 24


def test_access_is_that_of_the_environment(dummy: DummyTarget, small: Dataset) -> None:
    env = SingleEnv(target=dummy, data=small)
    env.reset(seed=0)
    oracle = oracle_from_env(env)
    with pytest.raises(AccessDenied):
        make_attack("loss")(oracle, oracle.candidates)
    assert env.game.accounts.left.tolist() == [30]


def test_strangers_and_finished_episodes_are_refused(
    dummy: DummyTarget, small: Dataset, drawings: Candidates
) -> None:
    envs = PoolVectorEnv(2, target=dummy, data=small, access="grey", split="val", **POOL)
    with pytest.raises(ResetNeeded):
        oracle_from_env(envs, 1)
    envs.reset(seed=0)
    oracle = oracle_from_env(envs, 1)
    stranger = drawings[len(drawings) - 1 :]
    assert stranger.keys[0] not in oracle.candidates.keys
    with pytest.raises(DataError, match="not in this episode"):
        oracle.encode(stranger)
    with pytest.raises(SettingsError, match="from 0 to 1, got 2"):
        oracle_from_env(envs, 2)
    with pytest.raises(SettingsError, match="environment of miagym"):
        oracle_from_env(gym.make("CartPole-v1"))
    action = envs.action_space.sample()
    action["stop"][:] = 1
    envs.step(action)
    with pytest.raises(ResetNeeded):
        oracle.encode(oracle.candidates)
    action["stop"][:] = 0
    envs.step(action)  # a new episode in the same row
    with pytest.raises(ResetNeeded):
        oracle.encode(oracle.candidates)
