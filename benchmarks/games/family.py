"""Grades agents of `miagym/Pool-v0` on targets and pictures that they have never met.

    python benchmarks/games/family.py variation@0.3 black
    python benchmarks/games/family.py sima@200 grey

Each picture is asked once, beside the public base. The belief, and the blind agent that never asks,
are learned on the targets of `train`, and those of `test` are played once.
"""

from __future__ import annotations

import sys

from miagym.agents.agent import Agent, play
from miagym.agents.belief import LogisticBelief
from miagym.agents.blind_agent import BlindAgent
from miagym.agents.fixed import FixedAgent
from miagym.envs import grade_family
from miagym.envs.pool import PoolVectorEnv

CHECKPOINTS = ("clipart-overfit@40", "clipart-overfit@80", "clipart-overfit", "clipart-null")
FAMILIES = (CHECKPOINTS, "clipart-population")
POOL, ROWS, EPISODES = 10, 4, 16


def envs_of(family: str | tuple[str, ...], split: str, question: str, access: str) -> PoolVectorEnv:
    price = {"variation@0.3": 3, "sima@200": 1}[question]
    return PoolVectorEnv(
        ROWS,
        family=family,
        split=split,
        access=access,
        reference="clipart-realistic",
        questions=[question],
        budget=POOL * price,
        candidates=POOL,
        slots=POOL,
    )


def main(question: str, access: str) -> None:
    for family in FAMILIES:
        train = envs_of(family, "train", question, access)
        belief = LogisticBelief.fit(train, EPISODES, seed=0)
        agents: dict[str, Agent] = {
            "even": FixedAgent(belief, train.game.prices, (0,)),
            "blind": BlindAgent.fit(train, EPISODES, seed=0),
        }
        for name, agent in agents.items():
            envs = envs_of(family, "test", question, access)
            play(agent, envs, EPISODES, seed=1)
            found = grade_family(envs.verdicts)
            auc, reward = (
                f"{value:.3f} [{ci[0]:.3f}, {ci[1]:.3f}]"
                for value, ci in (
                    (found.metrics.auc, found.metrics.auc_ci),
                    (found.brier_reward, found.brier_reward_ci),
                )
            )
            about = f"{found.n_judged} pairs, {found.n_models} targets, {found.intervals_over}"
            said = f"AUC {auc}, Brier reward {reward}; {about}"
            print(f"{envs.settings.subject}: {name}: {said}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
