"""Policies of `Pool-v0` played on a table of answers, many episodes at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from miagym.agents.adaptive import AdaptiveAgent
from miagym.agents.agent import play
from miagym.agents.answer_models.gaussian import AnswerModel, ratios, reward
from miagym.agents.answer_models.unknown_target import UnknownTargetModel
from miagym.agents.blind_agent import BlindAgent
from miagym.agents.fixed import FixedAgent
from miagym.agents.knowledge_gradient import KnowledgeGradientAgent
from miagym.data.dataset import Dataset
from miagym.data.registry import load_data
from miagym.envs.answers.table import AnswerTable
from miagym.envs.options import PoolOptions
from miagym.envs.pool import PoolVectorEnv
from miagym.envs.sampler import rows_of
from miagym.envs.settings import Settings
from miagym.envs.spaces import Action, Observation
from miagym.envs.tables.simulation import Simulation
from miagym.metrics.brier import brier_rewards

POOL = 16
Act = Callable[[Observation, Simulation], Action]
Foresight = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Log ratios (b, n, K + 1) after 0 to K answers, all at hand, to what a belief says then."""


def agents(model: AnswerModel | UnknownTargetModel, prices: NDArray[np.int64]) -> dict[str, Act]:
    """Even spending, and what chooses, all of one belief."""
    rng = np.random.default_rng(0)
    even, doubt = FixedAgent(model, prices), AdaptiveAgent(model, prices, doubt=0.0)
    gradient = KnowledgeGradientAgent(model, prices)
    return {
        "evenly": lambda seen, _: even.act(seen, rng),
        "adaptive": lambda seen, _: doubt.act(seen, rng),
        "gradient": lambda seen, _: gradient.act(seen, rng),
    }


class TablePlay:
    """A table, and as many walks over its candidates as there are seeds."""

    def __init__(self, table: AnswerTable, seeds: int) -> None:
        self.table, self.seeds = table, seeds

    @cached_property
    def data(self) -> Dataset:
        return load_data(self.table.record.data)

    def part(self, split: str) -> tuple[tuple[str, ...], NDArray[np.uint8], NDArray[np.int64]]:
        """Keys, pictures and labels of a split."""
        rows = rows_of(self.data, split)
        candidates = self.data.candidates(rows, self.table.record.size)
        return candidates.keys, candidates.images, self.data.member[rows].astype(int)

    def options(self, split: str, budget: int) -> PoolOptions:
        return {"answers": self.table, "split": split, "budget": budget, "candidates": POOL}

    def settings(self, split: str, budget: int) -> Settings:
        return Settings.of(self.options(split, budget), PoolOptions, slots=1)

    def prices(self, split: str, budget: int) -> NDArray[np.int64]:
        return np.array([question.price for question in self.settings(split, budget).menu])

    def played(self, act: Act, split: str, budget: int) -> NDArray[np.float64]:
        """Brier rewards (seeds, candidates); NaN where a candidate was not dealt."""
        game, found = self._game(split, budget)
        member = self.part(split)[2]
        for seen in self._episodes(game):
            while not game.over.all():
                seen = game.step(act(seen, game))[0]
            self._keep(found, game, brier_rewards(game.probability, member[game.places]))
        return found

    def best_spent(
        self, said: Foresight, split: str, budget: int, *, labels: bool
    ) -> NDArray[np.float64]:
        """The same of who knows all answers, and spends as the belief will be surest, or right."""
        game, found = self._game(split, budget)
        keys, _, member = self.part(split)
        x, asks = ratios(self.table, keys), budget // game.settings.menu[0].price
        for _ in self._episodes(game):
            ratio = x[game.places, game.first_draw[:, None]]
            p = said(np.insert(ratio, 0, 0, axis=2))
            right = brier_rewards(p, np.broadcast_to(member[game.places][..., None], p.shape))
            chosen = _best(right if labels else reward(p), asks)
            self._keep(found, game, np.take_along_axis(right, chosen[..., None], 2)[..., 0])
        return found

    def blind(self, split: str) -> NDArray[np.float64]:
        """The same of who sees pictures and captions, and asks nothing."""
        envs = PoolVectorEnv(3, **self.options("train", 60))
        agent = BlindAgent.fit(envs, episodes=len(self.part("train")[0]) // POOL, seed=0)
        keys, _, member = self.part(split)
        said = play(agent, PoolVectorEnv(1, **self.options(split, 60)), len(keys) // POOL, seed=0)
        found, place = np.full((1, len(keys)), np.nan), {key: i for i, key in enumerate(keys)}
        at = [place[key] for key in said.verdicts[0].candidate]
        found[0, at] = brier_rewards(said.verdicts[0].probability, member[at])
        return found

    def _game(self, split: str, budget: int) -> tuple[Simulation, NDArray[np.float64]]:
        game = Simulation(self.settings(split, budget), self.seeds)
        return game, np.full((self.seeds, len(game.world.split)), np.nan)

    def _episodes(self, game: Simulation) -> Iterator[Observation]:
        for episode in range(len(game.world.split) // POOL):
            yield game.reset(seed=0 if episode == 0 else None)

    def _keep(
        self, found: NDArray[np.float64], game: Simulation, values: NDArray[np.float64]
    ) -> None:
        found[np.arange(self.seeds)[:, None], game.places] = values


def _best(values: NDArray[np.float64], asks: int) -> NDArray[np.int64]:
    """Numbers of answers (b, n) that sum to at most `asks`, of the largest sum of values.

    Args:
        values: of each candidate after 0 to K answers (b, n, K + 1).
        asks: answers that can be paid.
    """
    b, n, most = values.shape
    best, back = np.zeros((b, asks + 1)), np.zeros((n, b, asks + 1), dtype=int)
    for i in range(n):
        options = np.full((most, b, asks + 1), -np.inf)
        for k in range(min(most, asks + 1)):
            options[k, :, k:] = best[:, : asks + 1 - k] + values[:, i, k, None]
        back[i], best = options.argmax(axis=0), options.max(axis=0)
    chosen, left, rows = np.zeros((b, n), dtype=int), np.full(b, asks), np.arange(b)
    for i in reversed(range(n)):
        chosen[:, i] = back[i][rows, left]
        left = left - chosen[:, i]
    return chosen
