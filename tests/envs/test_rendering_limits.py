"""Renders of any size and caption, of many environments at once, and in films."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import imageio_ffmpeg
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.wrappers import RecordVideo
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from miagym.candidates import Candidates
from miagym.data.dataset import Dataset
from miagym.envs.game import Game
from miagym.envs.pool import PoolEnv, PoolVectorEnv
from miagym.envs.rendering import MODES, render
from miagym.envs.rendering.canvas import HEIGHT, UNREADABLE, WIDTH, quoted
from miagym.envs.rendering.pool import FOOT, GAP, MIN_SIDE, TALL, WIDE, grid
from miagym.envs.single import SingleEnv
from miagym.targets.dummy import DummyTarget
from tests.tiers import mostly_slow


@pytest.mark.parametrize("n", [1, 3, 20])
@pytest.mark.parametrize("slots", [1, 9])
def test_pools_of_any_size_and_resolution(n: int, slots: int, small: Dataset) -> None:
    pictures = small.candidates(np.arange(4), 512)
    env = PoolEnv(
        target=DummyTarget(pictures),
        data=small,
        candidates=n,
        slots=slots,
        render_mode="rgb_array",
    )
    env.reset(seed=0)
    action = {"candidate": [n - 1] * slots, "question": [1] * slots, "probability": [0.5] * n}
    env.step({**action, "stop": 0})
    frame = env.render()
    assert isinstance(frame, np.ndarray) and frame.shape == (HEIGHT, WIDTH, 3)


def test_a_grid_holds_as_many_candidates_as_it_says() -> None:
    for n in (*range(1, 80), 200, 5000):
        side, columns, rows = grid(n)
        assert columns * (side + GAP) - GAP <= WIDE and rows * (side + GAP + FOOT) - GAP <= TALL
        assert columns * rows >= n or side == MIN_SIDE


@pytest.fixture(scope="module")
def games(dummy: DummyTarget, small: Dataset) -> tuple[Game, Game]:
    """One of a candidate, one of a pool, with an answer each."""
    single = SingleEnv(target=dummy, data=small)
    pool = PoolEnv(target=dummy, data=small, candidates=4, slots=2)
    for env in (single, pool):
        env.reset(seed=0)
    single.step({"question": 1, "probability": 0.5, "stop": 0})
    asked = {"candidate": [0, 4], "question": [1, 1]}
    pool.step({**asked, "probability": [0.5] * 4, "stop": 0})
    return single.game, pool.game


@settings(max_examples=25)
@given(caption=st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_any_caption_fits(caption: str, games: tuple[Game, Game]) -> None:
    for game in games:
        hand = game.candidates[0]
        assert hand is not None
        game.candidates[0] = Candidates(hand.images, (caption,) * len(hand))
        lines = str(render(game, 0, "ansi")).split("\n")
        assert all(cell_len(line) <= 80 and line.isprintable() for line in lines)
        picture = render(game, 0, "rgb_array")
        assert isinstance(picture, np.ndarray) and picture.shape == (HEIGHT, WIDTH, 3)


def test_letters_that_the_font_lacks_are_said_to_be_missing() -> None:
    assert quoted("café, žluťoučký") == "“cafe, zlutoucky”"
    assert quoted("a ☃ on a hill") == "“a ? on a hill”"
    assert quoted("赤い自転車") == quoted("Кот на коврике") == UNREADABLE
    assert quoted("") == "(no caption)"


@pytest.mark.parametrize("mode", MODES)
def test_many_environments_render_each_for_itself(
    mode: str, dummy: DummyTarget, small: Dataset
) -> None:
    options: dict[str, Any] = {"candidates": 4, "slots": 2, "budget": 14}
    many = PoolVectorEnv(3, target=dummy, data=small, render_mode=mode, **options)
    many.reset(seed=5)
    frames = many.render()
    assert isinstance(frames, tuple) and len(frames) == 3
    for i, frame in enumerate(frames):
        one = PoolEnv(target=dummy, data=small, render_mode=mode, **options)
        one.reset(seed=5 + i)
        alone = one.render()
        assert alone is not None and np.array_equal(alone, frame)


def test_nothing_is_rendered_before_the_first_reset(dummy: DummyTarget, small: Dataset) -> None:
    with pytest.raises(ResetNeeded, match="reset"):
        SingleEnv(target=dummy, data=small, render_mode="ansi").render()


@pytest.mark.parametrize("name", mostly_slow(["Single", "Pool"], quick=["Pool"]))
def test_a_film_has_a_frame_for_each_step(name: str, tmp_path: Path) -> None:
    env = gym.make(f"miagym/{name}-v0", render_mode="rgb_array", device="cpu", steps=2)
    env = RecordVideo(env, str(tmp_path / "films"), episode_trigger=lambda _: True)
    env.reset(seed=0)
    env.action_space.seed(0)
    for stop in (0, 0, 0, 1):
        env.step({**env.action_space.sample(), "stop": stop})
    env.close()
    [path] = tmp_path.rglob("*.mp4")
    assert path.stat().st_size > 1000
    frames, seconds = imageio_ffmpeg.count_frames_and_secs(str(path))
    assert (frames, seconds) == (5, 5)
    meta = next(imageio_ffmpeg.read_frames(str(path)))
    assert isinstance(meta, dict) and meta["size"] == (WIDTH, HEIGHT)
