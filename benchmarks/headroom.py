"""What there is to win by choosing whom to ask, and how much of it an agent wins.

    miagym tabulate --target clipart-overfit --reference clipart-realistic --reference-noise shared
        --questions variation@0.3 --draws 6 --budget 60 --batch-size 64 --out TABLE
    python benchmarks/headroom.py TABLE [--seeds 20] [--out FILE]

Belief and value of pictures are learned on `train`; which regression guesses the value is chosen on
`val`. The page in docs/ is optimistic: `test` had been looked at before that was settled.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from agents_page import interval
from headroom_page import page

from miagym.agents.adaptive import AdaptiveAgent
from miagym.agents.agent import play
from miagym.agents.answer_model import AnswerModel, ratios, reward
from miagym.agents.blind_agent import BlindAgent
from miagym.agents.fixed import FixedAgent
from miagym.agents.knowledge_gradient import KnowledgeGradientAgent, PictureValue
from miagym.agents.observations import ObservationBatch
from miagym.data.registry import load_data
from miagym.envs.answers.file import read_table
from miagym.envs.answers.table import AnswerTable
from miagym.envs.options import PoolOptions
from miagym.envs.pool import PoolVectorEnv
from miagym.envs.sampler import rows_of
from miagym.envs.settings import Settings
from miagym.envs.spaces import Action, Observation
from miagym.envs.tables.simulation import Simulation
from miagym.metrics.brier import brier_rewards

POOL, BUDGETS = 16, (30, 60)
LOOKING = "gradient, pictures"
Act = Callable[[Observation, Simulation], Action]


class Study:
    """A table, and what was learned from it on `train`."""

    def __init__(self, table: AnswerTable, seeds: int) -> None:
        self.table, self.seeds = table, seeds
        self.data = load_data(table.record.data)
        keys, pictures, member = self.part("train")
        self.model = AnswerModel.fit(table, keys, member)
        self.values = {
            f"{how}, {'reward' if told else 'sureness'}": PictureValue.fit(
                self.model, table, keys, pictures, member=member if told else None,
                forest=how == "forest",
            )
            for how in ("ridge", "forest") for told in (False, True)
        }  # fmt: skip
        self.chosen = next(iter(self.values))
        """Which of them; `choose` says by `val`."""

    def part(self, split: str) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
        rows = rows_of(self.data, split)
        candidates = self.data.candidates(rows, self.table.record.size)
        return candidates.keys, candidates.images, self.data.member[rows].astype(int)

    def options(self, split: str, budget: int) -> PoolOptions:
        return {"answers": self.table, "split": split, "budget": budget, "candidates": POOL}

    def choose(self) -> dict[str, float]:
        """Chooses by the reward on `val` at the smallest budget, and tells all of them."""
        found = {}
        for name in self.values:
            self.chosen = name
            act = self.agents("val", BUDGETS[0])[LOOKING]
            found[name] = float(np.nanmean(self.played(act, "val", BUDGETS[0])))
        self.chosen = max(found, key=lambda name: found[name])
        return found

    def agents(self, split: str, budget: int) -> dict[str, Act]:
        settings = Settings.of(self.options(split, budget), PoolOptions, slots=1)
        prices = np.array([question.price for question in settings.menu])
        rng, promised = np.random.default_rng(0), self.values[self.chosen](self.part(split)[1])
        even = FixedAgent(self.model, prices)
        doubt = AdaptiveAgent(self.model, prices, doubt=0.0)
        gradient = KnowledgeGradientAgent(self.model, prices)

        def looking(seen: Observation, game: Simulation) -> Action:
            batch = ObservationBatch.of(seen)
            return gradient.act_on(batch, seen, promised[game.places])

        return {
            "evenly": lambda seen, _: even.act(seen, rng),
            "adaptive": lambda seen, _: doubt.act(seen, rng),
            "gradient": lambda seen, _: gradient.act(seen, rng),
            LOOKING: looking,
        }

    def played(self, act: Act, split: str, budget: int) -> np.ndarray:
        """Brier rewards (seeds, candidates); NaN where a candidate was not dealt."""
        game, found = self._game(split, budget)
        member = self.part(split)[2]
        for seen in self._episodes(game):
            while not game.over.all():
                seen = game.step(act(seen, game))[0]
            self._keep(found, game, brier_rewards(game.probability, member[game.places]))
        return found

    def foreseen(self, split: str, budget: int, *, labels: bool) -> np.ndarray:
        """The same of who knows all answers, and spends as the belief will be surest, or right."""
        game, found = self._game(split, budget)
        keys, _, member = self.part(split)
        x, asks = ratios(self.table, keys), budget // game.settings.menu[0].price
        counts = np.arange(x.shape[2] + 1)
        for _ in self._episodes(game):
            ratio = x[game.places, game.first_draw[:, None]]
            p = self.model.probability(np.insert(ratio, 0, 0, axis=2), counts)
            right = brier_rewards(p, np.broadcast_to(member[game.places][..., None], p.shape))
            chosen = _best(right if labels else reward(p), asks)
            self._keep(found, game, np.take_along_axis(right, chosen[..., None], 2)[..., 0])
        return found

    def blind(self, split: str) -> np.ndarray:
        """The same of who sees pictures and captions, and asks nothing."""
        envs = PoolVectorEnv(3, **self.options("train", 60))
        agent = BlindAgent.fit(envs, episodes=len(self.part("train")[0]) // POOL, seed=0)
        keys, _, member = self.part(split)
        said = play(agent, PoolVectorEnv(1, **self.options(split, 60)), len(keys) // POOL, seed=0)
        found, place = np.full((1, len(keys)), np.nan), {key: i for i, key in enumerate(keys)}
        at = [place[key] for key in said.verdicts[0].candidate]
        found[0, at] = brier_rewards(said.verdicts[0].probability, member[at])
        return found

    def _game(self, split: str, budget: int) -> tuple[Simulation, np.ndarray]:
        settings = Settings.of(self.options(split, budget), PoolOptions, slots=1)
        game = Simulation(settings, self.seeds)
        return game, np.full((self.seeds, len(game.world.split)), np.nan)

    def _episodes(self, game: Simulation) -> Any:
        for episode in range(len(game.world.split) // POOL):
            yield game.reset(seed=0 if episode == 0 else None)

    def _keep(self, found: np.ndarray, game: Simulation, values: np.ndarray) -> None:
        found[np.arange(self.seeds)[:, None], game.places] = values


def _best(values: np.ndarray, asks: int) -> np.ndarray:
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


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("table", type=Path)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    study = Study(read_table(given.table), given.seeds)
    tried = study.choose()
    on_val, rows = [], []
    for budget in BUDGETS:
        agents = study.agents("val", budget)
        means = {name: np.nanmean(study.played(act, "val", budget)) for name, act in agents.items()}
        on_val.append((budget, {name: float(mean) for name, mean in means.items()}))
        found = {name: study.played(act, "test", budget)
                 for name, act in study.agents("test", budget).items()}  # fmt: skip
        found["knows the answers"] = study.foreseen("test", budget, labels=False)
        found["knows answers and labels"] = study.foreseen("test", budget, labels=True)
        even = found["evenly"]
        known = {name: float(np.nanmean(values - even)) for name, values in found.items()}
        for name, values in found.items():
            share = known[name] / known["knows the answers"]
            rows.append((budget, name, interval(values), interval(values - even), share))
    blind = interval(study.blind("test"))
    printed = page(rows, on_val, tried, blind, study.table.record, given.seeds)
    print(printed)
    if given.out:
        given.out.write_text(printed, encoding="utf-8")


if __name__ == "__main__":
    main()
