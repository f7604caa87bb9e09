"""`miagym.audit`: can members and non-members be told apart without any model?"""

from __future__ import annotations

from pathlib import Path

from miagym.api.results import AuditReport
from miagym.auditing.audit import audit as audit_rows
from miagym.auditing.data_source import AuditData
from miagym.auditing.matched import check_kind, matched_rows, write_rows
from miagym.data.dataset import Dataset
from miagym.data.labels import MemberValue
from miagym.data.output import check_new
from miagym.data.registry import open_source
from miagym.errors import DataError, check_whole, option
from miagym.progress import Progress, silent

MAX_ROWS = 20_000


def audit(
    data: str | Path | Dataset,
    *,
    matched: Path | str | None = None,
    member_value: MemberValue | None = None,
    limit: int = MAX_ROWS,
    seed: int = 0,
    progress: Progress = silent,
) -> AuditReport:
    """Asks whether a split is fair: blind views of captions, files and pixels, and no model.

    >>> import miagym
    >>> found = miagym.audit("clipart-tune", limit=60)
    >>> print(found.verdict)
    too small

    Args:
        data: an embedded name, a table or folder with labels, hf:owner/name, or a data set.
        matched: a new .parquet or .csv file to write a subset to whose sides look alike; not of
            a `Dataset`.
        member_value: of a table, the value of `member` that stands for members, 0 say.
        limit: most rows of each side to look at.
        seed: of folds and shuffles.
        progress: shows how far it is.

    Raises:
        DataError: if there is nothing to look at.
        SettingsError: if the limit or the seed is no whole number, or too small.
    """
    check_whole(1, limit=limit)
    check_whole(0, seed=seed)
    if isinstance(data, Dataset):
        if member_value is not None:
            raise DataError("A value that means member is of a table, and a Dataset has labels.")
        if matched:
            raise DataError("A matched subset is written of a file or folder, not of a Dataset.")
        return AuditReport(audit_rows(AuditData.of(data), seed, limit, progress))
    if not isinstance(data, str | Path):
        raise DataError(
            "Expected the name of a data set, a file, a folder or a `miagym.Dataset`, got "
            f"{type(data).__name__}."
        )
    out = None if matched is None else Path(matched)
    if out:
        check_new(out, option("matched"), str(data), "audited")
    source = open_source(str(data), member_value)
    if out:
        check_kind(out, source)
    subject = AuditData.of(source)
    found = audit_rows(subject, seed, limit, progress)
    if not out:
        return AuditReport(found)
    rows = matched_rows(found, source.member)
    again = audit_rows(subject.take(rows), seed, limit, progress)
    write_rows(source, rows, out)
    return AuditReport(found, again, out)
