"""Recording how an agent plays as a Minari data set, for learning offline."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np

from miagym.agents.agent import Agent
from miagym.envs.env import GameEnv
from miagym.envs.settings import TRAIN
from miagym.envs.spaces import Action, Observation
from miagym.errors import DataError, SettingsError

if TYPE_CHECKING:
    from minari import MinariDataset


def record(
    agent: Agent, env: gym.Env[Observation, Any], name: str, episodes: int, seed: int
) -> MinariDataset:
    """Lets an agent play an environment, and keeps every step where Minari keeps its data sets.

    `minari.load_dataset(name)` opens it again, and `recover_environment()` makes the environment
    anew from its options. Kept as Arrow files, whatever the size of pictures in observations.

    Args:
        agent: who plays.
        env: one made by `gym.make("miagym/...", split="train", ...)`: elsewhere no label is told
            and no reward is given, so that there would be nothing to learn.
        name: of the data set, as Minari has them: "miagym/pool-fixed-v0".
        episodes: how many.
        seed: of all deals and of the agent.

    Raises:
        SettingsError: if Minari is not installed, or it is another environment or split.
        DataError: if there is a data set of this name, or the name is none.
    """
    minari = _minari()
    bare = env.unwrapped
    if not isinstance(bare, GameEnv) or bare.settings.split != TRAIN:
        raise SettingsError(
            f"Expected an environment of miagym on split={TRAIN!r}, whose rewards are told, got "
            f"{bare!r}."
        )
    try:
        minari.dataset.minari_dataset.parse_dataset_id(name)
        if name in minari.list_local_datasets():
            raise ValueError("there is one of this name already")
    except ValueError as error:
        raise DataError(
            f'Expected the name of a new data set, such as "miagym/pool-fixed-v0", got {name!r}: '
            f"{error}."
        ) from error
    rng = np.random.default_rng(seed)
    buffers = [
        _episode(agent, env, bare.action_space, rng, seed if number == 0 else None, minari)
        for number in range(episodes)
    ]
    with warnings.catch_warnings():
        # It asks for an author and a link, which are whose data set it is to give.
        warnings.filterwarnings("ignore", category=UserWarning, module="minari")
        return minari.create_dataset_from_buffers(
            name,
            buffers,
            env=env,
            eval_env=env,
            algorithm_name=type(agent).__name__,
            description=f"{type(agent).__name__} on {bare!r}, {episodes} episodes, seed {seed}.",
            requirements=["miagym"],
            data_format="arrow",
            jpeg_encoding=False,  # which would change pictures that answers are measured by
        )


def _episode(
    agent: Agent,
    env: gym.Env[Observation, Any],
    space: gym.Space[Any],
    rng: np.random.Generator,
    seed: int | None,
    minari: Any,
) -> Any:
    """One episode as Minari buffers it; its own collector of steps would need jax."""
    observation, _ = env.reset(seed=seed)
    seen, actions, rewards, ends, cuts = [observation], [], [], [], []
    while not ends or not (ends[-1] or cuts[-1]):
        action = _one(agent.act(_batched(observation), rng), space)
        observation, reward, terminated, truncated, _ = env.step(action)
        seen.append(observation)
        actions.append(action)
        rewards.append(float(reward))
        ends.append(terminated)
        cuts.append(truncated)
    return minari.data_collector.EpisodeBuffer(
        seed=seed,
        observations={name: [one[name] for one in seen] for name in seen[0]},
        actions={name: [one[name] for one in actions] for name in actions[0]},
        rewards=rewards,
        terminations=ends,
        truncations=cuts,
    )


def _minari() -> Any:
    try:
        import minari
    except ImportError as error:
        raise SettingsError(
            'Data sets of played episodes are kept by Minari: pip install "miagym[minari]".'
        ) from error
    return minari


def _batched(observation: Observation) -> Observation:
    return {name: np.asarray(value)[None] for name, value in observation.items()}


def _one(action: Action, space: gym.Space[Any]) -> Action:
    """The only row of a batch of actions, each part as its space has it."""
    assert isinstance(space, gym.spaces.Dict)
    return {name: np.asarray(value[0], dtype=space[name].dtype) for name, value in action.items()}
