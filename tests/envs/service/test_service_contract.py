"""A service keeps Gymnasium's contract, tells pictures only, and charges before it computes."""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env, data_equivalence
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import miagym
from miagym.data.dataset import Dataset
from miagym.envs import SERVICES, oracle_from_env
from miagym.envs.service.asking import ServiceQuestioner, Wanted
from miagym.envs.service.calls import Call
from miagym.envs.service.env import ServiceEnv, ServiceVectorEnv
from miagym.envs.service.game import CHOSEN
from miagym.envs.service.settings import MAX_PICTURES
from miagym.envs.service.tariff import Tariff
from miagym.envs.service.wrapper import NamedCalls
from miagym.errors import ActionError, BudgetError, MiagymError, SettingsError, UnknownName
from miagym.remote.services import Service
from miagym.targets.dummy import DummyTarget
from tests.envs.side_by_side import assert_the_same

assert miagym.__version__

OFFERS: list[dict[str, Any]] = [
    {"service": str(service), "pictures": pictures, "jpeg": jpeg, "answer_size": side}
    for service in Service
    for pictures, jpeg, side in ((1, None, None), (3, 80, 48))
]


@pytest.fixture
def world(dummy: DummyTarget, small: Dataset) -> dict[str, Any]:
    return {"target": dummy, "data": small, "budget": 24}


@pytest.mark.parametrize("options", OFFERS)
def test_gymnasium_s_own_checker_has_no_complaint(
    options: dict[str, Any], world: dict[str, Any]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(ServiceEnv(**world, **options), skip_render_check=True)


@pytest.mark.slow
@pytest.mark.parametrize("service", Service)
def test_it_is_there_after_import(service: str) -> None:
    assert set(SERVICES) <= set(gym.registry)
    env = gym.make("miagym/Service-v0", service=str(service), render_mode="rgb_array")
    assert env.spec is not None
    again = gym.make(EnvSpec.from_json(env.spec.to_json()))
    assert again.action_space == env.action_space
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped)
    envs = gym.make_vec("miagym/Service-v0", num_envs=2, service=str(service))
    assert isinstance(envs.unwrapped, ServiceVectorEnv)


@pytest.mark.parametrize("mode", list(AutoresetMode))
@pytest.mark.parametrize("options", OFFERS[1::2])
def test_many_at_once_are_the_same_as_one_by_one(
    options: dict[str, Any], mode: AutoresetMode, world: dict[str, Any]
) -> None:
    sync = SyncVectorEnv([lambda: ServiceEnv(**world, **options)] * 3, autoreset_mode=mode)
    native = ServiceVectorEnv(3, autoreset_mode=mode, **world, **options)
    assert native.observation_space == sync.observation_space
    assert native.action_space == sync.action_space
    assert_the_same(native, sync, mode, 12)


