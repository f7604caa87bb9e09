"""Simulation of many episodes over a table: the game's numbers without its pictures, on arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.utils import seeding
from numpy.typing import NDArray

from miagym.envs.grading.reward import step_rewards
from miagym.envs.sampler import Sampler
from miagym.envs.settings import TRAIN, Settings
from miagym.envs.state.accounts import Accounts
from miagym.envs.state.moves import PRIOR
from miagym.envs.statistics import summarised
from miagym.envs.tables.playing import TableWorld, question_numbers
from miagym.errors import SettingsError

Observation = dict[str, Any]
Action = dict[str, Any]


class Simulation:
    """Simulation of b episodes of a pool, played from a table of answers.

    Row i deals, asks and pays what row i of `PoolVectorEnv` does after the same seed, to the last
    bit. Its observations hold no pictures and no captions, and actions are not checked: it is there
    for policies that play millions of steps.

    Args:
        settings: of a pool, with `answers`.
        episodes: b.

    Raises:
        SettingsError: if there is no table to play from.
        DataError: if the data that the table is about cannot be loaded.
    """

    def __init__(self, settings: Settings, episodes: int) -> None:
        if settings.answers is None:
            raise SettingsError(
                "A simulation is played from a table of answers; expected settings with answers=."
            )
        self.settings, self.world = settings, TableWorld.load(settings)
        n, menu, width = settings.candidates, len(settings.menu), settings.statistics
        self._prices = np.array([question.price for question in settings.menu], dtype=np.int64)
        self._question = question_numbers(settings)
        self._accounts = Accounts(settings.budget, episodes)
        self._rngs: list[np.random.Generator] = []
        self._samplers: list[Sampler] = []
        self.places = np.zeros((episodes, n), dtype=np.int64)
        """Of the candidates within the split (b, n)."""
        self.count = np.zeros((episodes, n, menu), dtype=np.int32)
        self.summary = np.zeros((episodes, n, menu, width), dtype=np.float32)
        self.probability = np.full((episodes, n), PRIOR)
        """The verdicts so far (b, n)."""
        self.over = np.ones(episodes, dtype=bool)
        self._steps = np.zeros(episodes, dtype=np.int64)
        self.first_draw = np.zeros(episodes, dtype=np.int64)
        """Of each episode (b,), for studies that look ahead; no policy may."""
        self._answered = np.zeros((episodes, settings.slots), dtype=np.int8)
        self._values = np.zeros((episodes, settings.slots, width), dtype=np.float32)

    @property
    def left(self) -> NDArray[np.int64]:
        """UNet rows (b,)."""
        return self._accounts.left

    def reset(self, *, seed: int | None = None) -> Observation:
        """Begins all episodes; with a seed, row i from the whole split by seed + i."""
        n, rows = self.settings.candidates, range(len(self.over))
        if seed is not None or not self._rngs:
            seeds = [None if seed is None else seed + row for row in rows]
            self._rngs = [seeding.np_random(one)[0] for one in seeds]
            self._samplers = [self.world.split.sampler(n, rng) for rng in self._rngs]
        for row, (rng, sampler) in enumerate(zip(self._rngs, self._samplers, strict=True)):
            self.places[row] = sampler.sample()
            self.first_draw[row] = rng.integers(self.world.table.record.draws)
        self._accounts.refill(np.arange(len(self.over)))
        self.probability[:] = PRIOR
        for state in (self.count, self.summary, self.over, self._steps):
            state[:] = 0
        return self._seen()

    def step(
        self, action: Action
    ) -> tuple[Observation, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
        """Plays a step of all episodes that are not over; the others are left as they are.

        Args:
            action: as of `PoolVectorEnv`.

        Returns:
            Observation, rewards, and which episodes were terminated, and truncated, now.
        """
        settings, playing = self.settings, ~self.over
        candidate, question = action["candidate"], action["question"]
        stops = (action["stop"] == 1) & playing
        asking = (candidate < settings.candidates) & (playing & ~stops)[:, None]
        prices = np.where(asking, self._prices[question], 0)
        paid = self._accounts.pay(np.arange(len(playing)), prices)
        self.probability[playing] = action["probability"][playing]
        self._steps += playing
        self._answered[:], self._values[:] = paid, 0
        for slot in range(settings.slots):  # since two of them may ask the same
            self._answer(slot, np.flatnonzero(paid[:, slot]), candidate, question)
        truncated = playing & ~stops & (self._steps >= settings.step_limit)
        self.over |= stops | truncated
        rewards = np.zeros(len(playing))
        if settings.split == TRAIN:
            ends = stops | truncated
            told = self.member()
            rewards[playing] = step_rewards(
                spent=settings.price * (prices * paid).sum(axis=1)[playing] / settings.budget,
                refused=(asking & ~paid).sum(axis=1)[playing],
                probability=self.probability[playing],
                ended=[told[row] if ends[row] else None for row in np.flatnonzero(playing)],
            )
        return self._seen(), rewards, stops, truncated

    def member(self) -> NDArray[np.int8]:
        """Labels (b, n) of the episodes that are dealt, on `train`, to learn from.

        Raises:
            SettingsError: elsewhere.
        """
        if self.settings.split != TRAIN:
            raise SettingsError(
                f"Labels are told on {TRAIN!r} and not on {self.settings.split!r}, whose verdicts "
                "are for `grade`."
            )
        found = self.world.split.member(self.places.reshape(-1))
        assert found is not None
        return found.reshape(self.places.shape)

    def _answer(
        self, slot: int, rows: NDArray[np.intp], candidate: NDArray[np.int64],
        question: NDArray[np.int64],
    ) -> None:  # fmt: skip
        if not len(rows):
            return
        who, what = candidate[rows, slot], question[rows, slot]
        earlier = self.count[rows, who, what]
        draws = (self.first_draw[rows] + earlier) % self.world.table.record.draws
        at = self.world.rows[self.places[rows, who]]
        values = self.world.table.values(at, self._question[what], draws, earlier)
        self.count[rows, who, what] += 1
        self.summary[rows, who, what] = summarised(
            self.summary[rows, who, what], values, self.count[rows, who, what]
        )
        self._values[rows, slot] = values

    def _seen(self) -> Observation:
        b, n = self.places.shape
        left = np.where(self.over, 0, self.left)
        return {
            "candidates": np.zeros((b, n, 0, 0, 3), dtype=np.uint8),
            "captions": np.zeros((b, n, 0), dtype=np.int32),
            "answered": self._answered.copy(),
            "statistics": self._values.copy(),
            "count": self.count.copy(),
            "summary": self.summary.copy(),
            "affordable": (self._prices <= left[:, None]).astype(np.int8),
            "budget_left": self.left[:, None].astype(np.int32),
        }
