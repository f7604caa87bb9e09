"""Game of an audit: hands of one side, and one verdict on each."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

from miagym.envs.family.keys import hand_key
from miagym.envs.family.split import FamilySplit
from miagym.envs.game import Game
from miagym.envs.sampler import Sampler


class AuditGame(Game):
    """State of b hands, each of one model, with all of its pictures on one side."""

    def sampler(self, rng: np.random.Generator) -> Sampler:
        return HandSampler(cast(FamilySplit, self.world.split), self.settings.candidates, rng)

    def judged(self, episode: int) -> tuple[str, ...]:
        """One key, of the whole hand."""
        return (hand_key(super().judged(episode)),)


class HandSampler:
    """Deals the hands of a split, each time any of them.

    Hands are drawn independently of each other, and all are equally likely, so that neither those
    before nor how often one comes tells anything of its side.

    Args:
        split: whose hands.
        n: pictures in a hand.
        rng: of all that is drawn.

    Raises:
        SettingsError: if some model has too few pictures on one side for a hand.
    """

    def __init__(self, split: FamilySplit, n: int, rng: np.random.Generator) -> None:
        self._hands, self._rng = split.hands(n), rng

    def sample(self) -> NDArray[np.int64]:
        """Places in the split of one hand (n,), all of one model and on one side."""
        return self._rng.permutation(self._hands[self._rng.integers(len(self._hands))])
