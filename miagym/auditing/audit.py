"""Running an audit on a data set, on captions, or on anything else with labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from miagym.auditing.data_source import AuditData
from miagym.auditing.duplicates import MAX_EXAMPLES, caption_groups, count_duplicates, linked
from miagym.auditing.grouping import Groups
from miagym.auditing.permutation_test import MIN_GROUPS, run_permutation_tests
from miagym.auditing.result import NONE_UNREADABLE, Audit
from miagym.auditing.verdict import AuditVerdict
from miagym.auditing.views.captions import CAPTIONS, caption_view
from miagym.auditing.views.pictures import InspectedPictures, inspect_pictures
from miagym.auditing.views.view import View, tabular
from miagym.data.dataset import Dataset
from miagym.data.duplicates import duplicate_groups
from miagym.errors import DataError
from miagym.progress import Progress, silent
from miagym.results import AuditUnreadable, Sample

MAX_ROWS = 20_000
"""Rows of each side that are looked at, unless the caller says otherwise."""


def audit_dataset(
    data: Dataset,
    seed: int = 0,
    limit: int = MAX_ROWS,
    rows: NDArray[np.integer] | None = None,
    progress: Progress = silent,
    among: int = 1,
) -> Audit:
    """Audits a data set, or some rows of it: its test part, say; `among` so many data sets."""
    source = AuditData.of(data)
    return audit(source if rows is None else source.take(rows), seed, limit, progress, among)


def audit_captions(
    captions: Sequence[str],
    member: NDArray[np.bool_],
    groups: NDArray[np.integer] | None = None,
    seed: int = 0,
    limit: int = MAX_ROWS,
) -> Audit:
    """Audits n captions with labels (n,); a fair split keeps rows of a group (n,) together."""
    return audit(AuditData("captions", member, tuple(captions), groups=groups), seed, limit)


def audit(
    source: AuditData,
    seed: int = 0,
    limit: int = MAX_ROWS,
    progress: Progress = silent,
    among: int = 1,
) -> Audit:
    """Audits labelled rows with every view, and says whether the split is fair.

    Args:
        source: what is audited.
        seed: of the rows that are drawn, of folds and of shuffles.
        limit: most rows of each side to look at.
        progress: shows how far it is.
        among: how many data sets are audited together; their false alarms are shared.

    Raises:
        DataError: if there is nothing to look at.
    """
    rows = source.drawn(limit, seed)
    drawn = Sample.of(source.member[rows], source.member)
    source = source.take(rows)
    pictures = None
    if source.pictures is not None:
        pictures = inspect_pictures(source.pictures, progress("looking at pictures", len(source)))
    found = audit_inspected(source, pictures, seed, progress, rows, among)
    return replace(found, drawn=drawn)


def audit_inspected(
    source: AuditData,
    pictures: InspectedPictures | None,
    seed: int = 0,
    progress: Progress = silent,
    rows: NDArray[np.intp] | None = None,
    among: int = 1,
) -> Audit:
    """Audits rows whose pictures, if they have any, are inspected already.

    Args:
        source: all n rows are audited.
        pictures: what its pictures show.
        seed: of folds and shuffles.
        progress: shows how far it is.
        rows: what the n rows are called (n,), if not 0 to n - 1.
        among: how many data sets are audited together.
    """
    rows = np.arange(len(source)) if rows is None else rows
    views = _views(source, pictures)
    alike = _alike(source, pictures)
    groups = _groups(source, alike)
    found = Audit(
        source.name,
        AuditVerdict.TOO_SMALL,
        "",
        n_members=int(source.member.sum()),
        n_nonmembers=int((~source.member).sum()),
        seed=seed,
        among=among,
        duplicates=tuple(
            count_duplicates(of, g, source.member, rows, source.names) for of, g in alike.items()
        ),
        unreadable=_unreadable(source, pictures, rows),
        warnings=source.warnings,
        rows=rows,
    )
    fewest = min(len(np.unique(groups.learned[side])) for side in (source.member, ~source.member))
    if fewest < MIN_GROUPS:
        why = (
            f"One side has {fewest} rows that are not copies of each other; an audit takes "
            f"{MIN_GROUPS} to say anything."
        )
        return replace(found, why=why)
    done = progress("asking each view", len(views))
    return run_permutation_tests(found, views, groups, source.member, done)


def _views(source: AuditData, pictures: InspectedPictures | None) -> list[View]:
    """Views of the rows in which something varies."""
    views = [] if source.captions is None else [caption_view(source.captions)]
    if pictures:
        views += pictures.views()
    if source.embeddings is not None:
        columns = {f"embedding {i}": c for i, c in enumerate(source.embeddings.T.astype(float))}
        views.append(tabular("embeddings", np.arange(len(source)), columns, {}))
    seen = [view for view in views if view]
    if not seen:
        raise DataError(f"{source.name}: all rows look the same, so there is nothing to audit.")
    return seen


def _alike(source: AuditData, pictures: InspectedPictures | None) -> dict[str, NDArray[np.integer]]:
    """Groups of near-duplicates (n,), by what is alike; a picture that is not seen is alone."""
    alike: dict[str, NDArray[np.integer]] = {}
    if pictures is not None and len(pictures.readable):
        hashes = np.array([look.hash for look in pictures.looks if look], dtype=np.uint64)
        groups = np.arange(len(source)) + len(source)
        groups[pictures.readable] = duplicate_groups(hashes)
        alike["pictures"] = groups
    if source.captions is not None:
        alike[CAPTIONS] = caption_groups(source.captions)
    return alike


def _groups(source: AuditData, alike: Mapping[str, NDArray[np.integer]]) -> Groups:
    """What belongs together; of captions, only that they are alike where a rule is learned."""
    shown = [grouping for of, grouping in alike.items() if of != CAPTIONS]
    return Groups(
        dealt=linked(shown, source.groups, len(source)),
        learned=linked(list(alike.values()), source.groups, len(source)),
    )


def _unreadable(
    source: AuditData, pictures: InspectedPictures | None, rows: NDArray[np.intp]
) -> AuditUnreadable:
    if pictures is None or not pictures.broken:
        return NONE_UNREADABLE
    of_members = int(source.member[list(pictures.broken)].sum())
    listed = [f"row {rows[row]}: {why}" for row, why in pictures.broken.items()]
    return AuditUnreadable(
        members=of_members,
        nonmembers=len(listed) - of_members,
        examples=tuple(listed[:MAX_EXAMPLES]),
    )
