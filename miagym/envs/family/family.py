"""Family of targets: which models and which pictures are `train`, `val` and `test`."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from miagym.data.dataset import Dataset
from miagym.data.dealt import FILE, ModelDeal, dealt_model, model_names
from miagym.embedded.pairings import goes_with, pairing
from miagym.envs.sampler import rows_of, shared_data
from miagym.errors import SettingsError
from miagym.targets.location import TargetLocation
from miagym.targets.registry import find_target, local_folder, target_resolution

SHARES = {"train": 0.5, "val": 0.25, "test": 0.25}
"""Of the models; of a population, of its pictures too."""
MIN_TARGETS = len(SHARES)
"""Targets of a family: one for each split."""


@dataclass(frozen=True, eq=False)
class Family:
    """Targets that are asked about the same pictures, both cut so that splits share neither.

    Of a population each model was trained on a random half of the pictures. Of a list of targets,
    checkpoints and controls say, the labels are the data's, whichever target is asked: on a control
    there is nothing to be found.
    """

    given: str | tuple[str, ...]
    """As `family=` had it: the name or folder of a population, or names of targets."""
    targets: tuple[str, ...]
    """Names of all its targets."""
    data: str | Dataset
    """The pictures, with the labels of the first target."""
    deal: ModelDeal | None
    """Of a population."""

    @classmethod
    def of(cls, family: object, data: str | Dataset | None = None) -> Self:
        """Makes a family.

        Args:
            family: the name or folder of a population, or a list of targets' names.
            data: which pictures a list is asked about; by default what its first target goes with.

        Raises:
            SettingsError: if it is neither, or too small, or its targets do not go together.
            UnknownName, TargetError: if there is no such target.
            DataError: if the record of a population is broken.
        """
        if isinstance(family, str):
            return cls._population(family.rstrip("/"), data)
        names = tuple(family) if isinstance(family, Sequence) else ()
        if not names or not all(isinstance(name, str) for name in names):
            raise SettingsError(
                "Expected the name or folder of a population as family, or a list of targets' "
                f"names; got {family!r}."
            )
        _check_size(names)
        _check_different(names)
        pair = pairing(names[0])
        if data is None and pair is None:
            raise SettingsError(
                f"No data set belongs to {names[0]}, the first of the family; name the pictures it "
                "is asked about with data=."
            )
        about = pair.data if data is None and pair is not None else data
        assert about is not None
        if not isinstance(about, str | Dataset):
            raise SettingsError(
                "Expected the name of a data set, a file, a folder or a Dataset as data, got "
                f"{about!r}."
            )
        _check_pairings(names, about)
        _check_deals(names, about)
        sides = {name: target_resolution(name) for name in names}
        if other := [name for name in names if sides[name] != sides[names[0]]]:
            raise SettingsError(
                f"{names[0]} works on {sides[names[0]]} pixels a side and {other[0]} on "
                f"{sides[other[0]]}; a family has targets of one size."
            )
        return cls(names, names, about, None)

    @classmethod
    def _population(cls, name: str, data: object) -> Self:
        folder = local_folder(name)
        if not os.path.isfile(folder / FILE):
            raise SettingsError(
                f"Expected the name or folder of a population as family, got {name!r}; "
                "`miagym train` makes one, clipart-population ships, and single targets are named "
                "in a list."
            )
        if data is not None:
            raise SettingsError(
                f"The pictures of the population {name} are those that were dealt to its models; "
                "leave out data, or name the models' base and others in a list."
            )
        deal = ModelDeal.read(folder)
        targets = tuple(model_names(name, len(deal)))
        _check_size(targets)
        return cls(name, targets, targets[0], deal)

    @property
    def name(self) -> str:
        """The population's name, or all targets'."""
        return self.given if isinstance(self.given, str) else ", ".join(self.given)

    @property
    def fingerprint(self) -> str:
        """Of what decides the labels: the deal of a population, or a list's targets and data."""
        deal = self.deal
        decides = (
            (self.targets, self.dataset().digest)
            if deal is None
            else (deal.data_digest, deal.rows, deal.members)
        )
        return hashlib.sha256(json.dumps(decides).encode()).hexdigest()[:16]

    def models(self, split: str) -> NDArray[np.int64]:
        """Numbers of the targets of a split, by a fixed permutation of their names.

        Neither the order of a list nor that of training has a say, which would make a test of what
        was trained longest.
        """
        in_order = np.array(sorted(range(len(self.targets)), key=lambda i: self.targets[i]))
        return np.sort(in_order[_part(len(in_order), split, seed=1)])

    def dataset(self) -> Dataset:
        """The pictures, loaded."""
        return shared_data(self.data) if isinstance(self.data, str) else self.data

    def pictures(self, split: str) -> NDArray[np.int64]:
        """Rows of the data in a split; of a list of targets those of a pool about one target.

        Raises:
            SettingsError: if they lack members or non-members.
        """
        if self.deal is None:
            return rows_of(self.dataset(), split)
        return _part(len(self.deal.rows), split, seed=2)

    def inside(self, models: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Labels (models, pictures): of a population what each was trained on, else the data's."""
        if self.deal is not None:
            return self.deal.inside[np.ix_(models, rows)]
        return np.tile(self.dataset().member[rows], (len(models), 1))


def family_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Reads the option of a family, whose first target stands for sizes and captions.

    Args:
        options: of an environment; without a family they stay as they are.

    Raises:
        SettingsError: if it names a target or a table of answers beside, or the family is none.
    """
    if options.get("family") is None:
        return {**options}
    for name, why in (
        ("target", "a target is drawn from the family"),
        ("answers", "a table of answers is about one target"),
    ):
        if options.get(name) is not None:
            raise SettingsError(f"Expected family or {name}, got both: {why}; leave one out.")
    family = Family.of(options["family"], options.get("data"))
    return {**options, "family": family, "target": family.targets[0], "data": family.data}


def _check_size(names: Sequence[str]) -> None:
    if len(names) < MIN_TARGETS:
        raise SettingsError(
            f"A family needs {MIN_TARGETS} targets or more, since train, val and test have "
            f"different ones; got {len(names)}: {', '.join(names)}."
        )


def _check_different(names: Sequence[str]) -> None:
    """Refuses a target that comes twice, also where a path is written in two ways."""
    places = [_where(find_target(name)) for name in names]
    twice = [name for name, place in zip(names, places, strict=True) if places.count(place) > 1]
    if twice:
        both = " and ".join(twice[:2]) if len(set(twice)) > 1 else twice[0]
        raise SettingsError(
            f"Each target is in a family once, and {both} would be twice, in two splits perhaps; "
            "leave one out."
        )


def _where(target: TargetLocation) -> TargetLocation:
    """Where a target lies, the same for all names and paths that lead there."""
    place, unet = (
        Path(os.path.realpath(one)) if isinstance(one, Path) else one
        for one in (target.place, target.unet)
    )
    return replace(target, name="", place=place, unet=unet)


def _check_pairings(names: Sequence[str], data: str | Dataset) -> None:
    """Refuses embedded targets about which the labels of embedded data say nothing."""
    about = data if isinstance(data, str) else data.name
    if strangers := [name for name in names if not goes_with(name, about)]:
        pair = pairing(strangers[0])
        assert pair is not None
        raise SettingsError(
            f"{strangers[0]} goes with {pair.data}, and this family is asked about {about}: it is "
            "neither trained on its members nor a control of those that are; leave it out, or name "
            "other data."
        )


def _check_deals(names: Sequence[str], data: str | Dataset) -> None:
    """Refuses a model of a population beside labels that are not its own."""
    for name in names:
        if dealt_model(local_folder(name)) is not None and name != data:
            raise SettingsError(
                f"{name} is a model of a population and learned the half that it was dealt, of "
                "which other labels say nothing; name the population itself as family, or leave "
                "it out."
            )


def _part(n: int, split: str, seed: int) -> NDArray[np.int64]:
    """Those of n that belong to a split, always the same: at least one of three or more."""
    order = np.random.default_rng(seed).permutation(n)
    ends = np.floor(np.cumsum([*SHARES.values()]) * n).astype(int)
    part = [*SHARES].index(split)
    return np.sort(order[(0, *ends)[part] : ends[part]])
