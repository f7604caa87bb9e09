"""Asking every view, on labels as they are and on shuffles of them, and what it comes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from miagym.auditing.blind import FOLDS, aucs, folds_of, out_of_fold, widened
from miagym.auditing.cues import Strengths, strengths, telling_cues, told_cue
from miagym.auditing.grouping import Groups
from miagym.auditing.result import Audit, Shift
from miagym.auditing.shift import discrepancies
from miagym.auditing.shuffles import shuffled_labels
from miagym.auditing.verdict import REPEATS, BlindRow, Finding, family_p, judge
from miagym.auditing.views.captions import CAPTIONS
from miagym.auditing.views.view import View
from miagym.metrics.measure import measure

FEWEST_GROUPS = 2 * FOLDS
"""Groups a side that it takes to learn from some and to score others."""

ALL = "all"
CUES = ("cues", ALL)


@dataclass(frozen=True, eq=False)
class Answer:
    """How labels (n, b) are guessed: those in question in the first column, then shuffles.

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


@dataclass(frozen=True, eq=False)
class Seen(Answer):
    """What one view says beyond a guess.

    Args:
        apart: squared maximum mean discrepancy (b,).
        cues: how telling its single cues are.
    """

    apart: NDArray[np.float64]
    cues: Strengths


def ask_views(
    found: Audit,
    views: Sequence[View],
    groups: Groups,
    member: NDArray[np.bool_],
    done: Callable[[], None],
) -> Audit:
    """What was found so far, with all tests and the verdict.

    Args:
        found: names, counts and the seed.
        views: what there is to see of n rows.
        groups: which of them belong together.
        member: labels (n,).
        done: called after each view.
    """
    labels = shuffled_labels(member, groups.dealt, found.seed)
    fold = folds_of(groups.learned, found.seed)
    views = [view for view in views if _both_sides(member[view.rows])]
    answers = []
    for view in views:
        answers.append(_ask(view, labels, fold, found.seed))
        done()
    others = _by_heart(views, groups, labels, found.seed)
    others += [_together(answers, labels)] if len(views) > 1 else []
    p = family_p(_statistics(answers, others))
    shift = tuple(Shift(a.view, float(a.apart[0]), p["shift", a.view]) for a in answers)
    named = telling_cues(views, [answer.cues for answer in answers], member)
    blind = tuple(_blind_row(a, member, p) for a in (*answers, *others))
    findings = [Finding(f"one cue tells: {told_cue(cue)}", p[CUES]) for cue in named[:1]]
    findings += [Finding(f"the {one.view} of the two sides lie apart", one.p) for one in shift]
    verdict, why = judge(blind, findings, (found.n_members, found.n_nonmembers))
    guesses = [*answers, *(answer for answer in others if answer.view != ALL)]
    scores = np.column_stack([answer.scores[:, 0] for answer in guesses])
    return replace(
        found, verdict=verdict, why=why, blind=blind, shift=shift, cues=named, scores=scores
    )


def _guess(view: View, labels: NDArray[np.bool_], fold: NDArray[np.intp], name: str) -> Answer:
    own = labels[view.rows]
    scores = np.zeros(labels.shape, dtype=np.float32)
    scores[view.rows] = out_of_fold(view.features, own, fold[view.rows], view.penalty)
    return Answer(name, view.rows, scores, aucs(scores[view.rows], own))


def _ask(view: View, labels: NDArray[np.bool_], fold: NDArray[np.intp], seed: int) -> Seen:
    guess = _guess(view, labels, fold, view.name)
    apart = discrepancies(view.features, labels[view.rows], seed)
    return Seen(**vars(guess), apart=apart, cues=strengths(view, labels))


def _by_heart(
    views: Sequence[View], groups: Groups, labels: NDArray[np.bool_], seed: int
) -> list[Answer]:
    """The captions once more, if they repeat: rows of the same words may teach each other."""
    if not groups.repeat:
        return []
    fold = folds_of(groups.dealt, seed)
    return [_guess(view, labels, fold, REPEATS) for view in views if view.name == CAPTIONS]


def _together(answers: Sequence[Seen], labels: NDArray[np.bool_]) -> Answer:
    total = reduce(np.add, (answer.scores for answer in answers))
    return Answer(ALL, np.arange(len(labels)), total, aucs(total, labels))


def _statistics(
    answers: Sequence[Seen], others: Sequence[Answer]
) -> dict[tuple[str, str], NDArray[np.float64]]:
    """Each test on each column of labels (b,): of every guess, of every view, of single cues."""
    statistics = {("blind", answer.view): answer.aucs for answer in (*answers, *others)}
    statistics |= {("shift", answer.view): answer.apart for answer in answers}
    statistics[CUES] = np.max([answer.cues.strongest for answer in answers], axis=0)
    return statistics


def _blind_row(
    answer: Answer, member: NDArray[np.bool_], p: Mapping[tuple[str, str], float]
) -> BlindRow:
    metrics = measure(answer.scores[answer.rows, 0], member[answer.rows])
    sides = metrics.n_members, metrics.n_nonmembers
    metrics = replace(metrics, auc_ci=widened(metrics.auc_ci, answer.aucs, sides))
    return BlindRow(answer.view, metrics, p["blind", answer.view])


def _both_sides(member: NDArray[np.bool_]) -> bool:
    """Whether a view covers enough rows of both sides to learn from some and to score others."""
    return min(member.sum(), (~member).sum()) >= FEWEST_GROUPS
