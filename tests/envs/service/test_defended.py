"""Pictures of a menu after a defence: what is seen and measured is what was handed out."""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium.utils.env_checker import check_env
from numpy.typing import NDArray
from PIL import Image

from miagym.data.dataset import Dataset
from miagym.envs import oracle_from_env
from miagym.envs.pool import PoolEnv, PoolVectorEnv
from miagym.envs.service.env import ServiceEnv
from miagym.envs.single import SingleEnv
from miagym.errors import SettingsError, UnknownOption
from miagym.targets.dummy import DummyTarget

QUESTIONS = ["variation@0.3", "text-to-image"]


@pytest.fixture
def world(dummy: DummyTarget, small: Dataset) -> dict[str, Any]:
    return {"target": dummy, "data": small, "questions": QUESTIONS, "budget": 40}


def as_jpeg(picture: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    packed = io.BytesIO()
    Image.fromarray(picture).save(packed, "JPEG", quality=quality)
    return np.asarray(Image.open(packed).convert("RGB"))


def test_a_picture_is_the_plain_one_after_it_and_so_are_its_numbers(world: dict[str, Any]) -> None:
    plain, defended = (
        PoolEnv(candidates=4, slots=2, defence=defence, **world) for defence in ("", "jpeg:30")
    )
    action = {"candidate": [0, 1], "question": [0, 1], "probability": [0.5] * 4, "stop": 0}
    seen = []
    for env in (plain, defended):
        env.reset(seed=3)
        seen.append(env.step(action)[0])
    one, other = seen
    for slot in (0, 1):
        assert np.array_equal(other["images"][slot], as_jpeg(one["images"][slot], 30))
        d = (other["images"][slot] - other["candidates"][slot].astype(float)) / 255
        assert other["statistics"][slot, 0] == pytest.approx(np.abs(d).mean(), abs=1e-5)
    assert np.array_equal(one["budget_left"], other["budget_left"])


@pytest.mark.parametrize("env", [SingleEnv, PoolEnv])
def test_gymnasium_is_content(env: Any, world: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = env(defence="jpeg:80+resize:0.75", **world)
        check_env(made, skip_render_check=True)


def test_attacks_get_it_as_well(world: dict[str, Any]) -> None:
    env = PoolEnv(candidates=4, defence="jpeg:30", **world)
    env.reset(seed=3)
    oracle = oracle_from_env(env)
    drawn = oracle.vary(oracle.candidates, strength=0.3, steps=10, guidance_scale=1.0)
    assert str(oracle.defence) == "jpeg:30"
    whole = drawn * 255
    assert torch.allclose(whole, whole.round(), atol=1e-3), "8 bits after JPEG"


def test_verdict_files_say_it(world: dict[str, Any]) -> None:
    envs = PoolVectorEnv(1, candidates=4, split="val", defence="jpeg:30", **world)
    envs.reset(seed=0)
    action = {"candidate": [[4] * 4], "question": [[0] * 4], "probability": [[0.5] * 4]}
    envs.step({**action, "stop": [1]})
    assert envs.verdicts.played.terms == "pictures by jpeg:30"


@pytest.mark.parametrize(
    ("defence", "why"),
    [("jpg:30", "is no defence"), ("jpeg:0", "is no defence"), (80, "Expected a text such as")],
)
def test_defences_that_are_none(defence: Any, why: str, world: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=why):
        PoolEnv(defence=defence, **world)
    with pytest.raises(UnknownOption, match="'defence'"):
        ServiceEnv(defence="jpeg:30", target=world["target"], data=world["data"])  # type: ignore[call-arg]
