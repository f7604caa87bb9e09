"""`miagym.RemoteEnv`: a hosted task as a Gymnasium environment, without torch or weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import gymnasium as gym
import httpx2
import numpy as np
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

from miagym.errors import ActionError, HostError, SettingsError
from miagym.remote.client import MAX_QUESTIONS, HostClient
from miagym.remote.pictures import UPLOADED, from_png, upload_as_png
from miagym.remote.services import call_action
from miagym.remote.settings import HostedSettings
from miagym.remote.spaces import game_spaces

Observation = dict[str, Any]


class RemoteEnv(gym.Env[Observation, dict[str, Any]]):
    """A hosted task: the spaces and the game of `miagym/Pool-v0`, with everything else elsewhere.

    Where the task is a service, spaces and game are those of `miagym/Service-v0`.

    The host keeps the budget, the deal and the verdicts, by key: neither another connection nor
    `reset` renews anything, and a seed decides nothing. `reset` begins the next hand, or shows the
    one again that nothing was asked about; once all hands of all walks have their verdict it raises
    `HostError`. No reward is paid and no label told: the host's leaderboard has the grade. A key
    plays one hand of a task at a time; environments side by side have a key each.

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
        self.settings = HostedSettings.of(self.told)
        self._spaces = game_spaces(self.told)
        self.observation_space, self.action_space = self._spaces
        self.hand = -1
        """Number of the hand in its walk."""
        self.begun = 0
        """How many hands were begun here."""
        self.is_playing = False
        """Whether a hand has begun that has no verdict."""
        self.names: tuple[str, ...] = ()
        """Of the candidates of the hand, as the host calls them."""
        self.captions: tuple[str, ...] = ()
        self._fixed: Observation = {}
        self._now: Observation = {}
        self._begun_there: str | None = None

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
        shown = np.stack([from_png(text) for text in told["candidates"]])
        tokens = np.array(told["tokens"], dtype=np.int32)
        self._fixed = {"candidates": shown, "captions": tokens}
        if self.service:
            self._fixed = {"candidate": shown[0], "caption": tokens[0]}
        self.names, self.captions = tuple(told["names"]), tuple(told["captions"])
        self.hand, self._begun_there = told["hand"], told["begun"]
        self.begun, self.is_playing = self.begun + 1, True
        self._now = self._read(told["observation"])
        return self.seen(), self._info()

    def step(self, action: dict[str, Any]) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Asks, or ends the hand with a verdict.

        Raises:
            ActionError: if the action is none of the space; nothing is charged.
            HostError: with the host's sentence, as where another environment with this key has
                begun a hand since; nothing is charged.
            ResetNeeded: if the hand is over.
        """
        self.check_playing()
        try:
            plain = {
                name: upload_as_png(name, value)
                if self.service and name in UPLOADED
                else np.asarray(value).tolist()
                for name, value in action.items()
            }
            told = self.client.step(self.task, plain, self._begun_there)
        except (AttributeError, TypeError, ValueError) as error:
            raise ActionError(f"Expected an action of the space, got {action!r}.") from error
        except HostError as error:
            if error.status == 400:
                raise ActionError(str(error)) from error
            raise
        ended = bool(told["terminated"]), bool(told["truncated"])
        self.is_playing = not any(ended)
        self._now = self._read(told["observation"])
        return self.seen(), 0.0, *ended, self._info()

    def action(self, **given: Any) -> dict[str, Any]:
        """An action of a service of which only some parts are named, as `ServiceEnv.action` has it.

        Raises:
            ActionError: if the task takes no such thing, or is no service.
            ResetNeeded: if no hand was begun.
        """
        if not self.service:
            raise ActionError(
                f"The task {self.task} has a menu and takes no calls; see the spaces."
            )
        own: dict[str, Any] = {"prompt": self.captions[0] if self.captions else ""}
        if self.settings.kind.takes_uploads:
            own["picture"] = self.seen()["candidate"]
        return call_action(self._spaces[1], self.service, {**own, **given})

    def ask(self, questions: Sequence[tuple[int, str]]) -> list[NDArray[np.uint8] | None]:
        """Asks beside the steps, as attacks do; paid from the same budget.

        Args:
            questions: places of candidates in the hand, and names of the menu.

        Returns:
            A picture (size, size, 3) for each; None where the budget did not cover it.

        Raises:
            HostError: with the host's sentence.
            ResetNeeded: if the hand is over.
        """
        self.check_playing()
        named = [(self.names[place], question) for place, question in questions]
        found: list[NDArray[np.uint8] | None] = []
        for start in range(0, len(named), MAX_QUESTIONS):
            told = self.client.query(self.task, named[start : start + MAX_QUESTIONS])
            found += [from_png(a["picture"]) if a["answered"] else None for a in told["answers"]]
            left = told["budget_left"][str(self.hand)]
            prices = np.array([question.price for question in self.settings.menu])
            self._now["budget_left"] = np.array([left], dtype=np.int32)
            self._now["affordable"] = (prices <= left).astype(np.int8)
        return found

    def affordable(self) -> NDArray[np.int8]:
        """Which questions of the menu can be paid now (menu,).

        Raises:
            ResetNeeded: if no hand was begun.
        """
        self._check_begun()
        return self._now["affordable"].copy()

    def seen(self) -> Observation:
        """The observation as of now, in arrays of its own.

        Raises:
            ResetNeeded: if no hand was begun.
        """
        self._check_begun()
        return {name: value.copy() for name, value in self._now.items()}

    def _check_begun(self) -> None:
        if not self._now:
            raise ResetNeeded("No hand was begun; call reset() first.")

    def check_playing(self) -> None:
        """Refuses to go on with a hand that is over.

        Raises:
            ResetNeeded: if it is, or none was begun.
        """
        if not self.is_playing:
            raise ResetNeeded("The hand is over, or none was begun; call reset() first.")

    def close(self) -> None:
        self.client.close()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Refuses copies.

        Raises:
            SettingsError: always: there is one hand, and the host has it.
        """
        raise SettingsError(
            "A hosted environment is neither copied nor pickled, since its hand is at the host; "
            "make another one with RemoteEnv(url, key, task)."
        )

    def _read(self, told: dict[str, Any]) -> Observation:
        """A dynamic part, made whole and of the right types."""
        size = self.settings.answer_side
        found = dict(self._fixed)
        known = dict(self._spaces[0].spaces)
        for name, space in known.items():
            if name == "images":
                blank = np.zeros((size, size, 3), dtype=np.uint8)
                found[name] = np.stack([from_png(t) if t else blank for t in told[name]])
            elif name not in found:
                found[name] = np.array(told[name], dtype=space.dtype)
        return {name: found[name] for name in known}

    def _info(self) -> dict[str, Any]:
        told = {"caption": self.captions[0]} if self.service else {"captions": self.captions}
        return {**told, "action_mask": self._now["affordable"].copy()}

    @property
    def service(self) -> str:
        """Name of the service that the task is; empty where it has a menu of questions."""
        return self.settings.service


def _only(tasks: list[dict[str, Any]]) -> dict[str, Any]:
    if len(tasks) != 1:
        raise HostError(f"Name one of the host's tasks: {', '.join(t['task'] for t in tasks)}.")
    return tasks[0]
