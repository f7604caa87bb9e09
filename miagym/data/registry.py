"""Registry of data: embedded data sets, files and folders, and data sets of the hub."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from miagym.data.dataset import Dataset
from miagym.data.dealt import ModelDeal, dealt_model
from miagym.data.labels import MemberValue
from miagym.data.readers import hub
from miagym.data.readers.files import read_file, read_folder
from miagym.data.source import Source
from miagym.errors import DataError, UnknownName, option
from miagym.targets.registry import local_folder

EMBEDDED = {
    "clipart": "miagym.embedded.art:source",
    "clipart-tune": "miagym.embedded.art:source",
    "icons": "miagym.embedded.art:source",
    "icons-tune": "miagym.embedded.art:source",
    "icons-unseen": "miagym.embedded.icon_unseen:source",
}
"""Data sets in the package, each with the function (name -> `Source`) that reads it, imported when
it is asked for: `clipart` for `clipart-realistic`, `clipart-tune` for `clipart-overfit`, and
`icons` and `icons-tune` likewise. On `icons-unseen` both sides are the same things, by other hands.
"""

OTHERS = "A parquet file, a CSV, a folder or hf:owner/name works as well."


def load_data(name: str, member_value: MemberValue | None = None) -> Dataset:
    """Loads data by embedded name, file, folder or hub id.

    A table (parquet, CSV, TSV) has columns `image` (encoded bytes, or a path), `member` (true or
    false), and if wanted `caption` or `text`, `group` (never cut by a split) and `part`
    ("calibration" or "test"). A folder has pictures in `members/` and `nonmembers/`, with captions
    beside them as `beside.CaptionsBeside` finds them, or was written by `datasets.save_to_disk`.
    The folder of a model of a population stands for the pictures as they were dealt to it.
    For the hub see `hub.HubName`. Without `part`, a third of the groups calibrates and the rest
    tests.

    Args:
        name: of whatever kind.
        member_value: of data that state their labels in a column, the value of `member` that
            stands for members, where the values do not say it themselves, as 0 does in some.

    Raises:
        UnknownName: if there is no such name or file.
        DataError: if what is there cannot be used.
    """
    return open_source(name, member_value).dataset()


def has_labels(name: str) -> bool:
    """Whether a data set of this name can state its labels in a column, as no folder does."""
    if name in EMBEDDED:
        return False
    path = Path(name)
    if dealt_model(local_folder(name)):
        return False
    return name.startswith(hub.PREFIX) or not path.is_dir() or hub.is_saved(path)


def open_source(name: str, member_value: MemberValue | None = None) -> Source:
    """Opens the labelled rows of the same names, before they are split; they may lack pictures.

    Raises:
        UnknownName: if there is no such name or file.
        DataError: if what is there cannot be used.
    """
    path = Path(name)
    if member_value is not None and not has_labels(name):
        raise DataError(
            f"{option('member_value')} is of a column of labels, and {name} has none: it says by "
            "itself who is a member; leave it out."
        )
    if name in EMBEDDED:
        module, _, function = EMBEDDED[name].partition(":")
        return getattr(import_module(module), function)(name)
    if (dealt := dealt_model(local_folder(name))) is not None:
        return dealt_source(*dealt, name)
    if name.startswith(hub.PREFIX):
        return hub.read_hub(hub.HubName.parse(name), member_value)
    if path.is_dir():
        return hub.read_saved(path, member_value) if hub.is_saved(path) else read_folder(path)
    if path.is_file():
        return read_file(path, member_value)
    if path.suffix or "/" in name:
        known = ", ".join(EMBEDDED)
        raise DataError(f"There is no file or folder {name}; embedded data sets are {known}.")
    raise UnknownName("data set", name, EMBEDDED, OTHERS)


def dealt_source(folder: Path, model: int, name: str) -> Source:
    """The pictures of a population as they were dealt to one of its models.

    Raises:
        DataError: if the deal is broken, or has no such model.
    """
    deal = ModelDeal.read(folder)
    if model >= len(deal):
        raise DataError(f"{folder} was dealt to {len(deal)} models, from 00; there is no {name}.")
    return deal.source(model, open_source(deal.data), name)
