"""Pictures to begin with: one that was used, one that was not, and one at the edge, by a rule."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from miagym.app.check.service import CheckService
    from miagym.app.offers import Offer
    from miagym.data.dataset import Dataset

MEMBER, NONMEMBER, BORDERLINE = "Member", "Non-member", "Borderline"
KINDS = (MEMBER, NONMEMBER, BORDERLINE)
LABELS = {MEMBER: "was used", NONMEMBER: "was not used", BORDERLINE: "at the edge"}
"""How the page calls them."""
N_DRAWN = 100
FOLDER = Path(str(files("miagym").joinpath("assets/examples")))
INDEX = "examples.json"
"""In `FOLDER`: by model and kind, row, caption and truth of each example."""

RULE = (
    f"Chosen by a rule, not by hand: of {N_DRAWN} used and {N_DRAWN} unused drawings drawn by lot, "
    "the median p-value of each kind, and the smallest p-value above 1 %."
)

ROWS = {
    "clipart-overfit": {MEMBER: 116, NONMEMBER: 456, BORDERLINE: 218},
    "clipart-realistic": {MEMBER: 2812, NONMEMBER: 1753, BORDERLINE: 1640},
}
"""What `RULE` chose, as rows of each target's data."""


@dataclass(frozen=True)
class Example:
    """A picture of the embedded data, as a file, and what is known of it."""

    file: Path
    caption: str
    member: bool

    @property
    def uri(self) -> str:
        """The picture in an address of its own, so that no file of the server is asked for."""
        return "data:image/webp;base64," + base64.b64encode(self.file.read_bytes()).decode()

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.file.read_bytes()).hexdigest()


def has_examples(offers: Sequence[Offer]) -> bool:
    """Whether these are the embedded models, of which there is a picture of each kind."""
    return all(offer.target == offer.name and offer.target in ROWS for offer in offers)


@cache
def examples(target: str) -> dict[str, Example]:
    """The examples of a model by kind; files of the package, the data's own byte for byte."""
    known = json.loads((FOLDER / INDEX).read_text(encoding="utf-8"))[target]
    return {
        kind: Example(_file(FOLDER, target, one["row"]), one["caption"], one["member"])
        for kind, one in known.items()
    }


def truth_of(picture: Path, target: str) -> bool | None:
    """Whether a file was used to train a model, if it is an example of that model."""
    if target not in ROWS:
        return None
    digest = hashlib.sha256(picture.read_bytes()).hexdigest()
    found = [one.member for one in examples(target).values() if one.sha256 == digest]
    return found[0] if found else None


def write_examples(service: CheckService, folder: Path = FOLDER) -> None:
    """Writes the files of all examples, and what is known of them."""
    from miagym.data.dataset import encoded

    folder.mkdir(parents=True, exist_ok=True)
    index: dict[str, dict[str, Any]] = {}
    for target, rows in ROWS.items():
        data = _data(service, target)
        for kind, row in rows.items():
            _file(folder, target, row).write_bytes(encoded(data.pictures[row]))
            about = {"row": row, "caption": data.captions[row], "member": bool(data.member[row])}
            index.setdefault(target, {})[kind] = about
    text = json.dumps(index, indent=2, ensure_ascii=False) + "\n"
    (folder / INDEX).write_text(text, encoding="utf-8", newline="\n")


def _file(folder: Path, target: str, row: int) -> Path:
    return folder / f"{target}-{row}.webp"


def _data(service: CheckService, target: str) -> Dataset:
    from miagym.data.registry import load_data

    return load_data(service.offer(target).data_name)
