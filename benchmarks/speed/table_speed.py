"""Steps a minute of games that are played from a table of answers.

    python benchmarks/speed/table_speed.py TABLE [--episodes 512]

A policy step is one step of one episode: of the environment, of its vector form with 64 episodes,
and of the simulation. Actions are drawn beforehand, and ask one question in each of four slots.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from miagym.envs.options import PoolOptions
from miagym.envs.pool import PoolEnv, PoolVectorEnv
from miagym.envs.settings import Settings
from miagym.envs.spaces import Action
from miagym.envs.tables.simulation import Simulation

STEPS = 5


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("table")
    parser.add_argument("--episodes", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=20)
    given = parser.parse_args()
    options: PoolOptions = {"answers": given.table, "budget": 60}
    settings = Settings.of({**options, "candidates": 16, "slots": 4}, PoolOptions)
    rng, b = np.random.default_rng(0), given.episodes
    actions = [_action(rng, b) for _ in range(STEPS)]
    env, envs = PoolEnv(**options), PoolVectorEnv(64, autoreset_mode="Disabled", **options)
    simulation = Simulation(settings, b)
    env.reset(seed=0)
    envs.reset(seed=0)
    simulation.reset(seed=0)
    begun = time.perf_counter()
    for _ in range(given.rounds):
        env.reset()
        for action in actions:
            env.step({name: value[0] for name, value in action.items()})
    print(f"environment: {_rate(given.rounds, begun)}")
    begun = time.perf_counter()
    for _ in range(given.rounds):
        envs.reset()
        for action in actions:
            envs.step({name: value[:64] for name, value in action.items()})
    print(f"vector environment: {_rate(64 * given.rounds, begun)}")
    begun = time.perf_counter()
    for _ in range(given.rounds):
        simulation.reset()
        for action in actions:
            simulation.step(action)
    print(f"simulation: {_rate(b * given.rounds, begun)}")


def _action(rng: np.random.Generator, b: int) -> Action:
    return {
        "candidate": rng.integers(0, 16, (b, 4)),
        "question": np.zeros((b, 4), dtype=np.int64),
        "probability": np.full((b, 16), 0.5),
        "stop": np.zeros(b, dtype=np.int64),
    }


def _rate(episodes: int, begun: float) -> str:
    return f"{episodes * STEPS / (time.perf_counter() - begun) * 60:,.0f} steps a minute"


if __name__ == "__main__":
    main()
