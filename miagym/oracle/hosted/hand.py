"""What an oracle of a hosted hand stands on: a model that nobody sees, and a meter elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import torch
from gymnasium.error import ResetNeeded

from miagym.candidates import Candidates
from miagym.errors import AccessDenied, BudgetExhausted
from miagym.oracle.budget import Cost, Meter
from miagym.remote.env import RemoteEnv
from miagym.targets.base import Target


class HostedModel(Target):
    """Target of which only the size of its pictures is known; whatever else is asked is refused.

    Args:
        name: what messages call it.
        resolution: side of its pictures in pixels.
    """

    def __init__(self, name: str, resolution: int) -> None:
        self.name, self.resolution, self.device = name, resolution, torch.device("cpu")

    def __getattr__(self, name: str) -> NoReturn:
        """Refuses to tell of noise levels and latents, which other targets have as attributes."""
        if name in ("schedule", "latent_shape"):
            self._refuse()
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}.")

    def _refuse(self, *asked: Any, **options: Any) -> NoReturn:
        raise AccessDenied(
            f"Nobody is told how {self.name} is made; use a black-box attack, which needs nothing "
            "but its pictures."
        )

    encode = decode = embed = tokenize = predict_noise = timesteps = _refuse


class HostedMeter(Meter):
    """Meter that counts what each candidate costs, and asks for no more than the hand has left.

    Args:
        env: after `reset`, whose host keeps the budget itself.

    Raises:
        ResetNeeded: if no hand is being played.
    """

    def __init__(self, env: RemoteEnv) -> None:
        super().__init__()
        env.check_playing()
        self._env, self._begun = env, env.begun
        self.candidates = Candidates(env.seen()["candidates"], env.captions)

    def charge(self, candidates: Sequence[str], cost: Cost) -> None:
        """Counts what the host is about to charge.

        Raises:
            BudgetExhausted: if the hand has not so much left.
            ResetNeeded: if it is over.
        """
        price, left = cost.price * len(candidates), self._left
        if price > left:
            raise BudgetExhausted(
                f"This question costs {price} UNet rows, and {left} of the hand's "
                f"{self._env.settings.budget} are left; nothing was charged."
            )
        super().charge(candidates, cost)

    def affordable(self, candidates: Sequence[str], cost: Cost) -> int | None:
        """Number of times that all candidates of the hand can pay this cost, sharing evenly."""
        price = cost.price * len(self.candidates)
        return None if price == 0 else self._left // price

    @property
    def _left(self) -> int:
        if self._env.begun != self._begun or not self._env.is_playing:
            raise ResetNeeded(
                "The hand of this oracle is over; call reset(), and oracle_from_env() again."
            )
        return int(self._env.seen()["budget_left"][0])
