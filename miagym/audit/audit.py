"""The audit: does anything but the model tell members from non-members?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from miagym.audit.blind import FOLDS, aucs, folds_of, out_of_fold, widened
from miagym.audit.captions import caption_view
from miagym.audit.cues import Cue, strengths, telling_cues, told_cue
from miagym.audit.duplicates import EXAMPLES, Duplicates, caption_groups, count_duplicates, linked
from miagym.audit.pictures import Pictures, look_at
from miagym.audit.shift import discrepancies
from miagym.audit.shuffles import shuffled_labels
from miagym.audit.subject import Subject
from miagym.audit.verdict import BlindRow, Finding, Verdict, family_p, judge
from miagym.audit.views import View, tabular
from miagym.data.dataset import Dataset
from miagym.data.duplicates import duplicate_groups
from miagym.errors import DataError
from miagym.evaluation.metrics import measure

LIMIT = 20_000
"""Rows of each side that are looked at, unless the caller says otherwise."""

FEWEST_GROUPS = 2 * FOLDS
"""Groups a side that it takes to learn from some and to score others."""

ALL = "all"

Progress = Callable[[str, int], Callable[[], None]]
"""Called with a label and a number of steps; what it returns is called after each step."""


def silent(label: str, steps: int) -> Callable[[], None]:
    """A progress that shows nothing."""
    del label, steps
    return lambda: None


@dataclass(frozen=True)
class Shift:
    """Whether a view's two sides lie apart as a whole."""

    view: str
    mmd2: float
    """Squared maximum mean discrepancy; about 0 where both sides are drawn alike."""
    p: float
    """How often any test of the audit is as extreme in a fair split."""

    def as_row(self) -> dict[str, Any]:
        return {"view": self.view, "test": "mmd", "mmd2": self.mmd2, "p": self.p}


@dataclass(frozen=True)
class Unreadable:
    """Pictures that were skipped: how many of each side, and the first few by name."""

    members: int = 0
    nonmembers: int = 0
    examples: tuple[str, ...] = ()

    def as_row(self) -> dict[str, Any]:
        return {
            "members": self.members,
            "nonmembers": self.nonmembers,
            "examples": list(self.examples),
        }


@dataclass(frozen=True, eq=False)
class Audit:
    """What was found, and what it comes to.

    `as_json` gives the keys of `miagym audit --json`; docs/audit.md says how to read them.
    """

    data: str
    verdict: Verdict
    why: str
    n_members: int
    n_nonmembers: int
    seed: int
    blind: tuple[BlindRow, ...] = ()
    shift: tuple[Shift, ...] = ()
    cues: tuple[Cue, ...] = ()
    duplicates: tuple[Duplicates, ...] = ()
    unreadable: Unreadable = Unreadable()
    rows: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, np.intp), repr=False)
    """Rows that were looked at (n,): positions in what was given."""
    scores: NDArray[np.float32] = field(
        default_factory=lambda: np.empty((0, 0), np.float32), repr=False
    )
    """How much each row looks like a member to each view (n, views), out of fold."""

    def as_json(self) -> dict[str, Any]:
        return {
            "schema": 1,
            "data": self.data,
            "verdict": self.verdict.value,
            "why": self.why,
            "n_members": self.n_members,
            "n_nonmembers": self.n_nonmembers,
            "blind": [row.as_row() for row in self.blind],
            "shift": [row.as_row() for row in self.shift],
            "cues": [row.as_row() for row in self.cues],
            "duplicates": [row.as_row() for row in self.duplicates],
            "unreadable": self.unreadable.as_row(),
            "seed": self.seed,
        }


def audit_dataset(
    data: Dataset,
    seed: int = 0,
    limit: int = LIMIT,
    rows: NDArray[np.integer] | None = None,
    progress: Progress = silent,
) -> Audit:
    """Audits a data set, or some rows of it: its test part, say."""
    subject = Subject.of(data)
    return audit(subject if rows is None else subject.take(rows), seed, limit, progress)


def audit_captions(
    captions: Sequence[str],
    member: NDArray[np.bool_],
    groups: NDArray[np.integer] | None = None,
    seed: int = 0,
    limit: int = LIMIT,
) -> Audit:
    """Audits n captions with labels (n,); a fair split keeps rows of a group (n,) together."""
    return audit(Subject("captions", member, tuple(captions), groups=groups), seed, limit)


def audit(
    subject: Subject, seed: int = 0, limit: int = LIMIT, progress: Progress = silent
) -> Audit:
    """Looks at rows with every view, and says whether the split is fair.

    Args:
        subject: what is audited.
        seed: of the rows that are drawn, of folds and of shuffles.
        limit: most rows of each side to look at.
        progress: shows how far it is.

    Raises:
        DataError: if there is nothing to look at.
    """
    rows = subject.drawn(limit, seed)
    subject = subject.take(rows)
    pictures = None
    if subject.pictures is not None:
        pictures = look_at(subject.pictures, progress("looking at pictures", len(subject)))
    return audit_seen(subject, pictures, seed, progress, rows)


