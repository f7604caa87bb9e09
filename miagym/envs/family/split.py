"""Models and pictures of one split of a family, and how hands of both sides are dealt."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from miagym.candidates import Candidates
from miagym.data.dataset import TEST
from miagym.data.splits import deal
from miagym.envs.family.family import Family
from miagym.envs.family.keys import hand_key, key_of
from miagym.envs.sampler import CandidateSampler, Sampler
from miagym.errors import SettingsError


class FamilySplit:
    """Pictures and models of one split; a place is a model and a picture at once.

    Args:
        family: of which models.
        split: "train", "val" or "test"; labels of the last are looked up by the grader only.
        size: side of the pictures in pixels.

    Raises:
        SettingsError: if a target of a list is left without members or non-members.
    """

    def __init__(self, family: Family, split: str, size: int) -> None:
        self.family, self.name = family, f"{family.name}, {split}"
        self.models, self.pictures = family.models(split), family.pictures(split)
        self.inside = family.inside(self.models, self.pictures)
        self.data, self._size, self._hidden = family.dataset(), size, split == TEST
        self.asked = self._asked()
        """Which model is asked about which picture (models, pictures)."""

    def _asked(self) -> NDArray[np.bool_]:
        """Of a population all about all; of a list a picture and its look-alikes about one only.

        On a list a picture has the same label under all targets: what one answers about it would
        tell whoever remembers it what to say under another, a control say.
        """
        if self.family.deal is not None or len(self.models) == 1:
            return np.ones(self.inside.shape, dtype=bool)
        sides = np.where(self.inside[0], "member", "non-member").tolist()
        shares = {str(model): 1.0 for model in self.models}
        asked = deal(self.alike, sides, shares, seed=3) == self.models.astype(str)[:, None]
        if not all((asked & side).any(1).all() for side in (self.inside, ~self.inside)):
            raise SettingsError(
                f"{self.name} has {len(self.models)} targets and too few pictures, or groups of "
                "look-alikes, for each to have members and non-members of its own; name fewer "
                "targets, or other data."
            )
        return asked

    def __len__(self) -> int:
        """Number of pictures of the split."""
        return len(self.pictures)

    def candidates(self, places: NDArray[np.integer]) -> Candidates:
        """Candidates at some places, as an attacker sees them."""
        return self.data.candidates(self.pictures[places % len(self)], self._size)

    def member(self, places: NDArray[np.integer]) -> NDArray[np.int8] | None:
        """Labels (n,), 1 for what the model was trained on; None on `test`."""
        return None if self._hidden else self.inside.ravel()[places].astype(np.int8)

    def model(self, places: NDArray[np.integer]) -> int:
        """Number, within the split, of the model that a hand is about."""
        return int(places[0]) // len(self)

    @property
    def alike(self) -> NDArray[np.integer]:
        """Of each picture (n,) a number that look-alikes share."""
        groups = self.data.groups
        return self.pictures if groups is None else groups[self.pictures]

    def judged(self, places: NDArray[np.integer], dealt: Candidates) -> tuple[str, ...]:
        """Keys of what is judged: model and candidate."""
        number = int(self.models[self.model(places)])
        return tuple(key_of(number, key) for key in dealt.keys)

    def hands(self, n: int) -> NDArray[np.int64]:
        """Places (h, n) of all hands of n pictures of one side that there are, always the same.

        Hands about one model share no picture: of hands that do, looking alone would tell in time
        which pictures never lie in one. Both sides have equally many.

        Raises:
            SettingsError: if some model has too few pictures on one side for a hand.
        """
        found = []
        for model, (inside, asked) in enumerate(zip(self.inside, self.asked, strict=True)):
            rng = np.random.default_rng((4, int(self.models[model])))
            sides = [rng.permutation(np.flatnonzero(asked & (inside == side))) for side in (0, 1)]
            fewest = min(len(side) for side in sides)
            if not 0 < n <= fewest:
                raise SettingsError(
                    f"A hand of {n} pictures cannot be dealt from {self.name}, where some model "
                    f"has seen, or not seen, {fewest} only; ask for fewer candidates, or a larger "
                    "population."
                )
            each = fewest // n
            found += [model * len(self) + side[: each * n].reshape(each, n) for side in sides]
        return np.concatenate(found)

    def dealt(self, hand: int | None) -> dict[str, NDArray[np.int64]]:
        """Places (k,) of all that there is to judge, by the key of a verdict.

        Args:
            hand: pictures in the hand that a verdict is about; by default it is about one picture.

        Raises:
            SettingsError: as `hands`.
        """
        keys = self.candidates(np.arange(len(self))).keys
        every = np.flatnonzero(self.asked)[:, None] if hand is None else self.hands(hand)
        models, pictures = np.divmod(every, len(self))
        names = (
            hand_key([key_of(int(self.models[one]), keys[picture]) for picture in pictures[i]])
            for i, one in enumerate(models[:, 0])
        )
        return dict(zip(names, every, strict=True))

    def sampler(self, n: int, rng: np.random.Generator) -> Sampler:
        """Deals hands of n pictures, of both sides.

        Raises:
            SettingsError: if there are fewer.
        """
        return FamilySampler(self, n, rng)


class FamilySampler:
    """Draws a model, and the next pictures of a deck, which is dealt like that of a pool.

    Where all models are asked about all pictures there is one deck, whichever is drawn: of one deck
    each, a picture that comes again would tell that this is another model.
    """

    def __init__(self, split: FamilySplit, n: int, rng: np.random.Generator) -> None:
        self._size, self._rng = len(split), rng
        shared = bool(split.asked.all())
        self._own = [np.flatnonzero(asked) for asked in split.asked]
        decks = [CandidateSampler(len(own), split.name, n, rng) for own in self._own]
        self._decks = [decks[0] if shared else deck for deck in decks]

    def sample(self) -> NDArray[np.int64]:
        """Places in the split of one hand (n,), all of one model."""
        model = int(self._rng.integers(len(self._decks)))
        return model * self._size + self._own[model][self._decks[model].sample()]
