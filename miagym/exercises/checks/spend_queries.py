"""Checks of exercise 4: an agent for the pool, and the value of a query to it."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from miagym.envs import grade
from miagym.exercises.task import Task, answered, close, expect, number, numbers

PICTURES, SLOTS, BUDGET, PRICE = 16, 8, 100, 0.1
FIRST, NOISE = 0.5, 0.14
QUESTIONS = ("loss@60", "loss@200", "loss@400")
EPISODES = 6
MIN_REWARD = 0.3
"""What an agent should earn on `test`; the solution earns about 0.5."""


def observation(seed: int, left: int = BUDGET) -> dict[str, Any]:
    """Example observation: some pictures not asked about, some often."""
    rng = np.random.default_rng(seed)
    count = rng.integers(0, 3, (PICTURES, 3)).astype(np.int32)
    count[rng.permutation(PICTURES)[:4]] = 0
    summary = rng.uniform(0.1, 0.9, (PICTURES, 3, 8)).astype(np.float32)
    summary[count == 0] = 0
    return {"count": count, "summary": summary, "budget_left": np.array([left], dtype=np.float32)}


def gains(probability: NDArray[np.float64], asked: NDArray[np.integer]) -> NDArray[np.float64]:
    k = np.maximum(1, asked)
    share = np.where(asked == 0, FIRST, NOISE / (k * (k + 1)))
    return share * 4 * probability * (1 - probability) / PICTURES


def check_expected(expected_reward: Any) -> None:
    for said in (0.0, 0.3, 0.5, 0.9, 1.0):
        for believed in (0.0, 0.2, 0.5, 0.8, 1.0):
            known = believed * (1 - 4 * (1 - said) ** 2) + (1 - believed) * (1 - 4 * said**2)
            expect(
                close(expected_reward(said, believed), known),
                f"said {said}, believed {believed}: expected {known:.2f}, got "
                f"{number(expected_reward(said, believed)):.2f}. With the probability believed "
                "it is 1 - 4 (1 - said)², else 1 - 4 said².",
            )


def check_evidence(evidence: Any) -> None:
    for seed in range(5):
        seen = observation(seed)
        got = numbers(evidence(seen), (PICTURES,))
        count, asked = seen["count"], seen["count"] > 0
        ratio = np.log(np.where(asked, seen["summary"][:, :, 5], 1.0))
        ratio -= np.log(np.where(asked, seen["summary"][:, :, 1], 1.0))
        total = count.sum(axis=1)
        known = (ratio * count).sum(axis=1) / np.maximum(1, total)
        expect(np.allclose(got[total == 0], 0), "0 is asked where there is no answer at all.")
        expect(
            not np.allclose(got, -known, atol=1e-4),
            "the sign: a member has a smaller error under the target, and then e is above 0.",
        )
        expect(
            np.allclose(got, known, atol=1e-4),
            "a mean over all answers weighs a question by how often it was answered (`count`), "
            "and a question without answers not at all.",
        )


def check_worth(worth: Any) -> None:
    rng = np.random.default_rng(2)
    probability, asked = rng.uniform(size=PICTURES), np.arange(PICTURES) % 5
    got = numbers(worth(probability, asked), (PICTURES,))
    known = gains(probability, asked)
    expect(
        not close(got, known * PICTURES),
        "the return is a mean over 16 pictures: a picture counts for a sixteenth.",
    )
    for k in range(5):
        expect(
            close(got[asked == k], known[asked == k]),
            f"for pictures asked {k} times before: (share s_{k}) · 4 p (1 - p) / 16.",
        )


def check_choose(choose: Any) -> None:
    rng = np.random.default_rng(8)
    for seed in range(20):
        left = int(rng.choice([0, 3, 8, 60]))
        seen, probability = observation(seed, left), rng.uniform(size=PICTURES)
        whom, questions = (list(map(int, part)) for part in choose(seen, probability))
        gain = gains(probability, seen["count"].sum(axis=1))
        expect(len(whom) == len(questions), "a question is needed for each picture.")
        expect(len(set(whom)) == len(whom), "a picture is asked twice in one step.")
        expect(len(whom) <= min(SLOTS, left), f"{len(whom)} are asked, {left} can be paid.")
        expect((gain[whom] > PRICE / BUDGET).all(), "a query is bought that is not worth it.")
        wanted = min(SLOTS, left, int((gain > PRICE / BUDGET).sum()))
        expect(len(whom) == wanted, f"{wanted} are worth it and can be paid, {len(whom)} asked.")
        others = np.setdiff1d(np.arange(PICTURES), whom)
        expect(
            not whom or gain[whom].min() >= gain[others].max() or len(whom) < min(SLOTS, left),
            "a picture is left out for which a query is worth more than for one that is asked.",
        )
        least = all(
            seen["count"][i, q] == seen["count"][i].min()
            for i, q in zip(whom, questions, strict=True)
        )
        expect(least, "a picture is asked a question that it has been asked more often before.")


def check_agent(agent: Any) -> None:
    """Plays an agent on `test`, where no label is told, and grades it afterwards."""
    env = gym.make(
        "miagym/Pool-v0",
        split="test",
        target="clipart-overfit@80",
        reference="clipart-realistic",
        access="grey",
        questions=QUESTIONS,
        candidates=PICTURES,
        slots=SLOTS,
        budget=BUDGET,
        price=PRICE,
    )
    env.reset(seed=77)
    for _ in range(EPISODES):
        seen, _ = env.reset()
        for _ in range(BUDGET + 1):
            action = agent(seen)
            expect(
                isinstance(action, dict) and env.action_space.contains(_typed(action)),
                "this is no action of the environment; `ask` and `say` make them.",
            )
            seen, _, terminated, truncated, _ = env.step(action)
            if terminated:
                break
            expect(not truncated, "the agent never says what it believes (`say`).")
    found = grade(env.unwrapped.verdicts)  # type: ignore[attr-defined]
    spent = found.spent * PICTURES
    earned = found.brier_reward - PRICE * spent / BUDGET
    expect(
        earned >= MIN_REWARD,
        f"on pictures of `test` it earns {earned:.2f} with {spent:.0f} queries an episode; "
        f"{MIN_REWARD} or more is to be had.",
    )
    expect(
        spent < 0.8 * BUDGET,
        f"it spends {spent:.0f} of 100 queries; is each of them worth its price?",
    )


def _typed(action: dict[str, Any]) -> dict[str, Any]:
    kinds = {"candidate": np.int64, "question": np.int64, "probability": np.float32}
    return {
        name: np.asarray(value, dtype=kinds[name]) if name in kinds else value
        for name, value in action.items()
    }


TASKS = (
    Task(
        "expected_reward",
        "a proper score is best answered with what one believes",
        "Two things can be so; each has a probability and a reward.",
        check_expected,
    ),
    Task(
        "evidence",
        "how much better the target does than the public model",
        "`np.log` of summary[:, :, 5] over summary[:, :, 1] where count is above 0, then a mean "
        "weighted by count.",
        check_evidence,
    ),
    Task(
        "worth",
        "the truth has a value, and a query tells a share of it",
        "s_0 where asked is 0, s_k elsewhere (`np.where`), times what the truth is worth to a mean "
        "over 16 pictures.",
        check_worth,
    ),
    Task(
        "choose",
        "those first who are worth most, and nobody who is not worth it",
        "`np.argsort(-gain)` has the pictures in the right order; keep those above the price.",
        check_choose,
    ),
    Task(
        "agent",
        "earns more than it spends, on pictures nobody knows",
        "Three calls that you have written, and `ask` or `say`.",
        check_agent,
    ),
    Task(
        "answer_bluff",
        "to bluff costs",
        "The file prints both.",
        answered(0.155, 0.165, "expected_reward(0.8, 0.8) less expected_reward(1.0, 0.8)."),
    ),
    Task(
        "answer_silent",
        "who knows nothing and says so loses nothing",
        "1 - 4 (½ - y)².",
        answered(-1e-9, 1e-9, "1 - 4 (½ - y)² for y = 0 and for y = 1."),
    ),
    Task(
        "answer_sure",
        "whoever is sure need not ask",
        "s_1 · 4 p (1 - p) / 16 = 0.001, solved for p.",
        answered(0.935, 0.945, "s_1 · 4 p (1 - p) / 16 has to be 0.001, with p above ½."),
    ),
)
