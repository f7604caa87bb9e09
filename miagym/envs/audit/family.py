"""Family of targets, and the hands that are dealt about them: models and pictures by split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from miagym.candidates import Candidates
from miagym.data.dealt import FILE, Deal, model_names
from miagym.envs.sampler import shared_data
from miagym.envs.settings import SPLITS, TEST
from miagym.errors import SettingsError
from miagym.targets.registry import local_folder

SHARES = (0.5, 0.25, 0.25)
"""Of the models, and of the pictures, that are `train`, `val` and `test`."""


@dataclass(frozen=True, eq=False)
class Family:
    """Population of models, each trained on a random half of the same pictures.

    Models and pictures are cut by split, so that no model and no picture of `test` is in `train`.
    """

    name: str
    deal: Deal

    @classmethod
    def named(cls, name: str) -> Self:
        """The population of this name or folder.

        Raises:
            SettingsError: if it is none.
            DataError: if its record is broken.
        """
        folder = local_folder(str(name))
        if not (folder / FILE).is_file():
            raise SettingsError(
                f"Expected the name or folder of a population as family, got {name!r}; "
                "`miagym train` makes one, clipart-population ships."
            )
        return cls(str(name).rstrip("/"), Deal.read(folder))

    @property
    def names(self) -> list[str]:
        """Names of all its models, as targets."""
        return model_names(self.name, len(self.deal))

    def models(self, split: str) -> NDArray[np.int64]:
        """Numbers of the models of a split."""
        return _part(len(self.deal), split, seed=1)

    def pictures(self, split: str) -> NDArray[np.int64]:
        """Places in the deal of the pictures of a split."""
        return _part(len(self.deal.rows), split, seed=2)


class FamilySplit:
    """Pictures and models of one split; a place is a model and a picture at once.

    Args:
        family: of which models.
        split: "train", "val" or "test"; labels of the last are looked up by the grader only.
        size: side of the pictures in pixels.
        hand: pictures in a hand.

    Raises:
        SettingsError: if some model has too few pictures on one side for a hand.
    """

    def __init__(self, family: Family, split: str, size: int, hand: int) -> None:
        self.family, self.name = family, f"{family.name}, {split}"
        self.models, self.pictures = family.models(split), family.pictures(split)
        self.inside = family.deal.inside[np.ix_(self.models, self.pictures)]
        self._hidden = split == TEST
        rows = np.arange(len(family.deal.rows))
        self._all = shared_data(family.names[0]).candidates(rows, size)
        most = int(min(self.inside.sum(1).min(), (~self.inside).sum(1).min(), len(self)))
        if not 1 <= hand <= most:
            raise SettingsError(
                f"A hand of {hand} pictures cannot be dealt from {self.name}, where some model has "
                f"seen, or not seen, {most} only; ask for fewer candidates, or a larger population."
            )

    def __len__(self) -> int:
        return self.inside.size

    def candidates(self, places: NDArray[np.integer]) -> Candidates:
        """Candidates at some places, as an attacker sees them."""
        return self._all[self.pictures[places % len(self.pictures)]]

    def member(self, places: NDArray[np.integer]) -> NDArray[np.int8] | None:
        """Labels (n,), 1 for what the model was trained on; None on `test`."""
        return None if self._hidden else self.inside.ravel()[places].astype(np.int8)

    def model(self, place: int) -> int:
        """Number of the model of a place, within the split."""
        return int(place) // len(self.pictures)

    def sampler(self, n: int, rng: np.random.Generator) -> HandSampler:
        """Deals hands of n pictures."""
        return HandSampler(self, n, rng)


class HandSampler:
    """Deals hands: a model, a side by a fair coin, and so many pictures of that side.

    Hands are drawn independently of each other, so that nothing is learned from those before.
    """

    def __init__(self, split: FamilySplit, n: int, rng: np.random.Generator) -> None:
        self._split, self._n, self._rng = split, n, rng

    def sample(self) -> NDArray[np.int64]:
        """Places in the split of one hand (n,), all of one model and on one side."""
        inside = self._split.inside
        model, used = self._rng.integers(len(inside)), self._rng.integers(2) == 1
        side = np.flatnonzero(inside[model] == used)
        chosen = self._rng.choice(side, self._n, replace=False)
        return model * inside.shape[1] + chosen


def _part(n: int, split: str, seed: int) -> NDArray[np.int64]:
    """Those of n that belong to a split, always the same."""
    order = np.random.default_rng(seed).permutation(n)
    ends = np.floor(np.cumsum(SHARES) * n).astype(int)
    part = SPLITS.index(split)
    return np.sort(order[(0, *ends)[part] : ends[part]])