@pytest.mark.parametrize("way", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_a_copy_goes_on_to_the_same_bit(way: Any, world: dict[str, Any]) -> None:
    env = ServiceEnv(service="full", **world)
    env.reset(seed=3)
    env.step(env.action(question=1, strength=0.3))
    other = way(env)
    action = env.action(question=1, strength=0.5)
    assert data_equivalence(env.step(action), other.step(action), exact=True)


def test_equal_seeds_make_equal_pictures_and_fresh_noise_makes_others(
    world: dict[str, Any],
) -> None:
    env = ServiceEnv(service="full", **world)
    env.reset(seed=0)
    chosen = [
        env.step(env.action(question=1, strength=0.6, seed=seed))[0]["images"][0]
        for seed in (5, 5, 6)
    ]
    assert np.array_equal(chosen[0], chosen[1]) and not np.array_equal(chosen[0], chosen[2])
    env = ServiceEnv(pictures=2, **world)
    env.reset(seed=0)
    both = env.step(env.action(strength=0.6, pictures=2))[0]["images"]
    assert not np.array_equal(both[0], both[1])


def test_guidance_is_chosen_with_each_call_and_paid_for(world: dict[str, Any]) -> None:
    """Equal to a service whose own guidance is the same, and rounded as strengths are."""
    env = ServiceEnv(service="full", **world | {"budget": 40})
    env.reset(seed=0)
    parts = {"question": 1, "strength": 0.6, "seed": 5, "prompt": "a boat"}
    guided = [{}, {"guidance": 1.0}, {"guidance": np.float32(3.3)}]
    seen = [env.step(env.action(**parts, **one))[0] for one in guided]
    off, same, on = (one["images"][0] for one in seen)
    assert np.array_equal(off, same) and not np.array_equal(off, on)
    assert [one["budget_left"].item() for one in seen] == [34, 28, 16]
    with pytest.raises(ActionError, match="'guidance' to hold numbers from 1 to 20"):
        env.step(env.action(**parts, guidance=0.5))
    own = ServiceEnv(guidance_scale=3.3, **world)
    own.reset(seed=0)
    call = Call("image-to-image", "a boat", 1, env.game.images[0, 0], strength=0.6)
    asked = Wanted(call, CHOSEN + 5 * MAX_PICTURES, 0, 0, 0)
    assert np.array_equal(own.game.questioner.serve([asked])[0], on)


def test_what_was_uploaded_and_written_is_what_is_varied(world: dict[str, Any]) -> None:
    """The dummy varies a member to itself, whoever uploads it, and whatever is dealt."""
    env = ServiceEnv(**world)
    env.reset(seed=1)
    data = world["data"]
    member = data.candidates(np.flatnonzero(data.member)[:1], 64)
    upload, caption = member.images[0], member.captions[0]
    sent = env.action(picture=upload, prompt=caption, strength=0.3)
    picture = env.step(sent)[0]["images"][0]
    blurred = upload.reshape(16, 4, 16, 4, 3).mean(axis=(1, 3)).repeat(4, 0).repeat(4, 1)
    assert np.abs(picture - blurred).mean() < 2


@pytest.mark.parametrize(
    ("tariff", "call", "cost"),
    [
        ("rows", {"strength": 0.3, "pictures": 2}, 6),
        ("rows", {"strength": 0.7, "pictures": 1}, 7),
        ("pictures", {"strength": 0.3, "pictures": 2}, 2),
        ("calls", {"strength": 1.0, "pictures": 2}, 1),
        (Tariff(call=3, picture=4, unit="cents"), {"strength": 0.3, "pictures": 2}, 11),
        ("call=3,picture=4,unit=cents", {"strength": 0.3, "pictures": 2}, 11),
    ],
)
def test_a_tariff_charges_calls_pictures_or_rows(
    tariff: Any, call: dict[str, Any], cost: int, world: dict[str, Any]
) -> None:
    env = ServiceEnv(tariff=tariff, pictures=2, **world)
    env.reset(seed=0)
    observation, reward, *_ = env.step(env.action(**call))
    assert observation["budget_left"].tolist() == [24 - cost]
    assert observation["answered"].sum() == call["pictures"]
    assert reward == pytest.approx(-0.1 * cost / 24)


def test_a_call_that_cannot_be_paid_computes_nothing(
    world: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    world |= {"budget": 5, "pictures": 2}
    env = ServiceEnv(**world)
    env.reset(seed=0)
    monkeypatch.setattr(ServiceQuestioner, "serve", lambda self, wanted: pytest.fail("computed"))
    observation, reward, *_ = env.step(env.action(strength=0.3, pictures=2))
    assert observation["budget_left"].tolist() == [5]
    assert observation["answered"].tolist() == [0, 0] and not observation["images"].any()
    assert reward == pytest.approx(-0.01)


def test_a_call_is_charged_before_it_is_computed(
    world: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    env = ServiceEnv(**world)
    env.reset(seed=0)
    left: list[int] = []

    def fails(self: ServiceQuestioner, wanted: Any) -> Any:
        left.append(int(env.game.accounts.left[0]))
        raise RuntimeError("the machine is gone")

    monkeypatch.setattr(ServiceQuestioner, "serve", fails)
    with pytest.raises(RuntimeError, match="gone"):
        env.step(env.action(strength=0.3))
    assert left == [21]


def test_nothing_is_told_but_pixels(world: dict[str, Any]) -> None:
    """What arrives is 8 bits, and the rest of what is seen follows from the calls alone."""
    env = ServiceEnv(service="full", **world)
    seen, info = env.reset(seed=0)
    again, _ = env.reset(seed=0)
    calls = [env.action(question=1, strength=0.3), env.action(question=0)]
    for call in calls:
        seen, _, _, _, info = env.step(call)
    env.reset(seed=1)  # another candidate, the same calls
    for call in calls:
        again, *_ = env.step(call)
    assert seen["images"].dtype == np.uint8
    fixed = set(seen) - {"candidate", "caption", "images"}
    assert fixed == {"answered", "count", "affordable", "budget_left"}
    assert all(np.array_equal(seen[name], again[name]) for name in fixed)
    assert set(info) == {"caption", "action_mask"}


def test_a_service_is_called_by_its_own_actions_only(world: dict[str, Any]) -> None:
    """An oracle would vary pictures where only prompts are taken, at another price."""
    env = ServiceEnv(service="prompt-only", **world)
    env.reset(seed=0)
    with pytest.raises(SettingsError, match="a service is called through its actions"):
        oracle_from_env(env)


def test_verdict_files_say_the_terms(world: dict[str, Any]) -> None:
    terms: list[dict[str, Any]] = [{}, {"tariff": "calls", "jpeg": 80}]
    envs = [ServiceEnv(split="val", **term, **world) for term in terms]
    played = []
    for env in envs:
        env.reset(seed=0)
        env.step(env.action(probability=0.9, stop=1))
        played.append(env.verdicts.played)
    assert "1 a row (UNet rows)" in played[0].terms and "exact" in played[0].terms
    assert "1 a call (calls)" in played[1].terms and "JPEG 80" in played[1].terms


OPTIONS: list[tuple[dict[str, Any], type[MiagymError], str]] = [
    (
        {"service": "text"},
        SettingsError,
        "'prompt-only', 'image-to-image', 'inpainting', 'full'; got 'text'",
    ),
    ({"tariff": "cals"}, UnknownName, "did you mean calls"),
    ({"tariff": "cal=3"}, SettingsError, "Expected prices of a call, a picture or a row"),
    ({"tariff": "call=3.5"}, SettingsError, "in whole numbers, as in call=2"),
    ({"tariff": "unit=cents"}, SettingsError, "asks for nothing"),
    ({"pictures": 0}, SettingsError, "from 1 to 16 pictures"),
    ({"jpeg": 100}, SettingsError, "from 1 to 95 for jpeg"),
    ({"answer_size": "64"}, SettingsError, "for answer_size"),
    ({"service": "full", "guidance_scale": 7.5}, SettingsError, "takes guidance with each call"),
    ({"reference": "clipart-realistic"}, SettingsError, "argument 'reference'"),
    ({"access": "grey"}, SettingsError, "argument 'access'"),
    ({"budget": 9, "service": "prompt-only"}, BudgetError, "9 UNet rows buys no answer"),
    ({"budget": 2, "tariff": Tariff(picture=3)}, BudgetError, "2 credits buys no answer"),
]


@pytest.mark.parametrize(("options", "error", "message"), OPTIONS)
def test_options_that_make_no_service(
    options: dict[str, Any], error: type[MiagymError], message: str
) -> None:
    with pytest.raises(error, match=message):
        ServiceEnv(**options)


@pytest.mark.parametrize(
    ("prices", "message"),
    [({"call": -1}, "whole number of 0 or more"), ({"call": 0.5}, "smaller coin"), ({}, "nothing")],
)
def test_price_lists_that_are_none(prices: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Tariff(**prices)


def test_it_is_drawn_and_written(world: dict[str, Any]) -> None:
    env = ServiceEnv(render_mode="ansi", tariff="calls", **world)
    env.reset(seed=0)
    env.step(env.action(strength=0.3))
    text = env.render()
    assert isinstance(text, str)
    assert "23 of 24 calls left" in text and "image-to-image" in text and "1 calls" in text
    picture = ServiceEnv(render_mode="rgb_array", answer_size=48, **world)
    picture.reset(seed=0)
    picture.step(picture.action(strength=0.3))
    drawn = picture.render()
    assert isinstance(drawn, np.ndarray) and drawn.shape == (720, 1280, 3)


@pytest.mark.filterwarnings("ignore:.*different from the unwrapped")
def test_the_wrapper_keeps_the_contract(world: dict[str, Any]) -> None:
    env = NamedCalls(ServiceEnv(service="full", **world), ways=["turned+cut@0.3", "none+empty"])
    check_env(env, skip_render_check=True)
