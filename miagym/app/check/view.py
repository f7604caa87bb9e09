"""A check as HTML: the verdict, its numbers, what was done, and what it does not mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from miagym.app.check.marks import marks_of
from miagym.app.check.words import plain
from miagym.app.html import downloads, render

if TYPE_CHECKING:
    from miagym.api.checking.result import Check
    from miagym.app.check.examples import Example
    from miagym.app.check.service import RankScale
    from miagym.checking.answer import Answer, SetAnswer

Readout = tuple[str, str, str]
"""Name of a number, the number, and what it is in plain words."""
BEFORE = render("check/before.html")


def refused_html(sentence: str) -> Markup:
    """Why there is no answer, in the place of one: it stays until something is asked again."""
    return render("check/refused.html", sentence=sentence)


def numbered_html(said: str, number: float | None) -> Markup:
    """An answer with the number of its question.

    The same answer again is so another text, which is shown, and announced, again.
    """
    return render("check/numbered.html", said=said, number=int(number or 0))


def verdict_html(
    found: Check,
    pictures: str,
    truth: bool | None = None,
    opening: Example | None = None,
    evidence: bytes | None = None,
) -> Markup:
    """The verdict and its numbers: of the one picture, or of the set.

    Args:
        found: the check.
        pictures: what the model saw, in the plural.
        truth: whether the picture was used; None if nobody knows.
        opening: the example that the page opens on, which is shown beside its answer.
        evidence: a zip to hand on, if it was asked for.
    """
    one, together = found.answers[0], found.together
    return render(
        "check/verdict.html",
        plain=plain(found, pictures),
        truth=truth,
        opening=opening,
        numbers=_numbers(one) if together is None else _set_numbers(together),
        links=evidence_link(evidence),
    )


def evidence_link(evidence: bytes | None) -> Markup:
    """What is clicked for a zip of evidence; nothing where there is none."""
    if evidence is None:
        return Markup("")
    return downloads({"evidence.zip": ("application/zip", evidence)})


def details_html(found: Check, scale: RankScale) -> Markup:
    """What is folded below the figure: the answer in full; of a set, each picture."""
    from miagym.checking.words import sentences, set_sentences
    from miagym.report.tables.check import answers_table, chance_of_alarm

    one = found.answers[0]
    if found.together is None:
        first, *others = sentences(one)
        reading = [] if one.score is None else [reading_of(one.score, scale)]
        return render("check/details.html", sentences=[first, *reading, *others], done=one.done)
    why = marks_of(found).why_not_all
    unmarked = [] if why is None else [why]
    return render(
        "check/set_details.html",
        sentences=[*set_sentences(found.together), *unmarked],
        table=answers_table(found.answers),
        chance=chance_of_alarm(one),
        skipped=list(found.skipped.values()),
    )


def reading_of(score: float, scale: RankScale) -> str:
    """Where a score stands among those of calibration pictures."""
    above = [int((np.asarray(s) >= score).sum()) for s in (scale.members, scale.nonmembers)]
    return (
        f"The score is {score:.2f}. Of {len(scale.members)} calibration members, {above[0]} score "
        f"at least as high; of {len(scale.nonmembers)} non-members, {above[1]}."
    )


def _numbers(answer: Answer) -> list[Readout]:
    """Three numbers; none for a picture that is not judged, of which they would say nothing."""
    from miagym.checking.words import p_text, percent

    p = answer.p_value
    if p is None:
        return []
    return [
        ("p-value", p_text(p), "unused ones that score as high"),
        ("limit", p_text(answer.alpha), "up to it, a picture looks used"),
        ("finds", percent(answer.power.tpr), "of used ones, by this limit"),
    ]


def _set_numbers(together: SetAnswer) -> list[Readout]:
    from miagym.checking.words import p_text

    if together.test is None:
        return []
    return [
        ("p-value", p_text(together.test.p_value), "unused sets that score as high"),
        ("limit", p_text(together.alpha), "up to it, a set looks used"),
        ("compared", str(together.used), "pictures like what the model saw"),
    ]
