"""What the front door returns: typed results that print, tabulate and draw themselves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from miagym.auditing.result import Audit
from miagym.auditing.verdict import AuditVerdict
from miagym.errors import RunError, UnknownName
from miagym.results import AttackRow
from miagym.scorefile.sheet import ScoreSheet

if TYPE_CHECKING:
    import pandas as pd

    from miagym.report.model import Table
    from miagym.report.printed import PrintedTable


class Result(ABC):
    """Tables and sentences: printed on a terminal, shown in a notebook, or as JSON."""

    @abstractmethod
    def parts(self) -> Iterator[Table | str]:
        """Tables and sentences, in the order in which they are read."""

    @abstractmethod
    def as_json(self) -> dict[str, Any]:
        """Plain numbers, texts, lists and None."""

    def tables(self) -> list[Table]:
        return [part for part in self.parts() if not isinstance(part, str)]

    def table(self) -> PrintedTable:
        """The main table."""
        from miagym.report.printed import PrintedTable

        return PrintedTable.of(self.tables()[0])

    def to_frame(self) -> pd.DataFrame:
        """The main table as a data frame."""
        return self.table().to_frame()

    def to_latex(self) -> str:
        """The main table for a paper: booktabs, with intervals and the blind rows."""
        return self.table().to_latex()

    def __str__(self) -> str:
        from miagym.report.terminal import as_text

        return as_text(self.parts())

    def _repr_html_(self) -> str:
        from miagym.report.html import render

        return render("result.html", parts=list(self.parts()))


def row_of(rows: Sequence[AttackRow], key: str | tuple[str, str]) -> AttackRow | None:
    """The row of an attack, or of (target, attack); None if there is none.

    Raises:
        RunError: if an attack was run on several targets, and none is named.
        UnknownName: for a target that is none of theirs.
    """
    target, attack = (None, key) if isinstance(key, str) else key
    targets = {row.target for row in rows if row.target is not None}
    if target is not None and targets and target not in targets:
        raise UnknownName("target of these rows", target, targets, "Ask for (target, attack).")
    found = [row for row in rows if row.attack == attack and target in (None, row.target)]
    if len(found) > 1:
        several = " or ".join(repr(row.target) for row in found)
        raise RunError(f"{attack} was run on several targets; ask for ({several}, {attack!r}).")
    return found[0] if found else None


@dataclass(frozen=True, eq=False, repr=False)
class AuditReport(Result):
    """What an audit found, and again of a matched subset if one was written.

    Args:
        audit: the audit.
        matched: that of the subset, which is optimistic.
        out: the file of the subset.
    """

    audit: Audit
    matched: Audit | None = None
    out: Path | None = None

    @property
    def verdict(self) -> AuditVerdict:
        return self.audit.verdict

    @property
    def why(self) -> str:
        return self.audit.why

    def parts(self) -> Iterator[Table | str]:
        from miagym.report.tables.audit import audit_parts

        yield from audit_parts(self.audit)
        if self.matched:
            yield (
                f"The subset in {self.out}, matched by the very looks that judge it here, so that "
                "this second audit is optimistic:"
            )
            yield from audit_parts(self.matched)

    def as_json(self) -> dict[str, Any]:
        more = {"matched": self.matched.as_json()} if self.matched else {}
        return self.audit.as_json() | more


@dataclass(frozen=True, eq=False, repr=False)
class ScoreReport(Result):
    """Fair numbers for scores from anywhere.

    Args:
        sheet: all that was measured, and warnings.
        name: what tables call the file.
    """

    sheet: ScoreSheet
    name: str

    @property
    def rows(self) -> Sequence[AttackRow]:
        return self.sheet.rows

    def __getitem__(self, key: str | tuple[str, str]) -> AttackRow:
        """The row of an attack; of (target, attack) where there are several targets."""
        row = row_of(self.rows, key)
        if row is None:
            names, attack = (
                {row.attack for row in self.rows},
                key if isinstance(key, str) else key[1],
            )
            raise UnknownName("attack of these scores", attack, names)
        return row

    def parts(self) -> Iterator[Table | str]:
        from miagym.report.tables.score import closing, sheet_tables

        yield from sheet_tables(self.sheet, self.name)
        yield from (f"{warned.kind}: {warned.message}" for warned in self.sheet.warnings)
        yield from closing(self.sheet, self.name)

    def as_json(self) -> dict[str, Any]:
        return self.sheet.as_json()
