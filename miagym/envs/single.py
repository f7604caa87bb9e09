"""`miagym/Single-v0`: one candidate; ask, ask, ..., verdict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from miagym.envs.env import GameEnv
from miagym.envs.game import Game
from miagym.envs.options import Options
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


class SingleSpaces(GameSpaces):
    """Spaces of one candidate with K questions, F statistics, and up to M answers."""

    def __init__(self, settings: Settings) -> None:
        menu, most = len(settings.menu), settings.max_answers
        self.observation_space = spaces.Dict(
            {
                "candidate": pictures(settings),
                "caption": token_ids(),
                "questions": spaces.Box(-1, menu - 1, (most,), np.int32),
                **answer_pictures(settings, most),
                "statistics": numbers(settings, most),
                "count": spaces.Box(0, most, (menu,), np.int32),
                "summary": numbers(settings, menu),
                "affordable": spaces.MultiBinary(menu),
                "budget_left": budget_left(settings),
            }
        )
        self.action_space = spaces.Dict(
            {
                "question": spaces.Discrete(menu),
                "probability": spaces.Box(0, 1, (), np.float32),
                "stop": spaces.Discrete(2),
            }
        )

    def moves(self, action: Mapping[str, NDArray[Any]]) -> Moves:
        question = action["question"][:, None]
        only_candidate = np.zeros_like(question)
        return Moves(only_candidate, question, action["probability"][:, None], action["stop"] == 1)

    def observe(self, game: Game, episodes: NDArray[np.intp]) -> Observation:
        assert game.history is not None
        return {
            "candidate": game.images[episodes, 0],
            "caption": game.tokens[episodes, 0],
            "questions": game.history.questions[episodes],
            **shown(game, game.history.images[episodes]),
            "statistics": game.history.values[episodes],
            "count": game.count[episodes, 0],
            "summary": game.summary[episodes, 0],
            "affordable": game.affordable(episodes),
            "budget_left": rows_left(game, episodes),
        }


class SingleEnv(GameEnv):
    """Was this candidate used to train the target? Ask under a budget, then say how likely it is.

    `stop` is the verdict: it ends the episode, and pays 1 - 4 (p - y)² on `train`, nothing on
    `val` and `test`, which `grade` is for. See `Settings` for the options,
    `docs/play/environment.md` for the game.

    Action:
        question: index of the menu, `env.unwrapped.settings.menu`.
        probability: of membership, in [0, 1].
        stop: 1 for the verdict; then nothing is asked.

    Observation:
        candidate: (size, size, 3), 8 bit. caption: (77,) token ids.
        questions: (M,) what was answered so far, in order; -1 where nothing is yet.
        images: (M, size, size, 3) the pictures among the answers, black where there is none; only
            where the menu asks for pictures.
        statistics: (M, F) statistics of the answers.
        count: (K,) answers so far. summary: (K, F) their statistics so far.
        affordable: (K,) which questions can still be paid. budget_left: (1,) UNet rows.

    Info:
        caption: the text. action_mask: (K,) as `affordable`, int8. member: the label, only after
        the verdict and never on `val` and `test`.

    Raises:
        SettingsError, BudgetError, UnknownName, AccessDenied: if options make no environment.
    """

    def __init__(self, *, render_mode: str | None = None, **options: Unpack[Options]) -> None:
        settings = Settings.of(options, Options)
        super().__init__(settings, SingleSpaces(settings), render_mode, keep_history=True)


class SingleVectorEnv(GameVectorEnv):
    """Many candidates at once: all that is asked in a step goes through the target together."""

    def __init__(
        self,
        num_envs: int = 1,
        *,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
        **options: Unpack[Options],
    ) -> None:
        settings = Settings.of(options, Options)
        super().__init__(
            num_envs,
            settings,
            SingleSpaces(settings),
            autoreset_mode,
            render_mode,
            keep_history=True,
        )
