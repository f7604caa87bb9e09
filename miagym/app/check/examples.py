"""Pictures to begin with: one that was used, one that was not, and one at the edge, by a rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from miagym.atomic import replacing

if TYPE_CHECKING:
    from miagym.app.check.service import CheckService
    from miagym.app.offers import Offer
    from miagym.data.dataset import Dataset

MEMBER, NONMEMBER, BORDERLINE = "Member", "Non-member", "Borderline"
KINDS = (MEMBER, NONMEMBER, BORDERLINE)
N_DRAWN = 100
_WRITING = Lock()

RULE = (
    f"Examples by a rule, not by hand: of {N_DRAWN} members and {N_DRAWN} non-members drawn from "
    "the test part, the median p-value of each kind, and the smallest p-value above 1 % of either "
    "kind."
)

ROWS = {
    "clipart-overfit": {MEMBER: 116, NONMEMBER: 456, BORDERLINE: 218},
    "clipart-realistic": {MEMBER: 2812, NONMEMBER: 1753, BORDERLINE: 1640},
}
"""What `choose_rows` found, as rows of each target's data."""


@dataclass(frozen=True)
class Example:
    """A picture of the embedded data, as a file, and what is known of it."""

    file: Path
    caption: str
    member: bool


def has_examples(offers: Sequence[Offer]) -> bool:
    """Whether there is a picture of each kind for all of these models."""
    return all(offer.target == offer.name and offer.target in ROWS for offer in offers)


def example(service: CheckService, target: str, kind: str, folder: Path | None = None) -> Example:
    """The example of a kind; its file is the data's own, byte for byte."""
    from miagym.data.dataset import encoded

    data = _data(service, target)
    row = ROWS[target][kind]
    folder = Path(gettempdir()) / "miagym-examples" if folder is None else folder
    file = folder / f"{target}-{row}.webp"
    with _WRITING:
        if not file.is_file():
            with replacing(file) as partial:
                partial.write_bytes(encoded(data.pictures[row]))
    return Example(file, data.captions[row], bool(data.member[row]))


def choose_rows(service: CheckService, target: str) -> dict[str, int]:
    """The rows that `RULE` names; the first in the drawn order wins a tie. Takes a minute.

    Pictures that the guard refuses have no p-value and are passed over.
    """
    from miagym.checking.calibrated import TOGETHER
    from miagym.data.dataset import TEST
    from miagym.metrics.conformal import p_values

    checker = service.checker(target)
    calibrated, data = checker.calibrated(captioned=True), _data(service, target)
    rows = data.rows(TEST, checker.signals.seed, N_DRAWN)
    pictures = data.candidates(rows, checker.signals.target.resolution)
    alike = np.array([calibrated.resemblance(pictures[[i]]).resembles for i in range(len(rows))])
    rows, pictures = rows[alike], pictures[np.flatnonzero(alike)]
    scores = [calibrated.scores(pictures[[i]])[TOGETHER] for i in range(len(rows))]
    p = p_values(scores, calibrated.nonmembers[TOGETHER])
    member = data.member[rows]
    return {
        MEMBER: _median(rows[member], p[member]),
        NONMEMBER: _median(rows[~member], p[~member]),
        BORDERLINE: int(rows[np.argmin(np.where(p > service.scale(target, True).alpha, p, 2.0))]),
    }


def _data(service: CheckService, target: str) -> Dataset:
    from miagym.data.registry import load_data

    return load_data(service.offer(target).data_name)


def _median(rows: np.ndarray, p: np.ndarray) -> int:
    """The row with the lower median p-value."""
    return int(rows[np.argsort(p, kind="stable")[(len(p) - 1) // 2]])
