"""What people see of a game, as text and as a picture: what happened, and no truth too early."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from PIL import ImageColor

from miagym.data.dataset import Dataset
from miagym.envs.pool import PoolEnv
from miagym.envs.rendering import MODES
from miagym.envs.rendering.canvas import ANSWER, BUDGET, HEIGHT, REFUSED, SIDES, WIDTH
from miagym.envs.single import SingleEnv
from miagym.targets.dummy import DummyTarget

QUESTIONS = ["variation@0.3", "text-to-image", "loss@200"]
"""Of 3, 10 and 1 UNet rows."""
N, EMPTY = 4, 4
Env = SingleEnv | PoolEnv


def single(dummy: DummyTarget, small: Dataset, **options: Any) -> SingleEnv:
    """One candidate, 14 UNet rows, pictures and numbers on the menu."""
    defaults: dict[str, Any] = {"access": "grey", "questions": QUESTIONS, "budget": 14}
    return SingleEnv(target=dummy, data=small, **(defaults | options))


def pool(dummy: DummyTarget, small: Dataset, **options: Any) -> PoolEnv:
    """Four candidates and two slots, else the same."""
    defaults: dict[str, Any] = {"access": "grey", "questions": QUESTIONS, "budget": 14}
    return PoolEnv(target=dummy, data=small, candidates=N, slots=2, **(defaults | options))


def ask(question: int, probability: float = 0.5, *, stop: int = 0) -> dict[str, Any]:
    return {"question": question, "probability": probability, "stop": stop}


def film(env: Env, seed: int = 0) -> list[Any]:
    """What is seen from the reset to the verdict: two answers, a refusal, a verdict."""
    env.reset(seed=seed)
    frames = [env.render()]
    for question, stop in ((1, 0), (2, 0), (1, 0), (0, 1)):
        action = ask(question, 0.8, stop=stop)
        if isinstance(env, PoolEnv):
            action |= {"candidate": [2, EMPTY], "question": [question, 0]}
            action["probability"] = [0.1, 0.4, 0.8, 1.0]
        env.step(action)
        frames.append(env.render())
    return frames


def area(picture: np.ndarray, colour: str) -> int:
    """Pixels of exactly this colour."""
    return int((picture == ImageColor.getrgb(colour)).all(axis=-1).sum())


def test_text_shows_budget_answers_belief_and_verdict(dummy: DummyTarget, small: Dataset) -> None:
    opening, answered, _, refused, end = film(single(dummy, small, render_mode="ansi"))
    assert "14 of 14 UNet rows left" in opening and f"[{'#' * 30}]" in opening
    assert "buys 14 more loss@200" in opening
    assert "answers  none yet" in opening and "nothing said yet" in opening
    assert "4 of 14 UNet rows left" in answered and f"[{'#' * 9}{'.' * 21}]" in answered
    assert "text-to-image             10 rows" in answered and "0.80, member" in answered
    assert "refused: it costs 10 rows" in refused and "3 of 14 UNet rows left" in refused
    assert "Verdict" not in refused
    assert "Verdict: 0.80, member. Truth: " in end


def test_text_lists_the_distances_that_were_observed(dummy: DummyTarget, small: Dataset) -> None:
    env = single(dummy, small, render_mode="ansi", budget=30)
    env.reset(seed=0)
    distances = [env.step(ask(2))[0]["statistics"][i, 1] for i in range(12)]
    text = str(env.render())
    assert all(f"{number:5}  loss@200" in text for number in range(5, 13))
    assert "4 before" in text and f"{distances[-1]:.4g}" in text
    assert f"{4:5}  loss@200" not in text


def test_text_of_a_pool_has_a_line_for_each_slot_and_candidate(
    dummy: DummyTarget, small: Dataset
) -> None:
    env = pool(dummy, small, render_mode="ansi")
    opening, answered, *_, end = film(env)
    assert "last questions  none yet" in opening
    assert "slot 0   about 2    text-to-image" in answered and "slot 1" not in answered
    table = answered.split("caption\n")[1].splitlines()
    assert [line.split()[0] for line in table] == ["0", "1", "2", "3"]
    assert [line.split("]")[1].split()[:2] for line in table] == [
        ["0.10", "0"],
        ["0.40", "0"],
        ["0.80", "1"],
        ["1.00", "0"],
    ]
    member = env.game.members[0]
    assert member is not None
    told = [" not member " not in line for line in end.split("caption\n")[1].splitlines()[:N]]
    assert told == member.astype(bool).tolist()
    right = int(((np.array([0.1, 0.4, 0.8, 1.0]) > 0.5) == member).sum())
    assert f"Right on {right} of 4" in end


def test_bars_of_the_picture_are_as_long_as_what_they_show(
    dummy: DummyTarget, small: Dataset
) -> None:
    env = single(dummy, small, render_mode="rgb_array")
    opening, answered, *_ = film(env)
    full = area(opening, BUDGET)
    env.reset(seed=0)
    env.step(ask(0, 0.5))
    undecided = env.render()
    assert isinstance(undecided, np.ndarray)
    bar = slice(530, 548), slice(912, 1232)
    assert area(undecided[bar], BUDGET) == pytest.approx(full * 11 / 14, rel=0.01)
    assert area(answered[bar], BUDGET) == pytest.approx(full * 4 / 14, rel=0.01)
    belief = slice(612, 632), slice(912, 1232)
    assert area(undecided[belief], SIDES[0]) == area(undecided[belief], SIDES[1]) == 0
    assert area(answered[belief], SIDES[1]) == pytest.approx(0.3 * full, rel=0.05)
    env.step(ask(2, 0.0))
    sure = env.render()
    assert isinstance(sure, np.ndarray)
    assert area(sure[belief], SIDES[0]) == pytest.approx(0.5 * full, rel=0.05)


def test_the_picture_holds_candidate_and_answer(dummy: DummyTarget, small: Dataset) -> None:
    env = single(dummy, small, render_mode="rgb_array")
    observation, _ = env.reset(seed=0)
    observation, *_ = env.step(ask(0))
    picture = env.render()
    assert isinstance(picture, np.ndarray)
    candidate, answer = picture[146:466, 48:368], picture[146:466, 480:800]
    assert np.array_equal(candidate[2::5, 2::5], observation["candidate"])
    assert np.array_equal(answer[2::5, 2::5], observation["images"][0])


def test_a_refused_question_is_seen(dummy: DummyTarget, small: Dataset) -> None:
    for make in (single, pool):
        _, answered, _, refused, _ = film(make(dummy, small, render_mode="rgb_array"))
        assert area(answered, REFUSED) == 0 < area(refused, REFUSED)


def test_earlier_answers_stay_in_the_chart(dummy: DummyTarget, small: Dataset) -> None:
    _, one, two, *_ = film(single(dummy, small, render_mode="rgb_array"))
    assert area(one, ANSWER) == 0 < area(two, ANSWER)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("make", [single, pool])
def test_on_test_labels_make_no_difference(
    make: Any, mode: str, dummy: DummyTarget, small: Dataset
) -> None:
    swapped = replace(small, member=~small.member)
    frames = [
        film(make(dummy, data, split="test", render_mode=mode), seed=1) for data in (small, swapped)
    ]
    assert all(np.array_equal(a, b) for a, b in zip(*frames, strict=True))
    if mode == "ansi":
        assert "Graded afterwards" in frames[0][-1]
        assert "Truth" not in frames[0][-1] and "reward" not in frames[0][-1]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("make", [single, pool])
def test_the_truth_comes_with_the_verdict_and_not_before(
    make: Any, mode: str, dummy: DummyTarget, small: Dataset
) -> None:
    env = make(dummy, small, render_mode=mode)
    *_, end = film(env)
    member = env.game.members[0]
    env.game.members[0] = 1 - member
    assert not np.array_equal(env.render(), end)
    env.game.over[0] = False
    other = env.render()
    env.game.members[0] = member
    assert np.array_equal(env.render(), other)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("make", [single, pool])
def test_the_same_game_looks_the_same_and_keeps_its_shape(
    make: Any, mode: str, dummy: DummyTarget, small: Dataset
) -> None:
    frames, again = (film(make(dummy, small, render_mode=mode)) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(frames, again, strict=True))
    if mode == "rgb_array":
        assert {frame.shape for frame in frames} == {(HEIGHT, WIDTH, 3)}
        assert {frame.dtype for frame in frames} == {np.dtype(np.uint8)}
        assert not any(np.array_equal(a, b) for a, b in pairwise(frames))


def test_a_reference_model_is_shown_beside(dummy: DummyTarget, small: Dataset) -> None:
    other = DummyTarget(small.candidates(np.arange(4), 64))
    frames = film(single(dummy, small, reference=other, render_mode="ansi"))
    assert "reference" in frames[1]
    _, _, numbers, *_ = film(single(dummy, small, reference=other, render_mode="rgb_array"))
    assert numbers.shape == (HEIGHT, WIDTH, 3)
