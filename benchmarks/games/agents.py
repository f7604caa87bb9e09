"""Agents against budgets, in Pool-v0 and in Single-v0, on candidates that nothing was chosen on.

    python benchmarks/games/agents.py [--seeds 10] [--answers DIR] [--out FILE]

The belief, the blind agent and the calibration of the attack are fitted on `train`, PPO learns
there; schedules and thresholds are chosen on `val` by return; `test` is played once by each agent
under each seed, and graded afterwards. Agents meet the same candidates under the same noise: equal
questions are computed once. Verdicts, choices, and what PPO (docs/agents/train_ppo.py) learned, are
kept in --answers. It took 45 minutes at low priority on two cores that had other work.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from agents_page import BUDGETS, DOUBTS, GAMES, PRICES, QUESTIONS, Game, Result, kept_choice, page
from torch import Tensor

from attacks import make_attack
from miagym.agents.adaptive import AdaptiveAgent
from miagym.agents.agent import Agent, PlayResult, play
from miagym.agents.attack import AttackAgent
from miagym.agents.belief import LogisticBelief
from miagym.agents.blind_agent import BlindAgent
from miagym.agents.fixed import FixedAgent
from miagym.agents.learned import LearnedAgent
from miagym.agents.random import RandomAgent
from miagym.envs import Verdicts, grade
from miagym.envs.pool import PoolVectorEnv
from miagym.envs.single import SingleVectorEnv
from miagym.oracle.budget import Cost
from miagym.oracle.cache import Cache, digest
from miagym.targets.base import Target
from miagym.targets.registry import load_target

SCHEDULES = ((0,), (1,), (0, 1))


def remembering(target: Target) -> Target:
    """The target, which computes an answer once, whichever environment asks."""
    cache, predict, encode = Cache(), target.predict_noise, target.encode

    def predict_noise(
        z: Tensor, timestep: Any, prompts: Any, guidance_scale: float = 1.0
    ) -> Tensor:
        each = target.each_timestep(timestep, len(z))
        keys = list(zip(digest(z), each, prompts, strict=True))

        def compute(rows: list[int]) -> Tensor:
            return predict(z[rows], [each[i] for i in rows], [prompts[i] for i in rows])

        return cache.fetch(keys, compute, Cost(unet_rows=1), 64)

    def encode_once(images: Tensor) -> Tensor:
        return cache.fetch(digest(images), lambda rows: encode(images[rows]), Cost(encodes=1), 64)

    vars(target).update(predict_noise=predict_noise, encode=encode_once)
    return target


class Agents:
    """Learns what there is to learn on `train`, and chooses on `val`, when first asked for."""

    def __init__(self, target: Target, folder: Path) -> None:
        self.target, self.folder = target, folder
        train = Game("Pool", 8).envs(target, "train", rows=3)
        self.belief = LogisticBelief.fit(train, episodes=11, seed=0)
        self.blind = BlindAgent.fit(train, episodes=11, seed=0)
        self.attack = AttackAgent.fit(make_attack("sima"), train, episodes=11, seed=0)

    def make(self, name: str, game: Game, envs: PoolVectorEnv | SingleVectorEnv) -> Agent:
        if name in ("fixed", "adaptive"):
            schedule, doubt = self.chosen(game)
            adaptive = AdaptiveAgent(self.belief, PRICES, schedule, doubt)
            return adaptive if name == "adaptive" else FixedAgent(self.belief, PRICES, schedule)
        if name == "learned":
            return self.learned(game.budget)
        others = {"random": RandomAgent(PRICES), "blind": self.blind}
        return others.get(name) or self.attack.playing(envs)

    def chosen(self, game: Game) -> tuple[tuple[int, ...], float]:
        """A schedule, the same for both who follow one, then a threshold; by return on `val`."""
        path = kept_choice(self.folder, game)
        if not path.exists():
            fixed = {s: FixedAgent(self.belief, PRICES, s) for s in SCHEDULES}
            schedule = self._best(game, fixed)
            adaptive = {d: AdaptiveAgent(self.belief, PRICES, schedule, d) for d in DOUBTS}
            path.write_text(json.dumps([schedule, self._best(game, adaptive)]))
        schedule, doubt = json.loads(path.read_text())
        return tuple(schedule), doubt

    def _best(self, game: Game, agents: Mapping[Any, Agent]) -> Any:
        envs, episodes = game.envs(self.target, "val", rows=4), game.episodes("val")
        returns = {key: _return(play(a, envs, episodes, 1000)) for key, a in agents.items()}
        print(f"{game} on val: { {k: round(float(v), 4) for k, v in returns.items()} }", flush=True)
        return max(returns, key=lambda key: returns[key])

    def learned(self, budget: int) -> LearnedAgent:
        path = self.folder / f"learned-{budget}.safetensors"
        if not path.exists():
            script = Path(__file__).parents[2] / "docs" / "agents" / "train_ppo.py"
            given = ["--budget", str(budget), "--questions", ",".join(QUESTIONS)]
            subprocess.run([sys.executable, script, *given, "--out", path], check=True)
        settings = Game("Single", budget).envs(self.target, "train", rows=1).settings
        return LearnedAgent.load(path, settings)


def _return(played: PlayResult) -> float:
    """What `val` would have paid, if it told labels."""
    return float(np.mean([grade(verdicts).net_reward for verdicts in played.verdicts]))


def verdicts_of(
    name: str, game: Game, agents: Callable[[], Agents], seeds: int, folder: Path
) -> list[Verdicts]:
    """What an agent says of `test` under each seed, played now or kept from before."""
    paths = [folder / f"{game.name}-{game.budget}-{name}-{seed}.parquet" for seed in range(seeds)]
    if not all(path.exists() for path in paths):
        envs = game.envs(agents().target, "test", rows=seeds)
        played = play(agents().make(name, game, envs), envs, game.episodes("test"), seed=0)
        for path, verdicts in zip(paths, played.verdicts, strict=True):
            verdicts.save(path)
    return [Verdicts.load(path) for path in paths]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--answers", type=Path, default=Path(tempfile.gettempdir()) / "agents")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    options.answers.mkdir(parents=True, exist_ok=True)
    made: list[Agents] = []

    def agents() -> Agents:
        if not made:
            made.append(Agents(remembering(load_target("clipart-overfit")), options.answers))
        return made[0]

    results = {}
    for name in ("sima", "blind", "random", "fixed", "adaptive", "learned"):
        for game in GAMES if name != "sima" else GAMES[: len(BUDGETS)]:
            said = verdicts_of(name, game, agents, options.seeds, options.answers)
            results[game, name] = Result(said, game.budget)
            print(game, name, results[game, name].row(), flush=True)
    printed = page(results, options.seeds, options.answers)
    print(printed)
    if options.out:
        options.out.write_text(printed)


if __name__ == "__main__":
    main()
