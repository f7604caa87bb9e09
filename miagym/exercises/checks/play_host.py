"""Checks of exercise 6: a request that is paid once, and an agent that plays against a host."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from miagym.errors import MiagymError
from miagym.exercises.hosted import TASK, LocalHost
from miagym.exercises.task import Task, Wrong, answered, close, expect, numbers
from miagym.remote.env import RemoteEnv

Floats = NDArray[np.float64]
PICTURES, SLOTS, SLOPE, TRIES = 16, 4, 20, 5
MAX_STEPS = 40
"""Of a hand; one with a budget of 60 needs six."""
MIN_AUC = 0.65
"""On 32 pictures that are drawn by a secret; guessing reaches it once in fourteen times."""
MIN_AGREEMENT = 0.5
"""Rank correlation of what is said with the evidence that was bought, over the 32 pictures; that of
a guess is above it once in some 500 times."""


class LossyLine:
    """A line to a host on which the first replies are lost: paid for, and never seen."""

    def __init__(self, lost: int) -> None:
        self._lost, self.sent = lost, []

    def __call__(self, message: Any) -> Any:
        expect(isinstance(message, dict), "`post` takes a dictionary.")
        self.sent.append(dict(message))
        if len(self.sent) <= self._lost:
            raise ConnectionError("the reply was lost")
        return {"answer": 3}


def check_ask_once(ask_once: Any) -> None:
    asked = {"questions": [{"candidate": "a", "question": "variation@0.3"}]}
    for lost in range(TRIES):
        line = LossyLine(lost)
        reply = ask_once(line, dict(asked), "walk-1-ask-1")
        names = {message.get("request_id") for message in line.sent}
        expect(
            names == {"walk-1-ask-1"},
            f"with {lost} lost replies it sent the names {sorted(map(str, names))}: another name "
            "is another purchase.",
        )
        expect(
            all(message == {"request_id": "walk-1-ask-1", **asked} for message in line.sent),
            "the message itself changes; it is {'request_id': name, **message} every time.",
        )
        expect(
            len(line.sent) == lost + 1,
            f"with {lost} lost replies it is sent {len(line.sent)} times, expected {lost + 1}.",
        )
        expect(reply == {"answer": 3}, f"the reply is returned as it came, got {reply!r}.")
    line, gave_up = LossyLine(100), False

    def fails(message: Any) -> Any:
        nonlocal gave_up
        try:
            return line(message)
        except ConnectionError:
            gave_up = len(line.sent) == TRIES
            if len(line.sent) > TRIES:
                raise AssertionError from None
            raise

    try:
        ask_once(fails, dict(asked), "walk-1-ask-1")
    except Exception:
        expect(gave_up, f"it sends {len(line.sent)} times; after the fifth it gives up.")
        return
    expect(False, "if no reply comes at all, the last `ConnectionError` is raised.")


def check_believe(believe: Any) -> None:
    rng = np.random.default_rng(6)
    for _ in range(5):
        count = rng.integers(0, 3, (PICTURES, 2))
        count[:3, 0] = 0
        summary = rng.uniform(0.08, 0.1, (PICTURES, 2, 8))
        summary[count == 0] = 0
        got = numbers(believe({"count": count, "summary": summary}), (PICTURES,))
        asked = count[:, 0] > 0
        ratio = np.where(asked, summary[:, 0, 1], 1) / np.where(asked, summary[:, 0, 5], 1)
        known = 1 / (1 + ratio**SLOPE)
        expect(np.allclose(got[~asked], 0.5), "½ is asked where question 0 has no answer.")
        expect(
            not close(got, 1 - known),
            "the sign: the target comes closer to a member than the public model does.",
        )
        expect(
            close(got, known, 1e-4), "1 / (1 + exp(-20 e)), e from numbers 1 and 5 of question 0."
        )


def check_agent(agent: Any) -> None:
    """Plays one walk against a host, and reads the leaderboard."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        LocalHost(folder) as host,
    ):
        env = RemoteEnv(host.url, host.key("student"), TASK)
        try:
            hands = [_play_hand(env, agent) for _ in range(env.told["hands"])]
            rows = {row["player"]: row for row in env.client.leaderboard(TASK)}
        finally:
            env.close()
    auc, spent = rows["student"]["auc"], rows["student"]["spent"]
    expect(spent > 0, "it asks nothing, and the blind row does that already.")
    expect(
        auc >= MIN_AUC,
        f"on a host's pictures its AUC is {auc:.2f} with {spent} UNet rows; {MIN_AUC} or more is "
        "to be had. Does every picture get an answer?",
    )
    check_verdicts(hands)


