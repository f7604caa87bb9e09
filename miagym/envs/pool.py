"""`miagym/Pool-v0`: n candidates share one budget; whom to ask about is the agent's decision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from miagym.envs.env import GameEnv
from miagym.envs.family.family import family_options
from miagym.envs.game import Game
from miagym.envs.options import PoolOptions
from miagym.envs.settings import Settings
from miagym.envs.spaces import (
    GameSpaces,
    Observation,
    answer_pictures,
    budget_left,
    numbers,
    pictures,
    rows_left,
    shown,
    token_ids,
)
from miagym.envs.state.moves import Moves
from miagym.envs.vector import GameVectorEnv

CANDIDATES, SLOTS, BUDGET = 16, 4, 120


def pool_settings(options: PoolOptions) -> Settings:
    """Settings of a pool, by default of 16 candidates, 4 slots and 120 UNet rows.

    Raises:
        SettingsError, BudgetError, UnknownName: if options make no pool.
    """
    read = family_options(options)
    return Settings.of(read, PoolOptions, candidates=CANDIDATES, slots=SLOTS, budget=BUDGET)


class PoolSpaces(GameSpaces):
    """Spaces of a pool of n candidates with B slots, K questions and F statistics."""

    def __init__(self, settings: Settings) -> None:
        n, slots, menu = settings.candidates, settings.slots, len(settings.menu)
        self.observation_space = spaces.Dict(
            {
                "candidates": pictures(settings, n),
                "captions": token_ids(n),
                "answered": spaces.MultiBinary(slots),
                **answer_pictures(settings, slots),
                "statistics": numbers(settings, slots),
                "count": spaces.Box(0, settings.max_answers, (n, menu), np.int32),
                "summary": numbers(settings, n, menu),
                "affordable": spaces.MultiBinary(menu),
                "budget_left": budget_left(settings),
            }
        )
        self.action_space = spaces.Dict(
            {
                "candidate": spaces.MultiDiscrete([n + 1] * slots),
                "question": spaces.MultiDiscrete([menu] * slots),
                "probability": spaces.Box(0, 1, (n,), np.float32),
                "stop": spaces.Discrete(2),
            }
        )

    def moves(self, action: Mapping[str, NDArray[Any]]) -> Moves:
        return Moves(
            action["candidate"], action["question"], action["probability"], action["stop"] == 1
        )

    def observe(self, game: Game, episodes: NDArray[np.intp]) -> Observation:
        return {
            "candidates": game.images[episodes],
            "captions": game.tokens[episodes],
            "answered": game.answered[episodes],
            **shown(game, game.answer_images[episodes]),
            "statistics": game.answer_values[episodes],
            "count": game.count[episodes],
            "summary": game.summary[episodes],
            "affordable": game.affordable(episodes),
            "budget_left": rows_left(game, episodes),
        }

    def info(self, game: Game, episode: int) -> dict[str, Any]:
        captions, member = game.dealt(episode).captions, game.told(episode)
        info: dict[str, Any] = {
            "captions": captions,
            "action_mask": game.affordable(np.array([episode]))[0],
        }
        if member is not None:
            info["member"] = member.copy()
        return info


class PoolEnv(GameEnv):
    """Which of n candidates were used to train the target? One budget for all of them.

    A step asks up to B questions, one in each slot, in one batch. `stop` is the verdict: it ends
    the episode, and pays the mean over candidates of 1 - 4 (p - y)² on `train`, nothing on `val`
    and `test`, which `grade` is for. `probability` travels with every action, so that an episode
    that is cut off has a verdict too. See `Settings` for the options, `docs/play/environment.md`
    for the game.

    With `family=`, the name of a population or a list of targets, each reset draws a target, and
    nobody is told which; `train`, `val` and `test` have different ones. `grade_family` grades that.

    Action:
        candidate: (B,) whom each slot asks about; n leaves it empty.
        question: (B,) index of the menu, `env.unwrapped.settings.menu`.
        probability: (n,) of membership, in [0, 1].
        stop: 1 for the verdict; then nothing is asked.

    Observation:
        candidates: (n, size, size, 3), 8 bit. captions: (n, 77) token ids.
        answered: (B,) which slots of the last step were paid and answered.
        images: (B, size, size, 3) their pictures, black where there is none; only where the menu
            asks for pictures.
        statistics: (B, F) their statistics.
        count: (n, K) answers so far. summary: (n, K, F) their statistics so far.
        affordable: (K,) which questions can still be paid. budget_left: (1,) UNet rows.

    Info:
        captions: n texts. action_mask: (K,) as `affordable`, int8. member: (n,) labels, only after
        the verdict and never on `val` and `test`.

    Raises:
        SettingsError, BudgetError, UnknownName, AccessDenied: if options make no environment.
    """

    def __init__(self, *, render_mode: str | None = None, **options: Unpack[PoolOptions]) -> None:
        settings = pool_settings(options)
        super().__init__(settings, PoolSpaces(settings), render_mode)


class PoolVectorEnv(GameVectorEnv):
    """Many pools at once: all that they ask in a step goes through the target together."""

    def __init__(
        self,
        num_envs: int = 1,
        *,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
        **options: Unpack[PoolOptions],
    ) -> None:
        settings = pool_settings(options)
        super().__init__(num_envs, settings, PoolSpaces(settings), autoreset_mode, render_mode)
