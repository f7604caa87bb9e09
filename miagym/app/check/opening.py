"""The answered example that the page opens on: the checker's own answer, made beforehand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from miagym.app.check.examples import FOLDER, MEMBER, Example, examples, has_examples
from miagym.app.check.service import CheckService, RankScale
from miagym.report.figures.style import rounded

if TYPE_CHECKING:
    from miagym.api.checking.result import Check
    from miagym.app.offers import Offer

KIND = MEMBER
"""Of the example."""


class Opening(NamedTuple):
    """An example, its answer, and the scale on which its score stands."""

    example: Example
    found: Check
    scale: RankScale


def opening(offers: Sequence[Offer]) -> Opening | None:
    """The example of the first model, answered; None for models that have no examples.

    No model is loaded: that takes longer than a visitor looks at an empty page.
    """
    from pydantic import TypeAdapter

    from miagym.api.checking.result import Check
    from miagym.checking.answer import Answer

    file = _file(FOLDER, offers[0].name)
    if not has_examples(offers) or not file.is_file():
        return None
    kept = json.loads(file.read_text(encoding="utf-8"))
    answer = TypeAdapter(Answer).validate_python(kept["answer"])
    target, data, reference, seed = (kept[n] for n in ("target", "data", "reference", "seed"))
    members, nonmembers = (np.array(kept[side]) for side in ("members", "nonmembers"))
    return Opening(
        examples(offers[0].name)[KIND],
        Check(target, data, reference, seed, (answer,), None),
        RankScale(members, nonmembers, answer.alpha),
    )


def write_opening(service: CheckService, target: str, folder: Path = FOLDER) -> None:
    """Checks the example of a model, and keeps the answer."""
    from pydantic import TypeAdapter

    from miagym.checking.answer import Answer

    one = examples(target)[KIND]
    found, scale = service.check(one.file, one.caption, target), service.scale(target, True)
    kept = {
        "target": found.target,
        "data": found.data,
        "reference": found.reference,
        "seed": found.seed,
        "answer": TypeAdapter(Answer).dump_python(found.answers[0], mode="json"),
        "members": rounded(scale.members),
        "nonmembers": rounded(scale.nonmembers),
    }
    text = json.dumps(kept, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    _file(folder, target).write_text(text, encoding="utf-8", newline="\n")


def _file(folder: Path, target: str) -> Path:
    return folder / f"{target}.json"
