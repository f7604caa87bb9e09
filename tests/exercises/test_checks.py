"""Usual mistakes get the hint that is meant for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold

from miagym.exercises.registry import tasks_of
from miagym.exercises.task import Wrong


def loss_of_own_noise(oracle: Any, candidates: Any, timestep: int, noise: Any) -> Any:
    noise = oracle.noise(candidates, timestep)
    return mean_square(oracle, candidates, timestep, noise)


def mean_square(oracle: Any, candidates: Any, timestep: int, noise: Any) -> Any:
    z_t = oracle.add_noise(oracle.encode(candidates), noise, timestep)
    error = oracle.predict_noise(candidates, z_t, timestep) - noise
    return error.pow(2).flatten(1).mean(1)


def summed(*asked: Any) -> Any:
    return mean_square(*asked) * asked[-1][0].numel()


def strict_tpr(members: Any, nonmembers: Any, alpha: float) -> Any:
    """Lets one too many pass."""
    k = int(alpha * len(nonmembers) + 1e-9)
    threshold = np.sort(nonmembers)[::-1][k - 1]
    return ((members >= threshold).mean(), (nonmembers >= threshold).mean()) if k else None


def tpr_that_ties_pass(members: Any, nonmembers: Any, alpha: float) -> Any:
    k = int(alpha * len(nonmembers) + 1e-9)
    threshold = np.sort(nonmembers)[::-1][k]
    return ((members >= threshold).mean(), (nonmembers > threshold).mean()) if k else None


def in_sample(x: Any, member: Any, groups: Any) -> Any:
    return LogisticRegression(max_iter=1000).fit(x, member).decision_function(x)


def ungrouped(x: Any, member: Any, groups: Any) -> Any:
    scores = np.empty(len(x))
    for learn, test in KFold(5, shuffle=True, random_state=0).split(x):
        rule = LogisticRegression(max_iter=1000).fit(x[learn], member[learn])
        scores[test] = rule.decision_function(x[test])
    return scores


def brightness(images: Any) -> Any:
    return images.mean((1, 2, 3))[:, None]


def in_vain(post: Any, message: Any, name: str) -> Any:
    """Never gives up."""
    while True:
        try:
            return post({"request_id": name, **message})
        except ConnectionError:
            pass


def renaming(post: Any, message: Any, name: str) -> Any:
    """Buys anew whenever no reply came."""
    for attempt in range(4):
        try:
            return post({"request_id": f"{name}{attempt or ''}", **message})
        except ConnectionError:
            pass
    return post({"request_id": name, **message})


def odds(seen: Any) -> Any:
    """Of membership, or 1 where nothing was asked."""
    asked = seen["count"][:, 0] > 0
    ratio = np.where(asked, seen["summary"][:, 0, 5], 1) / np.where(
        asked, seen["summary"][:, 0, 1], 1
    )
    return ratio**20


MISTAKES: list[tuple[int, str, Callable[..., Any], str]] = [
    (1, "loss", loss_of_own_noise, "noise of its own"),
    (1, "loss", summed, "the sum of the squares"),
    (1, "loss", lambda *asked: mean_square(*asked) ** 0.5, "has no root"),
    (1, "loss", lambda *asked: 0.1, "expected numbers of shape (7,), got ()"),
    (1, "plain_score", lambda losses: losses, "the wrong way round"),
    (1, "noise_share", lambda losses: losses.var(0).mean() / losses.var(), "ddof=1"),
    (1, "noise_share", lambda losses: 0.04, "expected the mean over pictures"),
    (1, "gaps", lambda a, b: a[:, None] - b[None], "the sign"),
    (1, "gaps", lambda a, b: b[:, None] - a[None], "swapped"),
    (1, "gaps", lambda a, b: b - a, "expected numbers of shape (4, 4, 7)"),
    (1, "shared_noise", lambda a, b: np.cov(a.ravel(), b.ravel())[0, 1], "mixes pictures"),
    (2, "auc", lambda m, n: (n[:, None] > m).mean(), "the wrong way round"),
    (2, "auc", lambda m, n: (m[:, None] > n).mean(), "right without ties, wrong with them"),
    (2, "auc", lambda m, n: 0.7, "not the share of pairs"),
    (2, "tpr_at_fpr", strict_tpr, "a lower threshold finds more"),
    (2, "tpr_at_fpr", tpr_that_ties_pass, "that tie with the threshold do not pass"),
    (2, "tpr_at_fpr", lambda m, n, alpha: (0.0, 0.0), "expected None"),
    (3, "features", brightness, "tell blurred from sharp with an AUC of"),
    (3, "features", lambda x: x.reshape(len(x), -1)[:, :9] - x.mean(), "on its own"),
    (3, "out_of_fold", in_sample, "that has learned from them"),
    (3, "out_of_fold", ungrouped, "Give the groups to the cut"),
    (3, "out_of_fold", lambda x, member, groups: x[:, 0], "far apart"),
    (3, "speaks_for_membership", lambda attack, blind: attack[0] > 0.5, "overlap"),
    (3, "speaks_for_membership", lambda attack, blind: attack[0] > blind[1], "guessing"),
    (4, "expected_reward", lambda said, believed: 1 - 4 * (said - believed) ** 2, "believed"),
    (4, "evidence", lambda seen: seen["summary"][:, :, 5].mean(1), "by how often it was answered"),
    (4, "worth", lambda p, asked: 0.5 * p * (1 - p), "for pictures asked"),
    (4, "choose", lambda seen, p: ([0, 0], [0, 0]), "asked twice"),
    (4, "choose", lambda seen, p: ([], []), "are worth it and can be paid, 0 asked"),
    (4, "agent", lambda seen: {"stop": 1}, "no action of the environment"),
    (6, "ask_once", lambda post, message, name: post(message), "another name is another purchase"),
    (6, "ask_once", in_vain, "after the fifth it gives up"),
    (6, "ask_once", renaming, "another name is another purchase"),
    (6, "believe", lambda seen: 1 / (1 + odds(seen)), "the sign"),
    (6, "believe", lambda seen: odds(seen) ** 0.5 / (1 + odds(seen) ** 0.5), "1 / (1 + exp"),
    (6, "told_apart", lambda interval: interval[0] > 0, "shows a difference"),
    (6, "told_apart", lambda interval: True, "holds 0"),
    (5, "p_value", lambda score, known: (known >= score).mean(), "p = 0"),
    (5, "p_value", lambda score, known: (1 + (known > score).sum()) / (len(known) + 1), "tie"),
    (5, "corrected", min, "come below 5 %"),
    (5, "corrected", lambda p: len(p) * min(p), "never above 1"),
    (5, "verdict", lambda p, alpha: "member-like", "no accusation"),
]


@pytest.mark.parametrize(("exercise", "name", "mistake", "hint"), MISTAKES)
def test_a_mistake_gets_its_hint(
    exercise: int, name: str, mistake: Callable[..., Any], hint: str
) -> None:
    task = next(task for task in tasks_of(exercise) if task.name == name)
    with pytest.raises(Wrong) as told:
        task.check(mistake)
    assert hint in str(told.value)


def test_an_agent_that_asks_nobody_or_everybody_is_told_so() -> None:
    task = next(task for task in tasks_of(4) if task.name == "agent")
    half = np.full(16, 0.5, dtype=np.float32)
    nobody = {"candidate": np.full(8, 16), "question": np.zeros(8, dtype=int)}

    def silent(seen: dict[str, Any]) -> dict[str, Any]:
        return {**nobody, "probability": half, "stop": 1}

    def endless(seen: dict[str, Any]) -> dict[str, Any]:
        return {**nobody, "probability": half, "stop": 0}

    with pytest.raises(Wrong, match=r"it earns 0\.00 with 0 queries"):
        task.check(silent)
    with pytest.raises(Wrong, match="never says what it believes"):
        task.check(endless)
