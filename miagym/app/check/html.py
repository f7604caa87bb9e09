"""Answers as HTML: the verdict, its numbers, what was done, and what it does not mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from miagym.app.check.service import Scale, SetCheck
    from miagym.checking.answer import Answer

BEFORE = (
    '<div class="verdict"><h3>No picture yet</h3><p>Drop one, or choose an example. Most answers '
    "are “cannot tell”: that is what an honest test says where a model gives little away.</p>"
    '</div><p class="small">The score of a picture is compared with those of calibration pictures '
    "whose membership is known. Right of the dashed line lie scores that at most 1 % of pictures "
    "reach that were not used in training.</p>"
)

_READOUT = (
    '<div style="min-width:8.5em"><dt class="small">{}</dt>'
    '<dd style="margin:0;font-size:1.35em;font-weight:600">{}</dd></div>'
)


def answer_html(answer: Answer) -> str:
    """The verdict and its numbers."""
    from miagym.checking.words import p_text, percent, sentences

    headline = sentences(answer)[0]
    p = answer.p_value
    readouts = (
        [] if p is None else [("p-value", p_text(p)), ("false positive rate here", percent(p))]
    )
    readouts += [
        ("rate that the rule allows", percent(answer.alpha)),
        ("members that it finds", percent(answer.power.tpr)),
    ]
    return _verdict(headline) + _readouts(readouts)


def details_html(answer: Answer, scale: Scale) -> str:
    """What stands below the figure, which it also says in words."""
    from miagym.checking.words import sentences

    _, *others = sentences(answer)
    reading = [] if answer.score is None else [reading_of(answer.score, scale)]
    return (
        _paragraphs([*reading, *others])
        + "<h4>What was done to the picture</h4>"
        + _listed(answer.done)
        + _NO_CHANGE
    )


def reading_of(score: float, scale: Scale) -> str:
    """Where a score stands among those of calibration pictures."""
    above = [int((np.asarray(s) >= score).sum()) for s in (scale.members, scale.nonmembers)]
    return (
        f"The score is {score:.2f}. Of {len(scale.members)} calibration members, {above[0]} score "
        f"at least as high; of {len(scale.nonmembers)} non-members, {above[1]}."
    )


def set_html(found: SetCheck) -> str:
    """The verdict about a set, and its numbers."""
    from miagym.checking.words import p_text, percent, set_sentences

    together = found.together
    readouts = [("rate that the rule allows", percent(together.alpha))]
    if together.test is not None:
        readouts = [
            ("p-value of the set", p_text(together.test.p_value)),
            *readouts,
            ("pictures compared", str(together.used)),
        ]
    return _verdict(set_sentences(together)[0]) + _readouts(readouts)


def set_details_html(found: SetCheck) -> str:
    """Each picture of a set, what was left out, and what the answer does not mean."""
    from miagym.checking.words import p_text, percent, set_sentences

    _, *others = set_sentences(found.together)
    rows = "".join(
        f"<tr><td>{escape(answer.name)}</td><td>{escape(answer.verdict)}</td>"
        f"<td>{'' if answer.p_value is None else p_text(answer.p_value)}</td>"
        f"<td>{escape('; '.join(answer.done))}</td></tr>"
        for answer in found.answers
    )
    chance = percent(found.answers[0].power.fpr)
    return (
        _paragraphs(others)
        + '<div style="overflow-x:auto"><table><thead><tr><th>picture</th><th>verdict</th>'
        + f"<th>p</th><th>what was done to it</th></tr></thead><tbody>{rows}</tbody></table></div>"
        + _paragraphs([
            f"By chance alone, {chance} of pictures that were not used are member-like; the set "
            "has an answer of its own."
        ])
        + _skipped(found.skipped)
    )  # fmt: skip


_NO_CHANGE = (
    '<p class="small">Each of these changes the score. Calibration pictures went through the same '
    "steps; a screenshot or a re-compressed copy has been through more.</p>"
)


def _verdict(headline: str) -> str:
    word, mark, rest = headline.partition(": " if ": " in headline[:40] else ". ")
    return (
        f'<div class="verdict" role="status"><h3>{escape(word)}</h3>'
        f"<p>{escape(rest if mark else '')}</p></div>"
    )


def _readouts(readouts: Iterable[tuple[str, str]]) -> str:
    cells = "".join(_READOUT.format(escape(name), escape(value)) for name, value in readouts)
    return f'<dl style="display:flex;flex-wrap:wrap;gap:0.8em 2em;margin:1em 0">{cells}</dl>'


def _paragraphs(sentences: Iterable[str]) -> str:
    return "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)


def _listed(items: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"


def _skipped(skipped: Mapping[str, str]) -> str:
    if not skipped:
        return ""
    return "<h4>Left out</h4>" + _listed(skipped.values())
