"""Tables are built once: rows rest on facts, and every renderer shows the same cells."""

from __future__ import annotations

import re

import numpy as np
import pytest
from jinja2 import UndefinedError
from rich.console import Console

from miagym.metrics.measure import measure
from miagym.report.finding import finding
from miagym.report.html import render
from miagym.report.latex import to_latex
from miagym.report.model import Column, Group, Line, Number, Remarks, Table
from miagym.report.rows import by_target
from miagym.report.standing import remark
from miagym.report.tables.evaluation import main_table
from miagym.report.terminal import as_text, print_parts
from miagym.results import AttackRow

HOSTILE = "<b>a & b_1 [red]50 %[/red] \\x^2~</b>"


def row(attack: str, access: str, strength: float, **facts: object) -> AttackRow:
    """An attack on 400 normal members, shifted by `strength`, and 400 non-members."""
    rng, member = np.random.default_rng(len(attack)), np.repeat([True, False], 400)
    found = measure(rng.normal(size=800) + strength * member, member).as_row()
    about = {"target": "t", "data": "d", "attack": attack, "access": access}
    spent = {"queries": 1234.5, "unet_rows": 2.0, "protocol": "held-out", "chosen": "A(b=1)"}
    return AttackRow.model_validate(about | spent | found | facts)


ROWS = [row("captions-only", "blind", 0.0), row("deblinder", "grey", 2.0), row("pia", "grey", 0.1)]


def test_blind_is_a_fact_and_no_name() -> None:
    """A grey attack called `deblinder` looks at the model; a blind one need not say so."""
    said = finding(ROWS)
    assert "the best of 2 attacks that look at the model (deblinder)" in said
    assert "none was run" not in said
    assert remark(ROWS[1], ROWS) == "above blind"
    (group,) = main_table(by_target(ROWS)).groups
    assert {line.name: line.is_blind for line in group.lines} == {
        "captions-only": True,
        "deblinder": False,
        "pia": False,
    }
    assert "no blind row to compare with" in remark(ROWS[1], ROWS[1:])


def test_a_reference_is_a_fact_and_no_name() -> None:
    named, calibrated = row("pia+reference", "grey", 2.0), row("x", "grey", 2.0, reference=True)
    assert "reference" not in remark(named, [named])
    assert "calibrated with a public reference model" in remark(calibrated, [calibrated])


def words(text: str) -> str:
    return " ".join(text.split())


def test_every_renderer_shows_every_number_with_its_interval() -> None:
    table = main_table(by_target(ROWS))
    latex, page, shown = to_latex(table), render("result.html", parts=[table]), as_text([table])
    for one in ROWS:
        low, high = one.auc_ci
        assert f"{one.auc:.3f} [{low:.3f}\N{EN DASH}{high:.3f}]" in page
        assert f"{one.auc:.3f} [{low:.3f}\N{EN DASH}{high:.3f}]" in shown
        assert f"{one.auc:.3f} [{low:.3f}--{high:.3f}]" in latex
    for text in (latex, page, shown):
        assert "1,234.5" in text and "captions-only" in text
    assert r"\emph{captions-only}" in latex and "<tr class=blind>" in page
    frame = table.to_frame()
    assert list(frame["AUC"]) == [float(one.auc) for one in ROWS]
    assert list(frame["AUC, low"]) == [one.auc_ci[0] for one in ROWS]
    assert list(frame["TPR at 1 % FPR"]) == [float(one.tpr_at_fpr["0.01"].tpr) for one in ROWS]  # pyright: ignore


def test_a_frame_says_what_candidates_are_worth_and_whose_rows_these_are() -> None:
    grouped = row("pia", "grey", 0.1, effective_members=143.4, effective_nonmembers=176.0)
    other = row("pia", "grey", 0.1, target="other")
    frame = main_table(by_target([grouped, other])).to_frame().set_index("Target")
    worth = frame[["Effective members", "Effective non-members"]]
    assert list(worth.loc["t"]) == [143.4, 176.0] and worth.loc["other"].isna().all()
    assert "Effective members" not in main_table(by_target([other])).to_frame()


@pytest.mark.parametrize("width", [60, 80, 110, 200])
def test_a_narrow_terminal_breaks_no_interval_and_loses_no_remark(width: int) -> None:
    """Details go first; long remarks stand below the table, as numbers in it."""
    console = Console(width=width, color_system=None, record=True, file=None, quiet=True)
    rows = [*ROWS, row("a-much-longer-name-of-an-attack", "grey", 0.3, reference=True)]
    console.quiet = False
    with console.capture() as captured:
        print_parts(console, [main_table(by_target(rows)), "A sentence."])
    shown = captured.get()
    for one in rows:
        assert f"[{one.auc_ci[0]:.3f}\N{EN DASH}{one.auc_ci[1]:.3f}]" in shown
    assert re.search(r"^\(\d\) calibrated with a public reference model$", shown, re.MULTILINE)
    assert ("A(b=1)" in shown) == (width == 200)
    assert max(map(len, shown.splitlines())) <= width


def hostile() -> Table:
    cells = (Number(HOSTILE, 1.0), HOSTILE, Remarks((HOSTILE, "short")))
    columns = (Column(HOSTILE), Column("n", HOSTILE, "number"), Column("w"), Column("r"))
    return Table(HOSTILE, columns, (Group(HOSTILE, (Line(HOSTILE, cells),)),))


def test_hostile_text_is_text_in_every_renderer() -> None:
    table = hostile()
    assert "<b>a" not in render("result.html", parts=[table, HOSTILE])
    shown = as_text([table, HOSTILE])
    assert shown.count("[red]50 %[/red]") >= 6
    escaped = r"<b>a \& b\_1 [red]50 \%[/red] \textbackslash{}x\textasciicircum{}2"
    latex = to_latex(table)
    assert latex.count(escaped) >= 6
    assert not re.search(r"(?<!\\)[%_#]", latex)


def test_a_cell_that_begins_with_a_bracket_is_no_option_of_a_line_break() -> None:
    table = Table("", (Column("a"),), (Group("", (Line("[x]", ()),)),))
    assert r"{}[x] \\" in to_latex(table)


def test_tables_without_lines_are_false_and_can_be_drawn() -> None:
    empty = main_table({})
    assert not empty and main_table(by_target(ROWS))
    assert "AUC" in to_latex(empty) and "<table>" in render("result.html", parts=[empty])


def test_a_template_that_lacks_a_value_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        render("result.html")
