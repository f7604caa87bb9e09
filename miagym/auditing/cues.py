"""Single cues by name, such as a word or a JPEG quality, that tell the sides apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from miagym.auditing.views.view import View, normal_scores
from miagym.metrics.measure import measure
from miagym.results import AuditCue

MAX_CUES = 10
MAX_CORRELATION = 0.95
"""Cues that correlate by more than this say the same; the more telling one is named."""


def cue_in_words(cue: AuditCue) -> str:
    """Cue in words: "the caption contains “,”: 91.2 % of members, 3.0 % of non-members"."""
    if cue.kind == "share":
        sides = f"{cue.members:.1%} of members, {cue.nonmembers:.1%} of non-members"
        return f"{cue.cue}: {sides.replace('%', ' %')}"
    return f"{cue.cue}: median {cue.members:.4g} of members, {cue.nonmembers:.4g} of non-members"


@dataclass(frozen=True, eq=False)
class Strengths:
    """Strength of each cue, in standard deviations; positive = more of it among members.

    Args:
        observed: (k,) on the labels as they are.
        strongest: (b,) the largest of all cues, whatever its sign, on each column of labels.
    """

    observed: NDArray[np.float64]
    strongest: NDArray[np.float64]


def strengths(view: View, labels: NDArray[np.bool_]) -> Strengths:
    """Strengths of a view's marks, then of its measures, on labels (n, b) of all rows."""
    member = labels[view.rows]
    spread = member.std(axis=0)
    centred = (member - member.mean(axis=0)) / np.where(spread > 0, spread, 1)
    n = len(view.rows)
    share = view.marks.sum(axis=0) / n
    sums = [view.marks.T @ centred / np.sqrt(share * (1 - share))[:, None]]
    if view.measures:
        scores = normal_scores(np.column_stack(list(view.measures.values())))
        sums.append(((scores - scores.mean(axis=0)) / scores.std(axis=0)).T @ centred)
    all_cues = np.concatenate(sums) / np.sqrt(n)
    return Strengths(all_cues[:, 0], np.abs(all_cues).max(axis=0, initial=0.0))


def telling_cues(
    views: Sequence[View], found: Sequence[Strengths], member: NDArray[np.bool_]
) -> tuple[AuditCue, ...]:
    """The most telling cues of all views, the strongest first, none that repeats another.

    Args:
        views: v views.
        found: the strengths of each.
        member: labels (n,) of all rows.
    """
    strongest = np.max([view.strongest for view in found], axis=0)
    strength = np.concatenate([np.abs(view.observed) for view in found])
    places = [(v, c) for v, one in enumerate(found) for c in range(len(one.observed))]
    named: list[AuditCue] = []
    seen: list[tuple[int, NDArray[np.float64]]] = []
    for place in np.argsort(-strength, kind="stable"):
        number, column = places[place]
        view = views[number]
        values = _values(view, column)
        if any(v == number and _alike(values, other) for v, other in seen):
            continue
        seen.append((number, values))
        p = float(np.mean(strongest >= strength[place]))
        named.append(_cue(view, column, values, member[view.rows], p))
        if len(named) == MAX_CUES:
            break
    return tuple(named)


def _values(view: View, column: int) -> NDArray[np.float64]:
    if column < view.marks.shape[1]:
        return view.marks[:, [column]].toarray().ravel()
    return list(view.measures.values())[column - view.marks.shape[1]]


def _alike(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    return abs(np.corrcoef(one, other)[0, 1]) > MAX_CORRELATION


def _cue(
    view: View,
    column: int,
    values: NDArray[np.float64],
    member: NDArray[np.bool_],
    p: float,
) -> AuditCue:
    marks = view.marks.shape[1]
    is_mark = column < marks
    centre = np.mean if is_mark else np.median
    measured = measure(values, member)
    return AuditCue(
        cue=view.mark_names[column] if is_mark else list(view.measures)[column - marks],
        view=view.name,
        kind="share" if is_mark else "median",
        members=float(centre(values[member])),
        nonmembers=float(centre(values[~member])),
        auc=measured.auc,
        auc_ci=measured.auc_ci,
        p=p,
    )
