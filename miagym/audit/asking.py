"""Asking every view, on labels as they are and on shuffles of them, and what it comes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from miagym.audit.blind import FOLDS, aucs, folds_of, out_of_fold, widened
from miagym.audit.cues import Strengths, strengths, telling_cues, told_cue
from miagym.audit.result import Audit, Shift
from miagym.audit.shift import discrepancies
from miagym.audit.shuffles import shuffled_labels
from miagym.audit.verdict import BlindRow, Finding, family_p, judge
from miagym.audit.views import View
from miagym.evaluation.metrics import measure

FEWEST_GROUPS = 2 * FOLDS
"""Groups a side that it takes to learn from some and to score others."""

ALL = "all"


@dataclass(frozen=True, eq=False)
class Answers:
    """What one view says of labels (n, b): those in question in the first column, then shuffles.

    Args:
        view: its name.
        rows: the r rows that it covers.
        scores: (n, b), out of fold; 0 where it sees nothing.
        aucs: (b,) on the rows that it covers.
    """

    view: str
    rows: NDArray[np.intp]
    scores: NDArray[np.float32]
    aucs: NDArray[np.float64]


def ask_views(
    found: Audit,
    views: Sequence[View],
    groups: NDArray[np.integer],
    member: NDArray[np.bool_],
    done: Callable[[], None],
) -> Audit:
    """What was found so far, with all tests and the verdict.

    Args:
        found: names, counts and the seed.
        views: what there is to see of n rows.
        groups: which of them belong together (n,).
        member: labels (n,).
        done: called after each view.
    """
    labels = shuffled_labels(member, groups, found.seed)
    fold = folds_of(groups, found.seed)
    views = [view for view in views if _both_sides(member[view.rows])]
    answers: list[Answers] = []
    shifts: list[NDArray[np.float64]] = []
    cues: list[Strengths] = []
    for view in views:
        answers.append(_ask(view, labels, fold))
        shifts.append(discrepancies(view.features, labels[view.rows], found.seed))
        cues.append(strengths(view, labels))
        done()
    looks = np.column_stack([answer.scores[:, 0] for answer in answers])
    if len(views) > 1:
        total = np.sum([answer.scores for answer in answers], axis=0)
        answers.append(Answers(ALL, np.arange(len(member)), total, aucs(total, labels)))
    p = family_p(
        {("blind", answer.view): answer.aucs for answer in answers}
        | {("shift", view.name): shift for view, shift in zip(views, shifts, strict=True)}
        | {("cues", ALL): np.max([one.strongest for one in cues], axis=0)}
    )
    named = telling_cues(views, cues, member)
    others = [Finding(f"one cue tells: {told_cue(cue)}", p["cues", ALL]) for cue in named[:1]]
    others += [
        Finding(f"the {view.name} of the two sides lie apart", p["shift", view.name])
        for view in views
    ]
    blind = tuple(_blind_row(answer, member, p) for answer in answers)
    verdict, why = judge(blind, others, (found.n_members, found.n_nonmembers))
    return replace(
        found,
        verdict=verdict,
        why=why,
        blind=blind,
        shift=tuple(
            Shift(view.name, float(shift[0]), p["shift", view.name])
            for view, shift in zip(views, shifts, strict=True)
        ),
        cues=named,
        scores=looks,
    )


def _ask(view: View, labels: NDArray[np.bool_], fold: NDArray[np.intp]) -> Answers:
    seen = labels[view.rows]
    scores = np.zeros(labels.shape, dtype=np.float32)
    scores[view.rows] = out_of_fold(view.features, seen, fold[view.rows])
    return Answers(view.name, view.rows, scores, aucs(scores[view.rows], seen))


def _blind_row(
    answer: Answers, member: NDArray[np.bool_], p: Mapping[tuple[str, str], float]
) -> BlindRow:
    metrics = measure(answer.scores[answer.rows, 0], member[answer.rows])
    sides = metrics.n_members, metrics.n_nonmembers
    metrics = replace(metrics, auc_ci=widened(metrics.auc_ci, answer.aucs, sides))
    return BlindRow(answer.view, metrics, p["blind", answer.view])


def _both_sides(member: NDArray[np.bool_]) -> bool:
    """Whether a view covers enough rows of both sides to learn from some and to score others."""
    return min(member.sum(), (~member).sum()) >= FEWEST_GROUPS