def audit_seen(
    subject: Subject,
    pictures: Pictures | None,
    seed: int = 0,
    progress: Progress = silent,
    rows: NDArray[np.intp] | None = None,
) -> Audit:
    """The same for rows whose pictures, if they have any, were looked at before.

    Args:
        subject: all n rows are audited.
        pictures: what its pictures show.
        seed: of folds and shuffles.
        progress: shows how far it is.
        rows: what the n rows are called (n,), if not 0 to n - 1.
    """
    rows = np.arange(len(subject)) if rows is None else rows
    views = _views(subject, pictures)
    alike = _alike(subject, pictures)
    groups = linked(list(alike.values()), subject.groups, len(subject))
    found = Audit(
        subject.name,
        Verdict.TOO_SMALL,
        "",
        n_members=int(subject.member.sum()),
        n_nonmembers=int((~subject.member).sum()),
        seed=seed,
        duplicates=tuple(count_duplicates(of, g, subject.member, rows) for of, g in alike.items()),
        unreadable=_unreadable(subject, pictures, rows),
        rows=rows,
    )
    fewest = min(len(np.unique(groups[side])) for side in (subject.member, ~subject.member))
    if fewest < FEWEST_GROUPS:
        why = (
            f"One side has {fewest} rows that are not copies of each other; an audit takes "
            f"{FEWEST_GROUPS} to say anything."
        )
        return replace(found, why=why)
    return _judged(found, views, groups, subject.member, progress)


def _judged(
    found: Audit,
    views: Sequence[View],
    groups: NDArray[np.integer],
    member: NDArray[np.bool_],
    progress: Progress,
) -> Audit:
    """The same with all tests, on labels as they are and shuffled."""
    seed = found.seed
    labels = shuffled_labels(member, groups, seed)
    fold = folds_of(groups, seed)
    views = [view for view in views if _both_sides(member[view.rows])]
    done = progress("asking each view", len(views))
    statistics: dict[tuple[str, str], NDArray[np.float64]] = {}
    scores: dict[str, NDArray[np.float32]] = {}
    cues = []
    for view in views:
        own = labels[view.rows]
        of_view = out_of_fold(view.features, own, fold[view.rows])
        statistics["blind", view.name] = aucs(of_view, own)
        scores[view.name] = np.zeros(labels.shape, dtype=np.float32)
        scores[view.name][view.rows] = of_view
        statistics["shift", view.name] = discrepancies(view.features, own, seed)
        cues.append(strengths(view, labels))
        done()
    covered = {view.name: view.rows for view in views}
    if len(views) > 1:
        scores[ALL] = np.sum(list(scores.values()), axis=0)
        statistics["blind", ALL] = aucs(scores[ALL], labels)
        covered[ALL] = np.arange(len(member))
    statistics["cues", ALL] = np.max([one.strongest for one in cues], axis=0)
    p = family_p(statistics)
    blind = tuple(
        _blind_row(name, scores[name][seen, 0], member[seen], statistics["blind", name], p)
        for name, seen in covered.items()
    )
    shift = tuple(
        Shift(v.name, float(statistics["shift", v.name][0]), p["shift", v.name]) for v in views
    )
    named = telling_cues(views, cues, member)
    others = [Finding(f"one cue tells: {told_cue(cue)}", p["cues", ALL]) for cue in named[:1]]
    others += [Finding(f"the {s.view} of the two sides lie apart", s.p) for s in shift]
    verdict, why = judge(blind, others, (found.n_members, found.n_nonmembers))
    looks = np.column_stack([scores[view.name][:, 0] for view in views])
    return replace(
        found, verdict=verdict, why=why, blind=blind, shift=shift, cues=named, scores=looks
    )


def _blind_row(
    view: str,
    scores: NDArray[np.float32],
    member: NDArray[np.bool_],
    values: NDArray[np.float64],
    p: Mapping[tuple[str, str], float],
) -> BlindRow:
    """The row of a view from its scores (r,), and its AUCs (b,) on labels and shuffles of them."""
    metrics = measure(scores, member)
    sides = metrics.n_members, metrics.n_nonmembers
    metrics = replace(metrics, auc_ci=widened(metrics.auc_ci, values, sides))
    return BlindRow(view, metrics, p["blind", view])


def _views(subject: Subject, pictures: Pictures | None) -> list[View]:
    """What there is to see."""
    views = [] if subject.captions is None else [caption_view(subject.captions)]
    if pictures:
        views += pictures.views()
    if subject.embeddings is not None:
        columns = {f"embedding {i}": c for i, c in enumerate(subject.embeddings.T.astype(float))}
        views.append(tabular("embeddings", np.arange(len(subject)), columns, {}))
    seen = [view for view in views if view]
    if not seen:
        raise DataError(f"{subject.name}: all rows look the same, so there is nothing to audit.")
    return seen


def _alike(subject: Subject, pictures: Pictures | None) -> dict[str, NDArray[np.integer]]:
    """Groups of near-duplicates (n,), by what is alike; a picture that is not seen is alone."""
    alike: dict[str, NDArray[np.integer]] = {}
    if pictures is not None and len(pictures.readable):
        hashes = np.array([look.hash for look in pictures.looks if look], dtype=np.uint64)
        groups = np.arange(len(subject)) + len(subject)
        groups[pictures.readable] = duplicate_groups(hashes)
        alike["pictures"] = groups
    if subject.captions is not None:
        alike["captions"] = caption_groups(subject.captions)
    return alike


def _unreadable(subject: Subject, pictures: Pictures | None, rows: NDArray[np.intp]) -> Unreadable:
    if pictures is None or not pictures.broken:
        return Unreadable()
    of_members = int(subject.member[list(pictures.broken)].sum())
    listed = [f"row {rows[row]}: {why}" for row, why in pictures.broken.items()]
    return Unreadable(of_members, len(listed) - of_members, tuple(listed[:EXAMPLES]))


def _both_sides(member: NDArray[np.bool_]) -> bool:
    """Whether a view covers enough rows of both sides to learn from some and to score others."""
    return min(member.sum(), (~member).sum()) >= FEWEST_GROUPS
