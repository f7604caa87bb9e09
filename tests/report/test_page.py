"""The report: self-contained, deterministic, escaped, and no claim beyond its intervals."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from markupsafe import escape
from plotly.offline import get_plotlyjs

from miagym.metrics.measure import measure
from miagym.report.finding import finding
from miagym.report.page import write_report
from miagym.results import AttackRow, Results

HOSTILE = (
    '<img src="https://evil.example/x.png" onerror=alert(1)></script><script>alert(2)</script>'
)
RUN: dict[str, Any] = {
    "command": "miagym run --target clipart-overfit && echo '<done>'",
    "seed": 7,
    "versions": {"torch": "2.13.0", "miagym": "0.1.0"},
    "skipped": [
        {"target": "overfit", "data": "clipart", "attack": "GSA", "why": "needs <white> access"}
    ],
}
ATTACKS = {"BlindCaption": "blind", "Variation": "black", "PIA": "grey", "SecMI+reference": "grey"}


def game(
    strengths: dict[str, dict[str, float]], n: int = 400, access: dict[str, str] = ATTACKS
) -> tuple[list[AttackRow], pa.Table]:
    """Rows and scores of normal data, members shifted by `strengths[target][attack]`."""
    rng, rows, tables = np.random.default_rng(0), [], []
    member = rng.permutation(np.repeat([True, False], n))
    for target, attacks in strengths.items():
        for attack, strength in attacks.items():
            scores = rng.normal(size=2 * n) + strength * member
            name = {"target": target, "data": "clipart", "attack": attack}
            rest = {"queries": 2, "unet_rows": 2.5, "seconds": 1.23456789, "protocol": "held-out"}
            numbers = measure(scores, member).as_row()
            chosen = "" if access[attack] == "blind" else "LossThreshold(timestep=200)"
            facts = {"access": access[attack], "reference": attack.endswith("+reference")}
            rows.append(AttackRow(**name, **facts, **numbers, **rest, chosen=chosen))
            columns = {"candidate": [f"c{i}" for i in range(2 * n)], "member": member}
            constant = {key: [value] * (2 * n) for key, value in name.items()}
            tables.append(pa.table({**constant, **columns, "score": scores}))
    return rows, pa.concat_tables(tables)


TWO = {
    "overfit": {"BlindCaption": 0.0, "Variation": 1.0, "PIA": 2.0, "SecMI+reference": 1.5},
    "realistic": {"BlindCaption": 0.0, "PIA": 0.0},
}


def page(
    rows: list, scores: pa.Table, tmp_path: Path, run: dict[str, Any] = RUN, **sections: list
) -> str:
    """The report without plotly.js."""
    about = {"config": {}, "rows_charged": 0, "rows_computed": 0, "skipped": run["skipped"]}
    results = Results.model_validate({"schema": 2, "rows": rows, "run": about, **sections})
    write_report(results, scores, run, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert text.count(get_plotlyjs()) == 1
    return text.replace(get_plotlyjs(), "")


def remark(text: str, attack: str, target: str) -> str:
    """The last cell of an attack's line in the table."""
    body = next(body for body in text.split("<tbody>") if f"{target} (clipart)" in body)
    row = next(row for row in body.split("<tr") if f"scope=row>{escape(attack)}<" in row)
    return re.findall(r"<td class=text>(.*?)</td>", row)[-1]


def test_report_is_self_contained_and_deterministic(tmp_path: Path) -> None:
    """No address is loaded, no second is shown, and rows in another order give the same bytes."""
    rows, scores = game(TWO)
    text = page(rows, scores, tmp_path)
    before = (tmp_path / "report.html").read_bytes()
    assert not re.search(r"""(src|href|url|@import)\s*[=(]?\s*["']?\s*(https?:)?//""", text, re.I)
    assert "default-src 'none'" in text
    assert not re.search(r"\{\{|\{%|\{#", text)
    assert "1.23" not in text
    page(rows[::-1], scores, tmp_path)
    assert (tmp_path / "report.html").read_bytes() == before


def test_report_shows_every_row_and_how_to_reproduce_it(tmp_path: Path) -> None:
    """Sorted by target and access; skipped attacks are there with their reason."""
    rows, scores = game(TWO)
    text = page(rows[::-1], scores, tmp_path)
    assert re.findall(r"<th scope=row>(.*?)</th>", text) == [*TWO["overfit"], *TWO["realistic"]]
    assert "<b>GSA</b> on overfit (clipart): needs &lt;white&gt; access" in text
    assert "miagym run --target clipart-overfit &amp;&amp; echo &#39;&lt;done&gt;&#39;" in text
    assert "Seed: 7. Versions: miagym 0.1.0, torch 2.13.0." in text
    assert escape(finding(rows)) in text.replace("\N{NO-BREAK SPACE}", " ")
    assert "Not run" not in page(rows, scores, tmp_path, {**RUN, "skipped": []})


def test_remarks_say_what_is_not_above_blind(tmp_path: Path) -> None:
    """Standing, reference model and foreign protocol each have their words."""
    rows, scores = game(TWO)
    rows[2] = rows[2].model_copy(update={"protocol": "best on test"})
    text = page(rows, scores, tmp_path)
    assert remark(text, "PIA", "overfit") == "above blind; protocol: best on test"
    assert remark(text, "PIA", "realistic") == "not above blind"
    assert remark(text, "BlindCaption", "overfit") == "not above chance"
    reference = "above blind; calibrated with a public reference model"
    assert remark(text, "SecMI+reference", "overfit") == reference


