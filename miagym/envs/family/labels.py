"""Labels of verdicts about a family, looked up by whoever has the data or the population."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from miagym.data.dataset import Dataset
from miagym.envs.family.family import Family
from miagym.envs.family.keys import model_and_candidates
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
        whole, models = family.dataset(), family.models(verdicts.split)
        rows = family.pictures(verdicts.split)
        inside = family.inside(models, rows)
        keys = whole.candidates(rows, verdicts.size).keys
        place = dict(zip(keys, range(len(rows)), strict=True))
        number = {int(model): i for i, model in enumerate(models)}
        alike = rows if whole.groups is None else whole.groups[rows]
        seen = dict[str, int]()
        for i, key in enumerate(verdicts.candidate):
            seen.setdefault(key, i)
        found: list[tuple[int, NDArray[np.integer], bool]] = []
        for key in seen:
            model, candidates = model_and_candidates(key)
            if model not in number or not place.keys() >= set(candidates):
                raise DataError(
                    f"The verdict on {key} is about nothing that {family.name}, {verdicts.split}, "
                    "deals; grade with the data that the environment was made with."
                )
            places = np.array([place[one] for one in candidates])
            labels = inside[number[model], places]
            if labels.any() != labels.all():
                raise DataError(f"The hand {key} has pictures of both sides; no audit deals it.")
            found.append((model, alike[places], bool(labels[0])))
        model, pictures, member = zip(*found, strict=True)
        if all(member) or not any(member):
            raise DataError(
                f"All {len(found)} verdicts so far are on one side, so there is nothing to tell "
                "apart; play more episodes."
            )
        return cls(np.array([*seen.values()]), np.array(model), pictures, np.array(member))


def _family(verdicts: Verdicts, data: Dataset | None) -> Family:
    """The family of verdicts; whether targets of a list are still there does not matter."""
    given = verdicts.family
    if isinstance(given, tuple):
        return Family(given, given, verdicts.data if data is None else data, None)
    return Family.of(given, data)
