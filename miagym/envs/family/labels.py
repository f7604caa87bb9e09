"""Labels of verdicts about a family, looked up by whoever has the data or the population."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from miagym.data.dataset import Dataset
from miagym.envs.family.family import Family
from miagym.envs.family.split import FamilySplit
from miagym.envs.grading.checks import check_handed, check_verdicts
from miagym.envs.grading.verdicts import Verdicts
from miagym.errors import DataError


@dataclass(frozen=True, eq=False)
class Judged:
    """What was judged, each once, in the order of judging: k candidates of m verdicts."""

    first: NDArray[np.int64]
    """Number of the first verdict on each (m,)."""
    model: NDArray[np.int64]
    """Number of the target in the family (m,)."""
    pictures: tuple[NDArray[np.integer], ...]
    """Of each the numbers of its k pictures; look-alikes have one (m)."""
    member: NDArray[np.bool_]
    """The labels (m,)."""
    n_split: int
    """How many there are to judge in the split."""

    @classmethod
    def of(cls, verdicts: Verdicts, data: Dataset | None, grader: str) -> Self:
        """Looks labels up.

        Raises:
            DataError: if verdicts are broken, another grader's, about something else, or on one
                side only.
            SettingsError: if a population is not there any more.
        """
        check_verdicts(verdicts, grader)
        check_handed(verdicts, data, grader)
        family = _family(verdicts, data)
        if verdicts.played.fingerprint != family.fingerprint:
            raise DataError(
                f"These verdicts are about other pictures or another deal than {family.name} has "
                "today; grade with what they were played on, or play again."
            )
        split = FamilySplit(family, verdicts.split, verdicts.size)
        dealt = split.dealt(verdicts.played.candidates if verdicts.hands else None)
        seen = dict[str, int]()
        for i, key in enumerate(verdicts.candidate):
            seen.setdefault(key, i)
        strange = [key for key in seen if key not in dealt]
        if strange:
            raise DataError(
                f"The verdict on {strange[0][:80]!r} is about nothing that {split.name}, deals; "
                "grade verdicts as they were stored, with the data that they were played on."
            )
        places = [dealt[key] for key in seen]
        pictures = tuple(split.alike[one % len(split)] for one in places)
        model = np.array([split.models[split.model(one)] for one in places])
        member = split.inside.ravel()[[one[0] for one in places]]
        if member.all() or not member.any():
            raise DataError(
                f"All {len(seen)} verdicts so far are on one side, so there is nothing to tell "
                "apart; play more episodes."
            )
        return cls(np.array([*seen.values()]), model, pictures, member, len(dealt))


def _family(verdicts: Verdicts, data: Dataset | None) -> Family:
    """The family of verdicts; whether targets of a list are still there does not matter."""
    given = verdicts.family
    if isinstance(given, tuple):
        return Family(given, given, verdicts.data if data is None else data, None)
    return Family.of(given, data)
