"""Models and pictures of one split of a family, and how hands of both sides are dealt."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from miagym.candidates import Candidates
from miagym.data.dataset import TEST
from miagym.envs.family.family import Family
from miagym.envs.family.keys import key_of
from miagym.envs.sampler import CandidateSampler, Sampler


class FamilySplit:
    """Pictures and models of one split; a place is a model and a picture at once.

    Args:
        family: of which models.
        split: "train", "val" or "test"; labels of the last are looked up by the grader only.
        size: side of the pictures in pixels.
    """

    def __init__(self, family: Family, split: str, size: int) -> None:
        self.family, self.name = family, f"{family.name}, {split}"
        self.models, self.pictures = family.models(split), family.pictures(split)
        self.inside = family.inside(self.models, self.pictures)
        self._data, self._size, self._hidden = family.dataset(), size, split == TEST

    def __len__(self) -> int:
        """Number of pictures, each of which any model of the split may be asked about."""
        return len(self.pictures)

    def candidates(self, places: NDArray[np.integer]) -> Candidates:
        """Candidates at some places, as an attacker sees them."""
        return self._data.candidates(self.pictures[places % len(self)], self._size)

    def member(self, places: NDArray[np.integer]) -> NDArray[np.int8] | None:
        """Labels (n,), 1 for what the model was trained on; None on `test`."""
        return None if self._hidden else self.inside.ravel()[places].astype(np.int8)

    def model(self, places: NDArray[np.integer]) -> int:
        """Number, within the split, of the model that a hand is about."""
        return int(places[0]) // len(self)

    def judged(self, places: NDArray[np.integer], dealt: Candidates) -> tuple[str, ...]:
        """Keys of what is judged: model and candidate."""
        number = int(self.models[self.model(places)])
        return tuple(key_of(number, key) for key in dealt.keys)

    def sampler(self, n: int, rng: np.random.Generator) -> Sampler:
        """Deals hands of n pictures, of both sides.

        Raises:
            SettingsError: if there are fewer.
        """
        return FamilySampler(self, n, rng)


class FamilySampler:
    """Draws a model, and the next pictures of its own deck, which is dealt like that of a pool."""

    def __init__(self, split: FamilySplit, n: int, rng: np.random.Generator) -> None:
        self._size, self._rng = len(split), rng
        self._decks = [CandidateSampler(split, n, rng) for _ in split.models]

    def sample(self) -> NDArray[np.int64]:
        """Places in the split of one hand (n,), all of one model."""
        model = int(self._rng.integers(len(self._decks)))
        return model * self._size + self._decks[model].sample()
