"""Protocol of agents, and the loop that lets one play many environments at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from miagym.envs.grading.running import scope_of
from miagym.envs.grading.verdicts import VerdictLog, Verdicts
from miagym.envs.spaces import Action, Observation
from miagym.envs.vector import GameVectorEnv
from miagym.errors import SettingsError, TooFewToLearn


class Agent(Protocol):
    """Agent that acts in all environments of a vector environment at once."""

    def act(self, observation: Observation, rng: np.random.Generator) -> Action:
        """Actions for a batch of observations (b, ...); all that is random is of `rng`."""
        ...


@dataclass(frozen=True)
class Episode:
    """Episode that has ended."""

    row: int
    """Which environment played it."""
    seen: list[Observation]
    """What it showed before each action."""
    total: float
    """Its return; 0 where no labels are told."""
    keys: tuple[str, ...]
    """Of its n candidates."""
    judged: tuple[str, ...]
    """Keys of what its verdict is about, as in `Verdicts`."""
    probability: NDArray[np.float64]
    """The verdicts (n,)."""
    spent: int
    """UNet rows."""
    member: NDArray[np.int8] | None
    """The labels (n,); None where none are told, as on `val` and `test`."""


@dataclass(frozen=True)
class PlayResult:
    """Returns and verdicts of an agent."""

    returns: NDArray[np.float64]
    """Of every episode (b, episodes); 0 where verdicts are graded, on `val` and `test`."""
    verdicts: tuple[Verdicts, ...]
    """Of each environment, in the order of playing."""


def play(agent: Agent, envs: gym.vector.VectorEnv, episodes: int, seed: int) -> PlayResult:
    """Plays so many episodes in each environment.

    Environment i is seeded with seed + i, and deals its candidates without putting back: as long as
    they last, it judges each once, so that environments are repetitions of one experiment.

    Args:
        agent: who plays.
        envs: b environments of miagym.
        episodes: in each of them.
        seed: of the environments and of the agent.

    Raises:
        SettingsError: if the environments are not of ours, or reset themselves in the same step.
    """
    game = unwrapped_envs(envs).game
    logs = [VerdictLog() for _ in range(envs.num_envs)]
    returns: list[list[float]] = [[] for _ in logs]
    for one in episodes_of(agent, envs, episodes, seed):
        logs[one.row].add(one.judged, one.probability[: len(one.judged)], one.spent)
        returns[one.row].append(one.total)
    scope = scope_of(game)
    return PlayResult(np.array(returns), tuple(log.verdicts(scope) for log in logs))


def episodes_of(
    agent: Agent, envs: gym.vector.VectorEnv, episodes: int, seed: int
) -> Iterator[Episode]:
    """Yields episodes as they end, so many of each environment, for agents that learn."""
    bare, rng = unwrapped_envs(envs), np.random.default_rng(seed)
    observation, _ = bare.reset(seed=seed)
    seen: list[list[Observation]] = [[] for _ in range(bare.num_envs)]
    total, ended = np.zeros(bare.num_envs), np.zeros(bare.num_envs, dtype=np.int64)
    while ended.min() < episodes:
        for row, so_far in enumerate(seen):
            so_far.append({name: value[row] for name, value in observation.items()})
        action = agent.act(observation, rng)
        observation, reward, terminated, truncated, info = bare.step(action)
        total += reward
        over = terminated | truncated
        for row in map(int, np.flatnonzero(over)):
            if ended[row] < episodes:  # the others play on until the last one is through
                member = np.atleast_1d(info["member"][row]) if "member" in info else None
                yield _ended(bare, row, seen[row], total[row], member)
            ended[row] += 1
            seen[row], total[row] = [], 0
        if over.any():
            observation, _ = bare.reset(options={"reset_mask": over})


def unwrapped_envs(envs: gym.vector.VectorEnv) -> GameVectorEnv:
    """Vector environment of miagym inside its wrappers.

    Raises:
        SettingsError: if it is none, or one whose episodes are gone when they end.
    """
    bare = envs.unwrapped
    if not isinstance(bare, GameVectorEnv):
        raise SettingsError(f"Expected vector environments of miagym, got {bare!r}.")
    if bare.autoreset_mode == AutoresetMode.SAME_STEP:
        raise SettingsError(
            "Agents play environments that do not reset in the step that ends an episode; make "
            "them with another autoreset_mode."
        )
    return bare


def check_enough(member: NDArray[np.int8], fewest: int) -> None:
    """Checks that there are enough different candidates, with labels (m,), to learn from.

    Raises:
        TooFewToLearn: if there are fewer members, or non-members, than `fewest`.
    """
    sides = int((member == 1).sum()), int((member == 0).sum())
    if min(sides) < fewest:
        raise TooFewToLearn(
            f"Learning needs at least {fewest} members and {fewest} non-members; these episodes "
            f"dealt {sides[0]} and {sides[1]}: play more of them, or name larger data."
        )


def _ended(
    envs: GameVectorEnv,
    row: int,
    seen: list[Observation],
    total: float,
    member: NDArray[np.int8] | None,
) -> Episode:
    game = envs.game
    spent = envs.settings.budget - int(game.accounts.left[row])
    keys, judged = game.dealt(row).keys, game.judged(row)
    probability = game.probability[row].copy()
    return Episode(row, seen, float(total), keys, judged, probability, spent, member)