def check_verdicts(hands: Sequence[tuple[Floats, Floats]]) -> None:
    """Raises `Wrong` for verdicts that hardly follow the evidence they were given.

    Args:
        hands: the evidence of question 0 that each hand ended with, and what was said of it.
    """
    evidence, said = (np.concatenate(each) for each in zip(*hands, strict=True))
    is_told = np.ptp(evidence) > 0 and np.ptp(said) > 0
    ranks = rankdata(evidence), rankdata(said)
    agreement = float(np.corrcoef(*ranks)[0, 1]) if is_told else 0.0
    expect(
        agreement >= MIN_AGREEMENT,
        f"what it says hardly follows what it was told (rank correlation {agreement:.2f}, expected "
        f"{MIN_AGREEMENT} or more): a verdict is what `believe` makes of the last observation.",
    )


def _play_hand(env: RemoteEnv, agent: Any) -> tuple[Floats, Floats]:
    """The evidence of question 0 that a hand ended with, and what was said of it, each (16,)."""
    seen, _ = env.reset()
    for _ in range(MAX_STEPS):
        action = agent(seen)
        expect(
            isinstance(action, dict) and set(action) == set(env.action_space.spaces),  # type: ignore[attr-defined]
            "this is no action of the environment; `ask` and `say` make them.",
        )
        told = seen
        try:
            seen, _, terminated, truncated, _ = env.step(action)
        except MiagymError as error:
            raise Wrong(f"the host refuses an action: {error}") from None
        if terminated:
            return _evidence(told), np.asarray(action["probability"], dtype=float)
        expect(not truncated, "the hand is cut off before the agent says (`say`) what it believes.")
    raise Wrong(f"after {MAX_STEPS} steps the agent has not said (`say`) what it believes.")


def _evidence(seen: Mapping[str, Any]) -> Floats:
    """Log of the public model's distance over the target's; 0 where question 0 was not asked."""
    asked, summary = seen["count"][:, 0] > 0, seen["summary"][:, 0]
    return np.log(np.where(asked, summary[:, 5], 1)) - np.log(np.where(asked, summary[:, 1], 1))


def check_told_apart(told_apart: Any) -> None:
    for interval, known in (
        ((0.01, 0.2), True),
        ((-0.3, -0.01), True),
        ((-0.01, 0.2), False),
        ((-0.2, 0.01), False),
        ((-0.3, 0.3), False),
    ):
        got = told_apart(interval)
        expect(
            bool(got) is known,
            f"{interval} {'shows a difference' if known else 'holds 0, which is no difference'}; "
            f"got {got!r}.",
        )


TASKS = (
    Task(
        "ask_once",
        "one purchase has one name, however often it is sent",
        "Make the message once; then `try` to `post` it in a loop.",
        check_ask_once,
    ),
    Task(
        "believe",
        "the target draws members closer than the public model does",
        "summary[:, 0, 5] over summary[:, 0, 1] to the power 20 are the odds.",
        check_believe,
    ),
    Task(
        "agent",
        "beats guessing on a host that tells nothing",
        "`np.argsort(observation['count'].sum(axis=1), kind='stable')` has the least known first.",
        check_agent,
    ),
    Task(
        "told_apart",
        "equal ranks are no equal players",
        "An interval shows a difference if 0 is not in it.",
        check_told_apart,
    ),
    Task(
        "answer_renewed",
        "a budget is of the hand, and not of the connection",
        "Who keeps the meter?",
        answered(-1e-9, 1e-9, "the ledger is the host's, and knows your key."),
    ),
    Task(
        "answer_lost",
        "what is sent again under its name costs nothing",
        "Four questions of 3 rows; what does the second sending cost?",
        answered(11.99, 12.01, "four times 3 rows once; the same name again is free."),
    ),
    Task(
        "answer_null",
        "where nobody was trained on, everybody guesses",
        "Nothing about the candidates is in that model.",
        answered(0.499, 0.501, "the AUC of a guess."),
    ),
)
