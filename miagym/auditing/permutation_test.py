"""Label-permutation test of every view, and the verdict that follows from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from miagym.auditing.cues import Strengths, cue_in_words, strengths, telling_cues
from miagym.auditing.grouping import Groups
from miagym.auditing.result import Audit
from miagym.auditing.ridge import FOLDS, aucs, folds_of, out_of_fold, widened
from miagym.auditing.shift import discrepancies
from miagym.auditing.verdict import REPEATS, TestFinding, audit_verdict, family_p
from miagym.auditing.views.captions import CAPTIONS
from miagym.auditing.views.view import View
from miagym.metrics.groups.shuffles import shuffled_labels
from miagym.metrics.measure import measure
from miagym.results import AuditShift, AuditView

MIN_GROUPS = 2 * FOLDS
"""Groups a side that it takes to learn from some and to score others."""

ALL = "all"
CUES = ("cues", ALL)


@dataclass(frozen=True, eq=False)
class Prediction:
    """Out-of-fold prediction of labels (n, b): first those in question, then shuffles.

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
class ViewResult(Prediction):
    """Prediction, shift and cues of one view.

    Args:
        apart: squared maximum mean discrepancy (b,).
        cues: how telling its single cues are.
    """

    apart: NDArray[np.float64]
    cues: Strengths


def run_permutation_tests(
    found: Audit,
    views: Sequence[View],
    groups: Groups,
    member: NDArray[np.bool_],
    done: Callable[[], None],
) -> Audit:
    """Completes an audit with the permutation tests of all views, and the verdict.

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
        answers.append(_test_view(view, labels, fold, found.seed))
        done()
    others = _repeated_captions(views, groups, labels, found.seed)
    others += [_combined(answers, labels)] if len(views) > 1 else []
    p = family_p(_statistics(answers, others))
    shift = tuple(
        AuditShift(view=a.view, test="mmd", mmd2=float(a.apart[0]), p=p["shift", a.view])
        for a in answers
    )
    named = telling_cues(views, [answer.cues for answer in answers], member)
    blind = tuple(_blind_row(a, member, p) for a in (*answers, *others))
    findings = [TestFinding(f"one cue tells: {cue_in_words(cue)}", p[CUES]) for cue in named[:1]]
    findings += [TestFinding(f"the {one.view} of the two sides lie apart", one.p) for one in shift]
    sides = found.n_members, found.n_nonmembers
    verdict, why = audit_verdict(blind, findings, sides, found.among)
    guesses = [*answers, *(answer for answer in others if answer.view != ALL)]
    scores = np.column_stack([answer.scores[:, 0] for answer in guesses])
    return replace(
        found, verdict=verdict, why=why, blind=blind, shift=shift, cues=named, scores=scores
    )


def _predict(
    view: View, labels: NDArray[np.bool_], fold: NDArray[np.intp], name: str
) -> Prediction:
    own = labels[view.rows]
    scores = np.zeros(labels.shape, dtype=np.float32)
    scores[view.rows] = out_of_fold(view.features, own, fold[view.rows], view.penalty)
    return Prediction(name, view.rows, scores, aucs(scores[view.rows], own))


def _test_view(
    view: View, labels: NDArray[np.bool_], fold: NDArray[np.intp], seed: int
) -> ViewResult:
    guess = _predict(view, labels, fold, view.name)
    apart = discrepancies(view.features, labels[view.rows], seed)
    return ViewResult(**vars(guess), apart=apart, cues=strengths(view, labels))


def _repeated_captions(
    views: Sequence[View], groups: Groups, labels: NDArray[np.bool_], seed: int
) -> list[Prediction]:
    """Predictions from captions that repeat, where rows of the same words may teach each other."""
    if not groups.repeat:
        return []
    fold = folds_of(groups.dealt, seed)
    return [_predict(view, labels, fold, REPEATS) for view in views if view.name == CAPTIONS]


def _combined(answers: Sequence[ViewResult], labels: NDArray[np.bool_]) -> Prediction:
    total = reduce(np.add, (answer.scores for answer in answers))
    return Prediction(ALL, np.arange(len(labels)), total, aucs(total, labels))


def _statistics(
    answers: Sequence[ViewResult], others: Sequence[Prediction]
) -> dict[tuple[str, str], NDArray[np.float64]]:
    """Each test on each column of labels (b,): of every guess, of every view, of single cues."""
    statistics = {("blind", answer.view): answer.aucs for answer in (*answers, *others)}
    statistics |= {("shift", answer.view): answer.apart for answer in answers}
    statistics[CUES] = np.max([answer.cues.strongest for answer in answers], axis=0)
    return statistics


def _blind_row(
    answer: Prediction, member: NDArray[np.bool_], p: Mapping[tuple[str, str], float]
) -> AuditView:
    metrics = measure(answer.scores[answer.rows, 0], member[answer.rows])
    sides = metrics.n_members, metrics.n_nonmembers
    metrics = replace(metrics, auc_ci=widened(metrics.auc_ci, answer.aucs, sides))
    return AuditView(view=answer.view, p=p["blind", answer.view], **metrics.as_row())


def _both_sides(member: NDArray[np.bool_]) -> bool:
    """Whether a view covers enough rows of both sides to learn from some and to score others."""
    return min(member.sum(), (~member).sum()) >= MIN_GROUPS
