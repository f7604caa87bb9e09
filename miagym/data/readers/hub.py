"""Data sets of the Hugging Face hub, and folders that `datasets.save_to_disk` wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from miagym.data.columns import ALIASES, ROLES, caption_column
from miagym.data.labels import MemberValue, check_second, table_labels
from miagym.data.pictures import LazyPictures, Picture, as_picture, has_paths, paths_of
from miagym.data.source import Source
from miagym.errors import DataError, option
from miagym.targets.location import looks_local

PREFIX = "hf:"


@dataclass(frozen=True)
class HubName:
    """Name `hf:owner/name?option=value&…` of a hub data set, or of a local folder in its format.

    Either two splits are the two sides, or one split has a column that says so.
    """

    repository: str
    config: str | None = None
    """The configuration, where there are several."""
    revision: str | None = None
    """A branch, tag or commit."""
    members: str = "members"
    """The split of the members."""
    nonmembers: str = "nonmembers"
    """The split of the non-members."""
    split: str | None = None
    """The split to read, if a column says who is a member; needless if there is only one."""
    member: str = "member"
    """The column of the labels."""
    image: str = "image"
    """The column of the pictures."""
    caption: str | None = None
    """The column of the captions; if not given, `caption` or `text`."""

    @classmethod
    def parse(cls, name: str) -> HubName:
        """Parses a name with its options.

        Raises:
            DataError: if it has options that are not there.
        """
        repository, _, query = name.removeprefix(PREFIX).partition("?")
        options = dict(parse_qsl(query, keep_blank_values=True))
        known = [field.name for field in fields(cls)][1:]
        if not repository or not set(options) <= set(known):
            raise DataError(
                f"{name!r} is no hub data set; expected hf:owner/name, then if wanted "
                f"?option=value&option=value with {', '.join(known)}."
            )
        return cls(repository, **options)


class SavedPictures(LazyPictures):
    """Pictures in a column of a memory-mapped data set, read where they lie."""

    def __init__(self, data: Any, column: str, folder: Path) -> None:
        self._data, self._column, self._folder = data.select_columns([column]), column, folder

    def __len__(self) -> int:
        return len(self._data)

    def take(self, rows: Sequence[int] | NDArray[np.integer]) -> list[Picture]:
        values = self._data[[int(row) for row in rows]][self._column]
        return [as_picture(value, self._folder) for value in values]

    def names(self) -> list[str | None] | None:
        """Paths of the pictures (n) as the data set has them; None where it holds bytes alone."""
        column = _column(self._data, self._column)
        return paths_of(column) if has_paths(column.type) else None


def read_hub(name: HubName, member_value: MemberValue | None = None) -> Source:
    """Downloads a data set, or takes it from the cache; data only, never code.

    Args:
        name: with its options.
        member_value: what stands for members in the column of labels.

    Raises:
        DataError: if `datasets` is not installed, or there is no such data set to be had.
    """
    if looks_local(name.repository) and not Path(name.repository).exists():
        raise DataError(
            f"There is no folder {name.repository}; expected hf:owner/name, or hf: and a folder in "
            "that format."
        )
    datasets = _datasets()
    try:
        splits = datasets.load_dataset(name.repository, name.config, revision=name.revision)
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        from huggingface_hub import constants

        offline = " HF_HUB_OFFLINE is set, so only the cache was asked." * constants.HF_HUB_OFFLINE
        raise DataError(
            f"{PREFIX}{name.repository} could not be loaded: {_first_line(error)}.{offline}"
        ) from error
    return _source(name, splits, Path(name.repository), datasets, member_value)


def is_saved(path: Path) -> bool:
    """Whether `datasets.save_to_disk` wrote this folder."""
    return (path / "dataset_dict.json").is_file() or (path / "state.json").is_file()


def read_saved(path: Path, member_value: MemberValue | None = None) -> Source:
    """Reads a folder of `datasets.save_to_disk`: splits `members` and `nonmembers`, or `member`.

    Args:
        path: of the folder.
        member_value: what stands for members in the column of labels.

    Raises:
        DataError: if `datasets` is not installed, or the folder cannot be used.
    """
    datasets = _datasets()
    try:
        splits = datasets.load_from_disk(str(path))
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise DataError(f"{path} cannot be read: {_first_line(error)}.") from error
    if isinstance(splits, datasets.Dataset):
        splits = {"all": splits}
    return _source(HubName(str(path)), splits, path, datasets, member_value)


def _source(
    name: HubName,
    splits: Mapping[str, Any],
    folder: Path,
    datasets: ModuleType,
    member_value: MemberValue | None,
) -> Source:
    called = Path(name.repository).name
    data, member = _sides(name, splits, called, datasets, member_value)
    columns = data.column_names
    caption = name.caption or caption_column(columns)
    if caption is not None and caption not in columns:
        raise DataError(f"{called} has no column {caption!r}; it has {', '.join(columns)}.")
    pictures, names = None, None
    if name.image in columns:
        if isinstance(data.features[name.image], datasets.Image):
            data = data.cast_column(name.image, datasets.Image(decode=False))
        pictures = SavedPictures(data, name.image, folder)
        names = pictures.names()
    values = datasets.Value | datasets.ClassLabel
    plain = [
        column
        for column, feature in data.features.items()
        if column != name.image
        and (isinstance(feature, values) or _called(column, caption) in ROLES)
    ]
    table = data.select_columns(plain).with_format("arrow")[:]
    own = {"member", "caption"} if name.caption else {"member"}  # what is named elsewhere
    kept = {
        _called(column, name.caption): table[column]
        for column in plain
        if column == name.caption or column not in {name.member, *own}
    }
    kept["member"] = pa.array(member)
    return Source.of(called, pa.table(kept), pictures, names=names)


def _sides(
    name: HubName,
    splits: Mapping[str, Any],
    called: str,
    datasets: ModuleType,
    member_value: MemberValue | None,
) -> tuple[Any, NDArray[np.bool_]]:
    """All rows, and which are members."""
    if name.members in splits and name.nonmembers in splits and name.split is None:
        if member_value is not None:
            raise DataError(
                f"The splits {name.members!r} and {name.nonmembers!r} of {called} say who is a "
                f"member; leave {option('member_value')} out."
            )
        sides = [splits[name.members], splits[name.nonmembers]]
        labels = np.repeat([True, False], [len(side) for side in sides])
        try:
            data = datasets.concatenate_datasets(sides)
        except ValueError as error:
            raise DataError(
                f"The two splits of {called} differ in their columns: {_first_line(error)}."
            ) from error
        if name.member in data.column_names:
            said = {name.member: _column(data, name.member)}
            splits_say = f"the splits {name.members!r} and {name.nonmembers!r}"
            check_second(said, labels, called, splits_say, _classes(data, datasets))
        return data, labels
    only = name.split or (next(iter(splits)) if len(splits) == 1 else "")
    if only not in splits or name.member not in splits[only].column_names:
        raise DataError(
            f"{called} has neither splits {name.members!r} and {name.nonmembers!r} nor one split "
            f"with a column {name.member!r}; it has the splits {', '.join(splits)} with the "
            f"columns {', '.join(next(iter(splits.values())).column_names)}: name yours by "
            "?members=…&nonmembers=… or ?split=…&member=…"
        )
    data, names = splits[only], _classes(splits[only], datasets)
    labels = _column(data, name.member)
    return data, table_labels(labels, names.get(name.member), called, member_value)


def _column(data: Any, name: str) -> pa.ChunkedArray:
    return data.select_columns([name]).with_format("arrow")[:][name]


def _classes(data: Any, datasets: ModuleType) -> dict[str, list[str]]:
    """Names of the numbers in columns."""
    features = data.features.items()
    return {c: feature.names for c, feature in features if isinstance(feature, datasets.ClassLabel)}


def _called(column: str, caption: str | None) -> str:
    """Our name of a column, where the caller says which one holds the captions."""
    return {**ALIASES, caption: "caption"}.get(column, column)


def _datasets() -> ModuleType:
    try:
        import datasets
    except ImportError as error:
        raise DataError(
            'Data sets of the hub need the library datasets: pip install "miagym[data]".'
        ) from error
    return datasets


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).partition("\n")[0].rstrip(".")
