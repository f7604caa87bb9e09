"""A check in plain words, of which each kind of answer has its own mark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from miagym.checking.answer import Verdict

if TYPE_CHECKING:
    from miagym.api.checking.result import Check
    from miagym.checking.answer import Answer, SetAnswer

MARKS = {
    Verdict.MEMBER_LIKE: "used",
    Verdict.CANNOT_TELL: "unsure",
    Verdict.NOT_COMPARABLE: "apart",
}
"""Names of marks and colours, in `static/css/verdict.css` and `templates/parts.html`."""
NEARLY_ALL = 0.95
_APART = {"drawings": "Photos and screenshots cannot be judged here."}


@dataclass(frozen=True)
class Plain:
    """A verdict as the page says it.

    Args:
        mark: one of `MARKS`.
        heading: in two or three words.
        text: what it means, in a sentence or two.
    """

    mark: str
    heading: str
    text: str


def plain(found: Check, pictures: str) -> Plain:
    """The verdict about the one picture, or about the set.

    Args:
        found: the check.
        pictures: what the model saw, in the plural: "drawings".
    """
    if found.together is None:
        return _of_one(found.answers[0], pictures)
    return _of_set(found.together, pictures)


def odds(p: float) -> str:
    """A share as people count: 1 in 30, 7 in 10."""
    if p >= NEARLY_ALL:
        return "nearly all"
    if p > 0.4:
        return f"{round(10 * p)} in 10"
    return f"1 in {float(f'{1 / p:.2g}'):,.0f}"


def _of_one(answer: Answer, pictures: str) -> Plain:
    mark, p = MARKS[answer.verdict], answer.p_value
    if answer.verdict is Verdict.NOT_COMPARABLE or p is None:
        what = f"This does not look like the {pictures} that the model saw"
        return Plain(
            mark,
            "Not judged",
            f"{what}, so its score would mean nothing. {_APART.get(pictures, '')}".strip(),
        )
    if answer.verdict is Verdict.MEMBER_LIKE:
        text = f"About {odds(p)} unused {pictures} would score this high."
        return Plain(mark, "Looks used", text)
    if answer.p_smallest > answer.alpha:
        text = "There are too few calibration pictures for any picture to look used."
        return Plain(mark, "Cannot tell", text)
    return Plain(
        mark,
        "Cannot tell",
        f"The usual answer. About {odds(p)} unused {pictures} score this high; that does not mean "
        "that this one is unused.",
    )


def _of_set(together: SetAnswer, pictures: str) -> Plain:
    mark, test = MARKS[together.verdict], together.test
    if test is None:
        return Plain(
            mark,
            "Set not judged",
            f"Too few different pictures look like the {pictures} that the model saw.",
        )
    sets = f"{odds(test.p_value)} sets of as many unused {pictures}"
    if together.verdict is Verdict.MEMBER_LIKE:
        return Plain(mark, "The set looks used", f"About {sets} would score this high.")
    return Plain(
        mark,
        "Cannot tell about the set",
        f"The usual answer. About {sets} score this high; that does not mean that none was used.",
    )
