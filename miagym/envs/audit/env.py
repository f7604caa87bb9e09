"""`miagym/Audit-v0`: pictures of one hand, one budget, one verdict on the set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from miagym.envs.audit.game import AuditGame
from miagym.envs.audit.settings import AuditOptions, AuditSettings
from miagym.envs.env import GameEnv
from miagym.envs.game import Game
from miagym.envs.pool import PoolSpaces
from miagym.envs.state.moves import Moves
from miagym.envs.vector import GameVectorEnv


class AuditSpaces(PoolSpaces):
    """Spaces of a pool, but for the verdict, which is one number."""

    game_kind = AuditGame

    def __init__(self, settings: AuditSettings) -> None:
        super().__init__(settings)
        probability = spaces.Box(0, 1, (), np.float32)
        self.action_space = spaces.Dict({**self.action_space.spaces, "probability": probability})
        self._hand = settings.candidates

    def moves(self, action: Mapping[str, NDArray[Any]]) -> Moves:
        said = np.repeat(action["probability"][:, None], self._hand, axis=1)
        return super().moves({**action, "probability": said})

    def info(self, game: Game, episode: int) -> dict[str, Any]:
        info = super().info(game, episode)
        return {**info, "member": int(info["member"][0])} if "member" in info else info


class AuditEnv(GameEnv):
    """Were these pictures of one hand used to train the target? One verdict on all of them.

    At each reset a target is drawn from a family, and nobody is told which; either all K pictures
    are of its training data, or none (of a list of targets: of the data's members, or none). Models
    and pictures of `train`, `val` and `test` are different ones, so that what is learned must hold
    for models that were never met. Spaces and rules are those of `miagym/Pool-v0`, but for the
    verdict.

    Action:
        candidate, question, stop: as in `PoolEnv`.
        probability: () that the hand was used, in [0, 1].

    Observation:
        As in `PoolEnv`.

    Info:
        captions, action_mask: as in `PoolEnv`. member: the label of the hand, only after the
        verdict and on `train`.

    Raises:
        SettingsError, BudgetError, UnknownName, AccessDenied: if options make no environment.
    """

    def __init__(self, *, render_mode: str | None = None, **options: Unpack[AuditOptions]) -> None:
        settings = AuditSettings.given(options)
        super().__init__(settings, AuditSpaces(settings), render_mode)


class AuditVectorEnv(GameVectorEnv):
    """Many hands at once: what is asked about one model goes through it together."""

    def __init__(
        self,
        num_envs: int = 1,
        *,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
        **options: Unpack[AuditOptions],
    ) -> None:
        settings = AuditSettings.given(options)
        super().__init__(num_envs, settings, AuditSpaces(settings), autoreset_mode, render_mode)
