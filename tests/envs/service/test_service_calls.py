"""What is sent to a service: refused in a sentence, or made from a candidate as its name says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from miagym.data.dataset import Dataset
from miagym.envs.service.env import ServiceEnv
from miagym.envs.service.uploads import UploadSample, blended, cut, noised, reworded
from miagym.envs.service.ways import Way, distances
from miagym.envs.service.wrapper import NamedCalls
from miagym.envs.single import SingleEnv
from miagym.errors import ActionError, MiagymError, SettingsError, UnknownName
from miagym.remote.services import Prompt
from miagym.targets.dummy import DummyTarget

BAD = [
    ({"picture": np.zeros((64, 64, 3))}, "whole numbers from 0 to 255"),
    ({"picture": np.zeros((32, 32, 3), np.uint8)}, r"'picture' of shape \(64, 64, 3\)"),
    ({"picture": np.full((64, 64, 3), 300)}, "whole numbers from 0 to 255"),
    ({"picture": None}, "'picture'"),
    ({"prompt": "x" * 501}, "up to 500 characters as 'prompt', got 501 characters"),
    ({"prompt": 3}, "up to 500 characters as 'prompt', got 3"),
    ({"prompt": "\ud800"}, "half of a surrogate"),
    ({"strength": 0.0}, "numbers from 0.1 to 1"),
    ({"strength": 1.5}, "numbers from 0.1 to 1"),
    ({"strength": float("nan")}, "numbers from 0.1 to 1"),
    ({"pictures": 0}, "whole numbers from 1 to 2"),
    ({"pictures": 3}, "whole numbers from 1 to 2"),
    ({"question": 1}, "whole numbers from 0 to 0"),
]


@pytest.fixture
def env(dummy: DummyTarget, small: Dataset) -> ServiceEnv:
    env = ServiceEnv(target=dummy, data=small, budget=12, pictures=2)
    env.reset(seed=0)
    return env


@pytest.mark.parametrize(("change", "message"), BAD)
def test_calls_outside_the_space_cost_nothing(
    change: dict[str, Any], message: str, env: ServiceEnv
) -> None:
    good = env.action(strength=0.3)
    with pytest.raises(ActionError, match=message):
        env.step({**good, **change})
    assert env.game.accounts.left.tolist() == [12] and env.game.steps.tolist() == [0]
    assert env.step(good)[0]["answered"].tolist() == [1, 0]


def test_parts_that_are_missing_or_unknown(env: ServiceEnv) -> None:
    with pytest.raises(ActionError, match=r"keys .*prompt"):
        env.step({"stop": 1})
    with pytest.raises(ActionError, match=r"image-to-image takes .*strength.*; got seed"):
        env.action(seed=3)


def test_any_language_is_a_prompt(env: ServiceEnv) -> None:
    sent = env.action(prompt="ein Bär, кот, 猫", strength=0.2)
    assert Prompt().contains(sent["prompt"])
    assert env.step(sent)[0]["answered"][0] == 1


PICTURE = np.arange(4 * 4 * 3, dtype=np.uint8).reshape(4, 4, 3)
RNG = np.random.default_rng(0)


def test_uploads_and_prompts_are_what_they_are_called() -> None:
    about, other = UploadSample(PICTURE, "a red old boat"), UploadSample(255 - PICTURE, "a cat")

    def sent(text: str) -> UploadSample:
        return Way.of(text).sample(about, other, RNG)

    assert np.array_equal(sent("original@0.3").picture, PICTURE)
    assert np.array_equal(np.rot90(sent("turned@0.3").picture, -1), PICTURE)
    assert np.array_equal(sent("mirrored@0.3").picture[:, ::-1], PICTURE)
    masked = sent("masked@0.3").picture
    assert np.array_equal(masked[:, :2], PICTURE[:, :2]) and (masked[:, 2:] == 127).all()
    assert np.array_equal(sent("blended@0.3").picture, blended(PICTURE, other.picture))
    assert (np.abs(sent("blended@0.3").picture.astype(int) - 127.5) <= 1).all()
    assert sent("turned+empty@0.3").caption == "" and sent("none+another").caption == "a cat"
    assert cut("a red old boat") == "a red" and cut("boat") == "boat" and cut("") == ""
    assert reworded("a red old boat") == "boat old red a"
    assert sent("original+cut@0.3").caption == "a red"


class TestInpainting:
    def test_the_half_that_is_not_hidden_arrives_as_it_was_sent(
        self, dummy: DummyTarget, small: Dataset
    ) -> None:
        env = ServiceEnv(target=dummy, data=small, budget=40, service="inpainting")
        seen, _ = env.reset(seed=0)
        sent = np.kron(seen["candidate"][2::4, 2::4], np.ones((4, 4, 1), np.uint8))
        answer, *_ = env.step(env.action(picture=sent, strength=0.5))
        assert answer["budget_left"].tolist() == [35]
        off = np.abs(answer["images"][0].astype(int) - sent)
        assert off[:, :32].max() <= 1 < off[:, 32:].max()
        left = 1 - env.action()["mask"]
        answer, *_ = env.step(env.action(picture=sent, strength=0.5, mask=left))
        off = np.abs(answer["images"][0].astype(int) - sent)
        assert off[:, 32:].max() <= 1 < off[:, :32].max()

    def test_a_mask_of_something_else_costs_nothing(
        self, dummy: DummyTarget, small: Dataset
    ) -> None:
        env = ServiceEnv(target=dummy, data=small, budget=40, service="inpainting")
        env.reset(seed=0)
        for mask, why in ((np.ones((32, 32)), "'mask' of shape"), (2, "'mask' of shape")):
            with pytest.raises(ActionError, match=why):
                env.step({**env.action(), "mask": mask})
        with pytest.raises(ActionError, match="whole numbers from 0 to 1"):
            env.step({**env.action(), "mask": np.full((64, 64), 2)})
        assert env.game.accounts.left.tolist() == [40]

    def test_it_is_a_way_by_name(self, dummy: DummyTarget, small: Dataset) -> None:
        env = NamedCalls(
            ServiceEnv(target=dummy, data=small, budget=40, service="full"),
            ways=["inpainted@0.6", "inpainted+empty@0.6"],
        )
        env.reset(seed=0)
        first, *_ = env.step(0)
        second, *_ = env.step(1)
        assert 0 < first[0] < 1 and 0 < second[3] < 1
        with pytest.raises(SettingsError, match="takes image-to-image only; inpainted"):
            NamedCalls(ServiceEnv(target=dummy, data=small, budget=40), ways=["inpainted@0.6"])


def test_noise_in_an_upload_is_of_a_seed() -> None:
    one, same, other = (noised(PICTURE, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert np.array_equal(one, same) and not np.array_equal(one, other)


def test_distances_are_shares_of_a_pixel_s_range() -> None:
    white = np.full((4, 4, 3), 255, np.uint8)
    half = white.copy()
    half[:2] = 0
    assert distances(white, half) == pytest.approx((0.5, np.sqrt(0.5)))
    assert distances(white, np.full((2, 2, 3), 255, np.uint8)) == (0, 0)


WAYS: list[tuple[Any, type[MiagymError], str]] = [
    (["turnt@0.3"], UnknownName, "did you mean turned"),
    (["turned+emty@0.3"], UnknownName, "did you mean empty"),
    (["turned"], SettingsError, "a strength above 0, up to 1, for each upload"),
    (["turned@2"], SettingsError, "a strength above 0"),
    (["turned@x"], SettingsError, "a strength above 0"),
    (["none@0.3"], SettingsError, "none for a text to image"),
    (["none+cut"], SettingsError, "takes image-to-image only; none.cut is text-to-image"),
    (["blended@0.3"], SettingsError, "needs another picture"),
    (["turned@0.3", "turned@0.3"], SettingsError, "named once"),
    ([], SettingsError, "one or more ways"),
    ("turned@0.3", SettingsError, "a list of one or more ways"),
]


@pytest.mark.parametrize(("ways", "error", "message"), WAYS)
def test_ways_that_are_none(
    ways: Any, error: type[MiagymError], message: str, env: ServiceEnv
) -> None:
    with pytest.raises(error, match=message):
        NamedCalls(env, ways=ways)


def test_the_wrapper_sends_what_its_number_says(env: ServiceEnv) -> None:
    wrapped = NamedCalls(env, ways=["original@0.3", "turned@0.6"], levels=3)
    wrapped.reset(seed=4)
    assert wrapped.action_masks().tolist() == [True] * 5
    numbers, reward, *_, info = wrapped.step(1)
    assert reward == pytest.approx(-0.1 * 6 / 12)
    assert numbers[:3].tolist() == [0, 0, 0] and (numbers[3:6] > 0).all() and numbers[6] == 0.5
    wrapped.step(1)
    _, _, terminated, _, info = wrapped.step(4)
    assert terminated and env.game.probability[0, 0] == 1.0 and "member" in info
    with pytest.raises(ActionError, match="from 0 to 4, got 5"):
        wrapped.step(5)
    with pytest.raises(SettingsError, match="wraps miagym/Service-v0"):
        NamedCalls(SingleEnv())
