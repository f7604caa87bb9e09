"""Audits that a visitor may ask for: the embedded splits, fair and not, or a table of their own."""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from miagym.app.server.bill import JobBill
from miagym.app.server.sandboxed_table import check_size, read_table
from miagym.auditing.data_source import AuditData
from miagym.candidates import check_texts
from miagym.data.registry import open_source
from miagym.data.source import Source
from miagym.embedded import art
from miagym.errors import DataError, UnknownName
from miagym.progress import Progress, silent
from miagym.results import AuditRecord

EMBEDDED_ROWS_A_SIDE = 400
"""Rows a side of the embedded data: enough to tell fair from too small, in seconds."""
ROWS_A_SIDE = 2_000
"""Rows a side of a visitor's table: more take minutes, and a gigabyte."""

IN_A_CATEGORY = ("animals", "people", "food")
UPLOAD = "your table"
"""What the answers call a visitor's table; its own name is nobody's business."""

_kept: dict[str, AuditRecord] = {}
"""Answers about the embedded splits, which never change."""


def iid() -> AuditData:
    """The embedded data as they are: members and non-members dealt by lot."""
    return AuditData.of(open_source("clipart"))


def by_category() -> AuditData:
    """Shifted on purpose: members are the animals, the people and the food."""
    table = art.table()
    member = np.isin(np.array(table["category"].to_pylist()), IN_A_CATEGORY)
    captions, pictures = table["caption"].to_pylist(), table["image"].to_pylist()
    return AuditData("clipart by category", member, tuple(captions), pictures)


def unpunctuated() -> AuditData:
    """Shifted on purpose: captions alone, and those of members have lost their punctuation."""
    source = open_source("clipart")
    bare = str.maketrans("", "", string.punctuation)
    captions = tuple(
        caption.translate(bare) if member else caption
        for caption, member in zip(source.captions, source.member, strict=True)
    )
    return AuditData("clipart without punctuation", source.member, captions, groups=source.groups)


SPLITS: dict[str, Callable[[], AuditData]] = {
    "clipart": iid,
    "clipart-by-category": by_category,
    "clipart-without-punctuation": unpunctuated,
}
"""The embedded splits by name."""


def audit_split(name: str, progress: Progress = silent) -> AuditRecord:
    """The audit of an embedded split, computed when it is first asked for.

    Raises:
        UnknownName: if there is no such split.
    """
    if str(name) not in SPLITS:
        raise UnknownName("split of this page", str(name), SPLITS)
    if name not in _kept:
        subject = replace(SPLITS[name](), name=name)
        _kept[name] = _audited(subject, EMBEDDED_ROWS_A_SIDE, progress)
    return _kept[name]


def uploaded_table(path: Path) -> AuditData:
    """A visitor's file.

    Raises:
        DataError: if it is too large, or holds no captions and labels.
    """
    return _subject(read_table(path))


def sent_table(captions: object, member: object) -> AuditData:
    """Captions and labels as the API gets them: any JSON at all.

    Raises:
        DataError: if they are no texts and labels, or too many.
    """
    if not isinstance(captions, list) or not all(isinstance(one, str) for one in captions):
        splits = ", ".join(SPLITS)
        raise DataError(f"Expected captions as a list of texts, or instead a split: {splits}.")
    if not isinstance(member, list) or not all(isinstance(one, bool) for one in member):
        raise DataError("Expected member as a list of true and false.")
    if len(captions) != len(member):
        raise DataError(f"Got {len(captions):,} captions and {len(member):,} labels.")
    check_size(captions)
    check_texts(captions)
    return _subject(pa.table({"caption": captions, "member": member}))


def bill_of(subject: AuditData) -> JobBill:
    """Rows that an audit looks at; each counts as a UNet row of the visitor's allowance."""
    members = int(subject.member.sum())
    return JobBill(min(members, ROWS_A_SIDE) + min(len(subject) - members, ROWS_A_SIDE))


def audit_table(subject: AuditData, progress: Progress = silent) -> AuditRecord:
    """The audit of a visitor's table, of at most `ROWS_A_SIDE` rows a side."""
    return _audited(subject, ROWS_A_SIDE, progress)


def _audited(subject: AuditData, limit: int, progress: Progress) -> AuditRecord:
    from miagym.auditing.audit import audit  # with scikit-learn, which a page starts without

    found = audit(subject, limit=limit, progress=progress)
    return found.record


def _subject(table: pa.Table) -> AuditData:
    source = Source.of(UPLOAD, table, None)
    if not any(source.captions):
        raise DataError("All captions are empty, so there is nothing to audit.")
    return AuditData(UPLOAD, source.member, source.captions, groups=source.groups)
