"""`miagym.RemoteEnv`: a hosted task as a Gymnasium environment, without torch or weights."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import Any

import gymnasium as gym
import httpx2
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray
from PIL import Image

from miagym.errors import ActionError, HostError, SettingsError
from miagym.remote.client import HostClient

Observation = dict[str, Any]


class RemoteEnv(gym.Env[Observation, dict[str, Any]]):
    """A hosted task: the spaces and the game of `miagym/Pool-v0`, with everything else elsewhere.

    The host keeps the budget, the deal and the verdicts, by key: neither another connection nor
    `reset` renews anything, and a seed decides nothing. `reset` begins the next hand, or shows the
    one again that nothing was asked about; once all hands of all walks have their verdict it raises
    `HostError`. No reward is paid and no label told: the host's leaderboard has the grade.

    Args:
        url: of the host, such as "http://127.0.0.1:8000".
        key: of the player.
        task: its name; by default the only one there.
        render_mode: None; nothing is drawn.
        transport: how requests travel; by default over the network.

    Raises:
        HostError: if nobody answers there, or there is no such task.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012

    def __init__(
        self,
        url: str,
        key: str,
        task: str | None = None,
        *,
        render_mode: str | None = None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        if render_mode is not None:
            raise SettingsError(f"Expected render_mode None, got {render_mode!r}.")
        self.render_mode = None
        self.client = HostClient(url, key, transport)
        try:
            self.told = self.client.task(task) if task else _only(self.client.tasks())
        except BaseException:
            self.client.close()
            raise
        self.task: str = self.told["task"]
        self._spaces = game_spaces(self.told)
        self.observation_space, self.action_space = self._spaces
        self._hand: Observation = {}
        self._playing = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begins the next hand.

        Raises:
            HostError: if there is no hand left.
            SettingsError: if there are options, since there are none.
        """
        if options:
            raise SettingsError(f"Expected no reset options, got {', '.join(map(str, options))}.")
        super().reset(seed=seed)
        told = self.client.reset(self.task)
        if told["hand"] is None:  # the walk has ended with the hand that was given up
            told = self.client.reset(self.task)
        self._hand = {
            "candidates": np.stack([_picture(text) for text in told["candidates"]]),
            "captions": np.array(told["tokens"], dtype=np.int32),
        }
        self._captions, self._playing = tuple(told["captions"]), True
        return self._seen(told["observation"]), self._info(told["observation"])

    def step(self, action: dict[str, Any]) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Asks, or ends the hand with a verdict.

        Raises:
            ActionError: if the action is none of the space; nothing is charged.
            HostError: with the host's sentence.
            ResetNeeded: if the hand is over.
        """
        if not self._playing:
            raise ResetNeeded("The hand is over, or none was begun; call reset() first.")
        try:
            plain = {name: np.asarray(value).tolist() for name, value in action.items()}
            told = self.client.step(self.task, plain)
        except (AttributeError, TypeError, ValueError) as error:
            raise ActionError(f"Expected an action of the space, got {action!r}.") from error
        except HostError as error:
            if error.status == 400:
                raise ActionError(str(error)) from error
            raise
        ended = bool(told["terminated"]), bool(told["truncated"])
        self._playing = not any(ended)
        return self._seen(told["observation"]), 0.0, *ended, self._info(told["observation"])

    def close(self) -> None:
        self.client.close()

    def _seen(self, told: dict[str, Any]) -> Observation:
        """A dynamic part, made whole and of the right types."""
        size = self.told["size"]
        found = {name: value.copy() for name, value in self._hand.items()}
        known = dict(self._spaces[0].spaces)
        for name, space in known.items():
            if name == "images":
                blank = np.zeros((size, size, 3), dtype=np.uint8)
                found[name] = np.stack([_picture(t) if t else blank for t in told[name]])
            elif name not in found:
                found[name] = np.array(told[name], dtype=space.dtype)
        return {name: found[name] for name in known}

    def _info(self, told: dict[str, Any]) -> dict[str, Any]:
        mask = np.array(told["affordable"], dtype=np.int8)
        return {"captions": self._captions, "action_mask": mask}


def game_spaces(told: dict[str, Any]) -> tuple[spaces.Dict, spaces.Dict]:
    """Observation and action space of a task, from the sizes that its host tells."""
    n, slots, menu, size = told["candidates"], told["slots"], len(told["menu"]), told["size"]
    width, most = told["statistics"], told["max_statistic"]

    def numbers(*shape: int) -> spaces.Box:
        return spaces.Box(0, most, (*shape, width), np.float32)

    def pictures(count: int) -> spaces.Box:
        return spaces.Box(0, 255, (count, size, size, 3), np.uint8)

    seen = {
        "candidates": pictures(n),
        "captions": spaces.Box(0, told["vocabulary"] - 1, (n, told["tokens"]), np.int32),
        "answered": spaces.MultiBinary(slots),
        "images": pictures(slots),
        "statistics": numbers(slots),
        "count": spaces.Box(0, told["max_answers"], (n, menu), np.int32),
        "summary": numbers(n, menu),
        "affordable": spaces.MultiBinary(menu),
        "budget_left": spaces.Box(0, told["budget"], (1,), np.int32),
    }
    done = {
        "candidate": spaces.MultiDiscrete([n + 1] * slots),
        "question": spaces.MultiDiscrete([menu] * slots),
        "probability": spaces.Box(0, 1, (n,), np.float32),
        "stop": spaces.Discrete(2),
    }
    return spaces.Dict(seen), spaces.Dict(done)


def _only(tasks: list[dict[str, Any]]) -> dict[str, Any]:
    if len(tasks) != 1:
        raise HostError(f"Name one of the host's tasks: {', '.join(t['task'] for t in tasks)}.")
    return tasks[0]


def _picture(text: str) -> NDArray[np.uint8]:
    with Image.open(BytesIO(base64.b64decode(text))) as image:
        return np.asarray(image.convert("RGB"))
