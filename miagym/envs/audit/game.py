"""Game of an audit: hands of one side, and one verdict on each."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

from miagym.envs.family.keys import hand_key
from miagym.envs.family.split import FamilySplit
from miagym.envs.game import Game
from miagym.envs.sampler import Sampler
from miagym.errors import SettingsError


class AuditGame(Game):
    """State of b hands, each of one model, with all of its pictures on one side."""

    def sampler(self, rng: np.random.Generator) -> Sampler:
        return HandSampler(cast(FamilySplit, self.world.split), self.settings.candidates, rng)

    def judged(self, episode: int) -> tuple[str, ...]:
        """One key, of the whole hand."""
        return (hand_key(super().judged(episode)),)


class HandSampler:
    """Deals hands: a model, a side by a fair coin, and so many pictures of that side.

    Hands are drawn independently of each other, so that nothing is learned from those before.

    Args:
        split: whose labels say which side a picture is on.
        n: pictures in a hand.
        rng: of all that is drawn.

    Raises:
        SettingsError: if some model has too few pictures on one side for a hand.
    """

    def __init__(self, split: FamilySplit, n: int, rng: np.random.Generator) -> None:
        self._inside, self._n, self._rng = split.inside, n, rng
        most = int(min(self._inside.sum(1).min(), (~self._inside).sum(1).min()))
        if n > most:
            raise SettingsError(
                f"A hand of {n} pictures cannot be dealt from {split.name}, where some model has "
                f"seen, or not seen, {most} only; ask for fewer candidates, or a larger population."
            )

    def sample(self) -> NDArray[np.int64]:
        """Places in the split of one hand (n,), all of one model and on one side."""
        model, used = self._rng.integers(len(self._inside)), self._rng.integers(2) == 1
        side = np.flatnonzero(self._inside[model] == used)
        chosen = self._rng.choice(side, self._n, replace=False)
        return model * self._inside.shape[1] + chosen
