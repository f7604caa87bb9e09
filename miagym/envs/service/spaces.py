"""Spaces of a service: what a call is made of, and what is seen of its answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from miagym.envs.game import Game
from miagym.envs.service.calls import SEEDS, Call, ServiceMoves
from miagym.envs.service.game import ServiceGame
from miagym.envs.service.prompt import checked_prompts
from miagym.envs.service.settings import ServiceSettings
from miagym.envs.spaces import (
    GameSpaces,
    Observation,
    budget_left,
    pictures,
    rows_left,
    token_ids,
)
from miagym.remote.services import INPAINTING, TEXT_TO_IMAGE
from miagym.remote.spaces import call_space

EXACT = 6
"""Digits of a strength or a guidance that count, so that 0.7 in 32 bits is 0.7."""


class ServiceSpaces(GameSpaces):
    """Spaces of a service with K kinds of calls that bring up to P pictures."""

    game_kind = ServiceGame

    def __init__(self, settings: ServiceSettings) -> None:
        side, kinds, most = settings.answer_side, len(settings.menu), settings.slots
        self._settings = settings
        seen: dict[str, spaces.Space[Any]] = {
            "candidate": pictures(settings),
            "caption": token_ids(),
            "answered": spaces.MultiBinary(most),
            "images": spaces.Box(0, 255, (most, side, side, 3), np.uint8),
            "count": spaces.Box(0, settings.max_answers * most, (kinds,), np.int32),
            "affordable": spaces.MultiBinary(kinds),
            "budget_left": budget_left(settings),
        }
        if settings.prompt_filter is not None:
            seen["refused"] = spaces.MultiBinary(1)
        self.observation_space = spaces.Dict(seen)
        size, steps = settings.resolution, settings.steps
        self.action_space = call_space(settings.kind, kinds, most, size, steps, SEEDS)

    def check(self, action: object, episodes: int) -> dict[str, NDArray[Any]]:
        """Checks a batch of calls, and returns arrays (episodes, ...); prompts are objects.

        Raises:
            ActionError: if a call is none; the message names what is allowed.
        """
        if not isinstance(action, Mapping) or "prompt" not in action:
            return super().check(action, episodes)
        prompts = np.empty(episodes, dtype=object)
        prompts[:] = checked_prompts(action["prompt"], episodes)
        return super().check(action, episodes) | {"prompt": prompts}

    def checked(
        self, name: str, space: spaces.Space[Any], value: Any, episodes: int
    ) -> NDArray[Any]:
        return np.empty(0) if name == "prompt" else super().checked(name, space, value, episodes)

    def moves(self, action: Mapping[str, NDArray[Any]]) -> ServiceMoves:
        question = action["question"][:, None]
        calls = tuple(self._call(action, i) for i in range(len(question)))
        return ServiceMoves(
            np.zeros_like(question),
            question,
            action["probability"][:, None],
            action["stop"] == 1,
            calls,
        )

    def _call(self, action: Mapping[str, NDArray[Any]], i: int) -> Call:
        settings = self._settings
        kind = settings.kind.calls[int(action["question"][i])]
        uploads = kind != TEXT_TO_IMAGE
        return Call(
            kind=kind,
            prompt=action["prompt"][i],
            pictures=int(action["pictures"][i]),
            upload=action["picture"][i] if uploads else None,
            mask=action["mask"][i] == 1 if kind == INPAINTING else None,
            strength=_exact(action["strength"][i]) if uploads else 1.0,
            seed=int(action["seed"][i]) if settings.kind.takes_seeds else None,
            guidance=_exact(action["guidance"][i]) if settings.kind.takes_guidance else None,
        )

    def observe(self, game: Game, episodes: NDArray[np.intp]) -> Observation:
        seen = {
            "candidate": game.images[episodes, 0],
            "caption": game.tokens[episodes, 0],
            "answered": game.answered[episodes],
            "images": game.answer_images[episodes],
            "count": game.count[episodes, 0],
            "affordable": game.affordable(episodes),
            "budget_left": rows_left(game, episodes),
        }
        if self._settings.prompt_filter is not None:
            seen["refused"] = cast(ServiceGame, game).refused[episodes]
        return seen


def _exact(value: float) -> float:
    return round(float(value), EXACT)
