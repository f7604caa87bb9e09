"""Oracle of an episode, which runs any attack inside an environment, paid from its budget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import gymnasium as gym
from gymnasium.error import ResetNeeded

from miagym.embedded.pairings import pairing
from miagym.envs.env import GameEnv
from miagym.envs.game import Game
from miagym.envs.service.env import ServiceEnv, ServiceVectorEnv
from miagym.envs.vector import GameVectorEnv
from miagym.envs.world import World, oracle_options
from miagym.errors import BudgetExhausted, DataError, SettingsError
from miagym.oracle import Oracle
from miagym.oracle.access import Access
from miagym.oracle.budget import Cost, Meter
from miagym.oracle.hosted.oracle import HostedOracle
from miagym.remote.env import RemoteEnv
from miagym.targets.registry import shared_target


@overload
def oracle_from_env(env: GameVectorEnv, episode: int = 0) -> EpisodeOracle: ...


@overload
def oracle_from_env(env: gym.Env, episode: int = 0) -> EpisodeOracle | HostedOracle: ...


def oracle_from_env(env: gym.Env | GameVectorEnv, episode: int = 0) -> EpisodeOracle | HostedOracle:
    """Makes an oracle to the target of an environment, for the episode that is being played.

    It answers what the environment's access level allows, not only what is on the menu. What it
    answers is paid from `budget_left`, and the next step takes the price off the reward. An attack
    gives the same scores through it, and spends the same, as through an `Oracle` with the seed
    `noise_seed`:

        oracle = oracle_from_env(env)
        scores = attack(oracle, oracle.candidates)

    Of a `RemoteEnv` it answers what its host does, see `HostedOracle`; the reference is the public
    model that the host tells of, where that is an embedded one.

    Args:
        env: of ours, in any wrappers, after `reset`.
        episode: which one of a vector environment.

    Raises:
        SettingsError: if it is no environment of ours.
        ResetNeeded: if no episode is being played.
    """
    bare = getattr(env, "unwrapped", env)
    if isinstance(bare, RemoteEnv) and not bare.service:
        _check_episode(episode, 1)
        return HostedOracle(bare, _public(bare.settings.reference, bare.settings.defence))
    if not isinstance(bare, GameEnv | GameVectorEnv | RemoteEnv):
        raise SettingsError(
            f"Expected an environment of miagym, such as miagym/Pool-v0; got {bare!r}."
        )
    if isinstance(bare, ServiceEnv | ServiceVectorEnv | RemoteEnv):
        raise SettingsError(
            "An oracle knows nothing of a service's offers and prices; a service is called through "
            "its actions, and miagym/Pool-v0 has an oracle."
        )
    if bare.settings.answers is not None:
        raise SettingsError(
            "This environment is played from a table of answers, and has no target that an oracle "
            "could ask; make it without answers=."
        )
    _check_episode(episode, len(bare.game.over))
    return EpisodeOracle(bare.game, episode)


def _check_episode(episode: int, episodes: int) -> None:
    if not 0 <= episode < episodes:
        raise SettingsError(f"Expected an episode from 0 to {episodes - 1}, got {episode}.")


def _public(name: str | None, defence: str) -> Oracle | None:
    """Oracle of an embedded model; other names of a host's are followed nowhere."""
    if name is None or pairing(name) is None:
        return None
    return Oracle(shared_target(name, "auto"), Access.BLACK, defence=defence)


class EpisodeOracle(Oracle):
    """Oracle of one episode; see `oracle_from_env`."""

    def __init__(self, game: Game, episode: int) -> None:
        meter = EpisodeMeter(game, episode)
        settings, world = game.settings, game.world
        assert isinstance(world, World)
        public = world.reference
        reference = None if public is None else Oracle(public, **oracle_options(settings))
        target = world.about(game.model(episode))
        super().__init__(target, **oracle_options(settings), reference=reference)
        self.meter = meter
        self.candidates = meter.candidates


class EpisodeMeter(Meter):
    """Meter that charges an episode's budget, and counts what each candidate costs."""

    def __init__(self, game: Game, episode: int) -> None:
        super().__init__()
        self._game, self._episode = game, episode
        self._begun = int(game.begun[episode])
        self._check_playing()
        self.candidates = game.dealt(episode)

    def charge(self, candidates: Sequence[str], cost: Cost) -> None:
        """Charges the episode, all or nothing.

        Raises:
            BudgetExhausted: if the account does not hold so much.
            DataError: if it is about a candidate that this episode did not deal.
            ResetNeeded: if the episode is over.
        """
        self._check_playing()
        if strangers := set(candidates) - set(self.candidates.keys):
            raise DataError(
                f"{len(strangers)} candidates are not in this episode; ask about "
                "`oracle.candidates`, or pictures made from them."
            )
        left = self._game.accounts.left
        price = cost.price * len(candidates)
        if price > left[self._episode]:
            raise BudgetExhausted(
                f"This question costs {price} UNet rows, and {left[self._episode]} of the "
                f"episode's {self._game.accounts.budget} are left; nothing was charged."
            )
        super().charge(candidates, cost)
        left[self._episode] -= price
        self._game.beside[self._episode] += price

    def affordable(self, candidates: Sequence[str], cost: Cost) -> int | None:
        """Number of times that all candidates of the episode can pay this cost, sharing evenly."""
        price = cost.price * len(self.candidates)
        return None if price == 0 else int(self._game.accounts.left[self._episode] // price)

    def _check_playing(self) -> None:
        game, episode = self._game, self._episode
        if game.over[episode] or game.begun[episode] != self._begun:
            raise ResetNeeded(
                "The episode of this oracle is over; call reset(), and oracle_from_env() again."
            )
