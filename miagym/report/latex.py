"""Tables in LaTeX, for papers."""

from __future__ import annotations

import re

from miagym.report.model import Column, Table

SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\N{EN DASH}": "--",
    "±": r"$\pm$",
    "×": r"$\times$",
    "≤": r"$\le$",
    "…": r"\ldots{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}


def to_latex(table: Table) -> str:
    r"""A tabular with booktabs: intervals and blind rows as in the report, long remarks below it.

    Columns of details are left out. Needs `\usepackage{booktabs}`.
    """
    details = [column.name for column in table.columns if column.is_detail]
    table, notes = table.without(*details).noted()
    columns = table.columns
    align = "".join("r" if column.kind == "number" else "l" for column in columns)
    lines = [rf"\begin{{tabular}}{{{align}}}", r"\toprule", _row([_heading(c) for c in columns])]
    for group in table.groups:
        lines.append(r"\midrule")
        if group.heading:
            span = rf"\multicolumn{{{len(columns)}}}{{l}}{{{_escaped(group.heading)}}}"
            lines += [_row([span]), r"\midrule"]
        for line in group.lines:
            cells = [_escaped(str(cell)) for cell in (line.name, *line.cells)]
            cells = [rf"\emph{{{cell}}}" if line.is_blind and cell else cell for cell in cells]
            lines.append(_row(cells))
    lines.append(r"\bottomrule")
    for note in notes:
        span = rf"\multicolumn{{{len(columns)}}}{{l}}{{\footnotesize {_escaped(note)}}}"
        lines.append(_row([span]))
    return "\n".join([*lines, r"\end{tabular}", ""])


def _heading(column: Column) -> str:
    return _escaped(f"{column.name} {column.note}".strip())


def _row(cells: list[str]) -> str:
    return rf"{' & '.join(cells)} \\"


def _escaped(text: str) -> str:
    special = re.compile("|".join(map(re.escape, SPECIAL)))
    text = special.sub(lambda found: SPECIAL[found[0]], text)
    # A bracket after \\ would be read as its argument, wherever a line begins with one.
    return f"{{}}{text}" if text.startswith("[") else text