def test_a_blind_row_above_chance_is_a_warning(tmp_path: Path) -> None:
    """Then an attack that finds as much has shown nothing; of the split only the audit speaks."""
    rows, scores = game({"shifted": {"BlindCaption": 1.0, "PIA": 1.0}})
    text = page(rows, scores, tmp_path)
    assert remark(text, "BlindCaption", "shifted") == "above chance"
    assert remark(text, "PIA", "shifted") == "not above blind"
    assert "not above blind" in finding(rows)


def test_better_auc_alone_is_not_better_at_low_fpr(tmp_path: Path) -> None:
    """An attack can clear the blind row in one number and not in the other."""
    rows, scores = game({"overfit": {"BlindCaption": 0.0, "PIA": 0.3}})
    words = "not above blind at 1 % FPR; above blind in AUC"
    assert remark(page(rows, scores, tmp_path), "PIA", "overfit") == words


def test_hostile_names_are_text(tmp_path: Path) -> None:
    """In the table, the figures, the finding and the list of skipped attacks."""
    rows, scores = game({HOSTILE: {HOSTILE: 1.0}}, access={HOSTILE: "grey"})
    rows[0] = rows[0].model_copy(update={"chosen": HOSTILE, "protocol": HOSTILE})
    skipped = dict.fromkeys(("target", "data", "attack", "why"), HOSTILE)
    run = {"command": HOSTILE, "seed": 0, "versions": {HOSTILE: HOSTILE}, "skipped": [skipped]}
    text = page(rows, scores, tmp_path, run)
    assert "<img" not in text
    assert "<script>alert" not in text
    # Plotly reads labels as HTML of its own, so that they need escaping inside the JSON too.
    assert "\\u003cimg" not in text
    assert text.count(escape(HOSTILE)) >= 8


def test_finding_names_the_best_and_its_interval() -> None:
    """Numbers come from the rows, word for word."""
    rows, _ = game(TWO)
    parts = []
    for row in (rows[2], rows[5], rows[0], rows[4]):
        found = row.tpr_at_fpr["0.01"]
        assert found is not None
        low, high = (f"{100 * end:.1f}" for end in found.ci)
        parts.append(f"{100 * found.tpr:.1f} % [{low}\N{EN DASH}{high}]")
    assert finding(rows) == (
        "On overfit the best of 3 attacks that look at the model (PIA) finds "
        f"{parts[0]} of members at 1 % false positives; on realistic the only attack (PIA) finds "
        f"{parts[1]} of members at 1 % false positives, not above blind (an AUC of 0.57 and a TPR "
        "of 5.3 % at 1 % FPR would have shown with 80 % power); blind baselines that "
        "never see the model: "
        f"{parts[2]} on overfit, {parts[3]} on realistic."
    )


def test_finding_without_blind_rows() -> None:
    """It says so, and compares with chance."""
    rows, _ = game({"overfit": {"PIA": 2.0}, "realistic": {"PIA": 0.0}})
    sentence = finding(rows)
    assert "not above chance" in sentence.split("; ")[1]
    assert sentence.endswith(
        "never see the model: none was run on overfit, none was run on realistic."
    )
    assert finding([]) == "No attack was scored."


def test_finding_prefers_the_fair_protocol() -> None:
    """A better row that was chosen on the test data does not count, unless it is all there is."""
    rows, _ = game({"overfit": {"Variation": 1.0, "PIA": 2.0}})
    rows[1] = rows[1].model_copy(update={"protocol": "best on test"})
    assert "(Variation)" in finding(rows)
    assert "(PIA)" in finding(rows[1:]) and "(best on test)" in finding(rows[1:])


def test_two_data_sets_of_one_target_are_two_findings() -> None:
    """Their names tell them apart."""
    rows, _ = game({"overfit": {"PIA": 2.0}})
    sentence = finding([*rows, rows[0].model_copy(update={"data": "other"})])
    assert "on overfit with other the only attack (PIA)" in sentence


@pytest.mark.parametrize("strengths", [TWO, {"overfit": TWO["overfit"]}])
def test_report_without_resolvable_tpr(strengths: dict, tmp_path: Path) -> None:
    """50 non-members give an AUC and nothing at 1 %."""
    rows, scores = game(strengths, n=50)
    text = page(rows, scores, tmp_path)
    assert "<td class=number>not resolvable with n = 50</td><td class=number></td>" in text
    assert "has an AUC of 0.9" in finding(rows)
    assert "50 non-members are too few for a rate at 1 % false positives" in finding(rows)
    assert "blind baselines that never see the model: AUC of 0." in finding(rows)
    assert remark(text, "PIA", "overfit") == "above blind in AUC"


@pytest.mark.parametrize("strengths", [{"overfit": {"BlindCaption": 0.0}}, {"x": {"PIA": 1.0}}, {}])
def test_small_reports(strengths: dict, tmp_path: Path) -> None:
    """One target, one row, no row; rows without their scores."""
    rows, scores = game(strengths) if strengths else ([], game(TWO)[1])
    assert "<table>" in page(rows, scores, tmp_path)
    assert "There are no scores to draw" in page(rows, scores.slice(0, 0), tmp_path)


def test_constant_scores_can_be_drawn(tmp_path: Path) -> None:
    """A target that tells nothing ties every candidate."""
    rows, scores = game({"null": {"PIA": 0.0}})
    flat = scores.set_column(5, "score", pa.array(np.zeros(len(scores))))
    assert "plotly-graph-div" in page(rows, flat, tmp_path)
