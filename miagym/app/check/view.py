"""A check as HTML: the verdict, its numbers, what was done, and what it does not mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from miagym.app.check.marks import marks_of
from miagym.app.html import render

if TYPE_CHECKING:
    from miagym.api.checking.result import Check
    from miagym.app.check.service import Scale
    from miagym.checking.answer import Answer, SetAnswer

BEFORE = render("check/before.html")


def refused_html(sentence: str) -> Markup:
    """Why there is no answer, in the place of one: it stays until something is asked again."""
    return render("check/refused.html", sentence=sentence)


def verdict_html(found: Check) -> Markup:
    """The verdict and its numbers: of the one picture, or of the set."""
    from miagym.checking.words import sentences, set_sentences

    one, together = found.answers[0], found.together
    if together is None:
        headline, numbers = sentences(one)[0], _numbers(one)
    else:
        headline, numbers = set_sentences(together)[0], _set_numbers(together)
    word, mark, rest = headline.partition(": " if ": " in headline[:40] else ". ")
    return render("check/verdict.html", word=word, rest=rest if mark else "", numbers=numbers)


def details_html(found: Check, scale: Scale) -> Markup:
    """What stands below the figure, which it also says in words; of a set, each picture."""
    from miagym.checking.words import p_text, percent, sentences, set_sentences

    one = found.answers[0]
    if found.together is None:
        reading = [] if one.score is None else [reading_of(one.score, scale)]
        said = [*reading, *sentences(one)[1:]]
        return render("check/details.html", sentences=said, done=one.done)
    rows = [
        (a.name, a.verdict, "" if a.p_value is None else p_text(a.p_value), "; ".join(a.done))
        for a in found.answers
    ]
    why = marks_of(found).why_not_all
    unmarked = [] if why is None else [why]
    return render(
        "check/set_details.html",
        sentences=[*set_sentences(found.together)[1:], *unmarked],
        rows=rows,
        chance=percent(one.power.fpr),
        skipped=list(found.skipped.values()),
    )


def reading_of(score: float, scale: Scale) -> str:
    """Where a score stands among those of calibration pictures."""
    above = [int((np.asarray(s) >= score).sum()) for s in (scale.members, scale.nonmembers)]
    return (
        f"The score is {score:.2f}. Of {len(scale.members)} calibration members, {above[0]} score "
        f"at least as high; of {len(scale.nonmembers)} non-members, {above[1]}."
    )


def _numbers(answer: Answer) -> list[tuple[str, str]]:
    from miagym.checking.words import p_text, percent

    p = answer.p_value
    found = [] if p is None else [("p-value", p_text(p)), ("false positive rate here", percent(p))]
    return [
        *found,
        ("rate that the rule allows", percent(answer.alpha)),
        ("members that it finds", percent(answer.power.tpr)),
    ]


def _set_numbers(together: SetAnswer) -> list[tuple[str, str]]:
    from miagym.checking.words import p_text, percent

    allowed = ("rate that the rule allows", percent(together.alpha))
    if together.test is None:
        return [allowed]
    p_value = ("p-value of the set", p_text(together.test.p_value))
    return [p_value, allowed, ("pictures compared", str(together.used))]
