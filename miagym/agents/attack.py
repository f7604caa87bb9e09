"""Attack agent: runs any attack once on all candidates, and calibrates its scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from miagym.agents.agent import unwrapped_envs
from miagym.agents.observations import ObservationBatch
from miagym.envs.bridge import EpisodeOracle, oracle_from_env
from miagym.envs.spaces import Action, Observation
from miagym.envs.vector import GameVectorEnv
from miagym.errors import DataError, TooFewToLearn
from miagym.evaluation.protocol import Attack, LearnedAttack, cross_fitted


@dataclass(frozen=True, eq=False)
class AttackAgent:
    """Agent with an attack whose scores are calibrated (Platt 1999) on `train`.

    Its questions are those of the attack, paid from the same budget, and not of the menu.
    """

    attack: Attack
    slope: float
    offset: float
    envs: GameVectorEnv
    """Where it plays: `oracle_from_env` needs more than what is shown."""

    def act(self, observation: Observation, rng: np.random.Generator) -> Action:
        """Runs the attack on all candidates, and stops.

        Raises:
            BudgetExhausted: if the attack costs more than is left.
        """
        batch = ObservationBatch.of(observation)
        oracles = (oracle_from_env(self.envs, row) for row in range(self.envs.num_envs))
        scores = np.stack([self.attack(oracle, oracle.candidates) for oracle in oracles])
        return batch.verdict(expit(self.slope * scores + self.offset))

    def playing(self, envs: gym.vector.VectorEnv) -> Self:
        """The same agent in other environments."""
        return type(self)(self.attack, self.slope, self.offset, unwrapped_envs(envs))

    @classmethod
    def fit(cls, attack: Attack, envs: gym.vector.VectorEnv, episodes: int, seed: int) -> Self:
        """Runs the attack in so many episodes of each environment, and calibrates its scores.

        Args:
            attack: one that learns is fitted here, and its calibration is held out.
            envs: Single or Pool, on the split `train`.
            episodes: in each of them.
            seed: of the dealing.

        Raises:
            DataError: if the environments do not tell labels.
            TooFewToLearn: if there are too few candidates for an attack that learns.
            BudgetExhausted: if the attack costs more than the budget.
        """
        bare = unwrapped_envs(envs)
        observation, _ = bare.reset(seed=seed)
        asked: dict[str, tuple[NDArray[np.float64], int]] = {}
        for _ in range(episodes):
            rows = [oracle_from_env(bare, row) for row in range(bare.num_envs)]
            found = [_signals(attack, oracle) for oracle in rows]
            batch = ObservationBatch.of(observation)
            *_, info = bare.step(batch.verdict(np.full((len(rows), batch.n), 0.5)))
            if "member" not in info:
                raise DataError("An attack is calibrated by labels; play on the split train.")
            members = np.asarray(info["member"]).reshape(len(rows), -1)
            for oracle, signals, member in zip(rows, found, members, strict=True):
                asked |= dict(
                    zip(oracle.candidates.keys, zip(signals, member, strict=True), strict=True)
                )
            observation, _ = bare.reset()
        signals, member = (np.array(part) for part in zip(*asked.values(), strict=True))
        return cls._calibrated(attack, signals, member == 1, seed, bare)

    @classmethod
    def _calibrated(
        cls,
        attack: Attack,
        signals: NDArray[np.float64],
        member: NDArray[np.bool_],
        seed: int,
        envs: GameVectorEnv,
    ) -> Self:
        scores = signals
        if isinstance(attack, LearnedAttack):
            held = cross_fitted(attack, signals, member, seed)
            if held is None:
                raise TooFewToLearn(
                    f"{type(attack).__name__} learns from one half of the candidates and is "
                    f"calibrated by the other; {len(member)} are too few, play more episodes."
                )
            attack, scores = attack.fit(signals, member), held
        model = make_pipeline(StandardScaler(), LogisticRegression()).fit(scores[:, None], member)
        ends = model.decision_function([[0.0], [1.0]])
        return cls(attack, float(ends[1] - ends[0]), float(ends[0]), envs)


def _signals(attack: Attack, oracle: EpisodeOracle) -> NDArray[np.float64]:
    """Scores (n,), or features (n, d) of an attack that learns."""
    if isinstance(attack, LearnedAttack):
        return attack.features(oracle, oracle.candidates)
    return attack(oracle, oracle.candidates)
