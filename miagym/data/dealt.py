"""The deal of a population: which of some pictures each of many models was trained on."""

from __future__ import annotations

import json
import os.path
from dataclasses import asdict, dataclass
from functools import cached_property
from operator import index
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from miagym.atomic import replacing
from miagym.data.dataset import Dataset
from miagym.data.pictures import take
from miagym.data.source import Source
from miagym.errors import DataError

FILE = "population.json"
SCHEMA = 1


@dataclass(frozen=True)
class ModelDeal:
    """Pictures of a data set, dealt to models independently: a half of them each, at random.

    Of each group of look-alikes there is one picture, so that none has a twin on the other side.
    """

    base: str
    """The target that all models began from, as it was named."""
    data: str
    """The data set that the pictures are from, as it was named."""
    data_digest: str
    seed: int
    rows: tuple[int, ...]
    """Rows of the data set that are dealt (m,), in order."""
    members: tuple[tuple[int, ...], ...]
    """For each model, the places in `rows` of what it was trained on, in order."""

    @classmethod
    def new(
        cls, base: str, name: str, data: Dataset, models: int, pictures: int, seed: int
    ) -> ModelDeal:
        """Deals pictures of a data set; that of model i depends on the seed and i alone.

        Args:
            base: what the models begin from.
            name: of the data set.
            data: the data set itself.
            models: how many there are, from 2.
            pictures: how many are dealt, from 8.
            seed: of the choice of pictures, and of the deals.

        Raises:
            DataError: if there are too few models or pictures.
        """
        groups = np.arange(len(data)) if data.groups is None else data.groups
        first = np.unique(groups, return_index=True)[1]
        if models < 2 or not 8 <= pictures <= len(first):
            raise DataError(
                f"A population needs 2 models or more and from 8 to {len(first)} pictures, one of "
                f"each group of {name}; got {models} models and {pictures} pictures."
            )
        rows = np.sort(np.random.default_rng(seed).choice(first, pictures, replace=False))
        members = (
            np.sort(np.random.default_rng((seed, model)).permutation(pictures)[: pictures // 2])
            for model in range(models)
        )
        return cls(
            base,
            name,
            data.digest,
            seed,
            tuple(rows.tolist()),
            tuple(tuple(places.tolist()) for places in members),
        )

    @classmethod
    def read(cls, folder: Path) -> ModelDeal:
        """The deal of a population's folder.

        Raises:
            DataError: if it cannot be read, or contradicts itself.
        """
        path = folder / FILE
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content.pop("schema") != SCHEMA:
                raise ValueError(f"its schema is not {SCHEMA}")
            rows = tuple(map(index, content.pop("rows")))
            members = tuple(tuple(map(index, places)) for places in content.pop("members"))
            found = cls(**content, rows=rows, members=members)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise DataError(
                f"{path} is no record of a deal ({error}); train the population again."
            ) from error
        places = set(range(len(found.rows)))
        for one in found.members:
            if not set() < set(one) < places or len(set(one)) < len(one):
                raise _broken(path, "for each model some of the pictures, once each, but not all")
        if len(set(found.rows)) < len(found.rows) or min(found.rows, default=0) < 0:
            raise _broken(path, "distinct rows of the data")
        return found

    def write(self, folder: Path) -> None:
        """Writes population.json, whole or not at all."""
        with replacing(folder / FILE) as partial:
            text = json.dumps({"schema": SCHEMA, **asdict(self)}) + "\n"
            partial.write_text(text, encoding="utf-8")

    def __len__(self) -> int:
        return len(self.members)

    @cached_property
    def inside(self) -> NDArray[np.bool_]:
        """Which model was trained on which picture (models, m)."""
        table = np.zeros((len(self.members), len(self.rows)), dtype=bool)
        for model, places in enumerate(self.members):
            table[model, list(places)] = True
        return table

    def source(self, model: int, whole: Source, name: str) -> Source:
        """The dealt pictures with the labels of one model.

        Args:
            model: its number, from 0.
            whole: the data set that they are from.
            name: what reports call the dealt pictures.

        Raises:
            DataError: if the data set is not what was dealt, or has no such rows.
        """
        data = whole.dataset()
        if data.digest != self.data_digest:
            raise DataError(
                f"{self.data} is other data than was dealt, or another split of it; train the "
                "population again, or bring the old data back."
            )
        if max(self.rows) >= len(data):
            raise _broken(name, f"rows of {self.data}, which has {len(data)}")
        rows = np.array(self.rows)
        table = whole.table.take(rows)
        columns = {column: table[column] for column in table.column_names}
        columns["member"] = pa.array(self.inside[model])
        columns["part"] = pa.array(data.part[rows].tolist())
        names = None if whole.names is None else tuple(whole.names[row] for row in rows)
        pictures = take(whole.require_pictures(), rows)
        return Source(name, pa.table(columns), pictures, names=names)


def _broken(where: Path | str, expected: str) -> DataError:
    return DataError(f"{where} is a broken deal: expected {expected}; train the population again.")


def model_folder(folder: Path, model: int) -> Path:
    """The folder of a model of a population, by its number from 0."""
    return folder / f"{model:02d}"


def model_names(population: str, models: int) -> list[str]:
    """Names of the models of a population, which is named by a folder or is embedded."""
    bare = population.rstrip("/")
    return [f"{bare}/{model_folder(Path(), model)}" for model in range(models)]


def dealt_model(path: Path) -> tuple[Path, int] | None:
    """The folder of a population and the number of a model, if a path names one of its models."""
    number = path.name
    if not (number.isascii() and number.isdigit() and os.path.isfile(path.parent / FILE)):
        return None
    model = int(number)
    return (path.parent, model) if model_folder(path.parent, model).name == number else None
