"""A finished evaluation, as `miagym.evaluate` returns it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from miagym.api.results import Result, row_of
from miagym.data.dataset import TEST
from miagym.errors import RunError, UnknownName
from miagym.evaluation.store import SCORES, at_full_budget, with_all_columns
from miagym.results import AttackRow, Results

if TYPE_CHECKING:
    from miagym.report.figures import Figure
    from miagym.report.model import Table
    from miagym.report.printed import PrintedTable


@dataclass(frozen=True, eq=False, repr=False)
class Run(Result):
    """A finished evaluation: typed rows, scores, tables, figures and a report.

    Args:
        results: all that was measured; what results.json holds.
        scores: of the test part, each attack at its full budget (see `evaluation.store.SCORES`).
        about: what run.json holds: configuration, versions, digests, the command.
        path: the run folder, if it was kept.
    """

    results: Results
    scores: pa.Table
    about: Mapping[str, Any]
    path: Path | None = None

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """A finished run from its folder.

        Raises:
            RunError: if it holds none, or one that cannot be read.
        """
        path = Path(path)
        if not (path / "results.json").is_file():
            raise RunError(f"{path} holds no finished run; expected results.json in it.")
        results, scores = Results.read(path / "results.json"), SCORES.empty_table()
        try:
            about = json.loads((path / "run.json").read_text(encoding="utf-8"))
            if (path / "scores.parquet").is_file():
                test = pq.read_table(path / "scores.parquet", filters=[("part", "==", TEST)])
                scores = at_full_budget(with_all_columns(test))
            return cls(results, scores, {**about, "seed": about["config"]["seed"]}, path)
        except (OSError, ValueError, KeyError, pa.ArrowException) as error:
            why = f"it lacks {error}" if isinstance(error, KeyError) else error
            raise RunError(f"The run in {path} cannot be read: {why}.") from error

    def detached(self) -> Self:
        """The same run without its folder."""
        return replace(self, path=None)

    @property
    def rows(self) -> tuple[AttackRow, ...]:
        return self.results.rows

    @property
    def command(self) -> str:
        """What gives the same numbers again."""
        return self.about["command"]

    def __getitem__(self, key: str | tuple[str, str]) -> AttackRow:
        """The row of an attack; of (target, attack) where there are several targets.

        Raises:
            RunError: if it was skipped, with the reason, or was run on several targets.
            UnknownName: if it was not asked for, or the target was not.
        """
        row = row_of(self.rows, key)
        if row is not None:
            return row
        attack = key if isinstance(key, str) else key[1]
        for skipped in self.results.run.skipped:
            if skipped.attack == attack:
                raise RunError(f"{attack} was skipped on {skipped.target}: {skipped.why}")
        raise UnknownName("attack of this run", attack, {row.attack for row in self.rows})

    @property
    def finding(self) -> str:
        """What the run found, in one sentence that claims nothing beyond the intervals."""
        from miagym.report.finding import finding

        return finding(self.rows, self.results.audit)

    def parts(self) -> Iterator[Table | str]:
        from miagym.report.finding import defended, losses, seen_in
        from miagym.report.rows import by_target
        from miagym.report.tables.evaluation import main_table
        from miagym.report.tables.generated import generated_table
        from miagym.report.tables.other_generator import other_table

        run = self.results.run
        if not self.rows and (shard := self.about.get("shard")):
            yield f"Shard {shard} is done; `miagym merge` measures it together with the others."
            return
        yield main_table(by_target(self.rows), self.results.audit)
        yield from defended(run)
        for skipped in run.skipped:
            yield f"Skipped {skipped.attack} on {skipped.target}: {skipped.why}"
        if self.results.other_generator:
            yield other_table(self.results.other_generator, self.rows)
        if self.results.generated:
            yield generated_table(self.results.generated)
        for doubt in run.doubts:
            yield f"Doubtful labels: {doubt.target} with {doubt.data}. {doubt.why}"
        yield from seen_in(run.data)
        yield from losses(run.unreadable)
        yield (
            f"UNet rows: {run.rows_charged:,} charged to the attacks, {run.rows_computed:,} "
            "computed."
        )
        yield self.finding

    def table(self) -> PrintedTable:
        """The main table; an attack that was skipped has a row that says why."""
        from miagym.report.model import Line, Remarks

        table = super().table()
        empty, groups = ("",) * (len(table.columns) - 2), []
        for group in table.groups:
            lines = (
                Line(each.attack, (*empty, Remarks((f"skipped: {each.why}",))))
                for each in self.results.run.skipped
                if group.label in (each.target, f"{each.target} with {each.data}")
            )
            groups.append(replace(group, lines=(*group.lines, *lines)))
        return replace(table, groups=tuple(groups))

    def as_json(self) -> dict[str, Any]:
        return self.results.as_json()

    def figure(self, kind: str = "roc") -> Figure:
        """A plotly figure: "roc", "auc", "scores", "budget", "checkpoints" or "teaser".

        Its `save("roc.pdf")` writes a vector file.

        Raises:
            UnknownName: for another kind.
            RunError: if this run has nothing to draw there.
        """
        from miagym.report.figures import figure

        return figure(kind, self.results, self.scores)

    def report(self, out: str | Path | None = None) -> Path:
        """Writes the report, one HTML file without network; by default into the run folder.

        Raises:
            RunError: if the run was kept in no folder, and none is named.
        """
        from miagym.report.page import write_report

        if out is None and self.path is None:
            raise RunError("This run was kept in no folder; name the file: run.report('x.html').")
        file = Path(out) if out is not None else Path(str(self.path)) / "report.html"
        write_report(self.results, self.scores, self.about, file)
        return file

    def __repr__(self) -> str:
        attacks = {row.attack for row in self.rows}
        targets = dict.fromkeys(str(row.target) for row in self.rows)
        return f"<Run of {len(attacks)} attacks on {', '.join(targets)}>"
