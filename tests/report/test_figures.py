"""Figures by name: each kind is drawn or refused in a sentence, and saved as what its name says."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pyarrow as pa
import pytest

from miagym.errors import RunError, UnknownName
from miagym.metrics.measure import measure
from miagym.report.figures import KINDS, Figure, figure, saving
from miagym.results import Results


def run(targets: dict[str, float], budgets: bool = False) -> tuple[Results, pa.Table]:
    """A blind row and `loss`, which finds so much on each target."""
    rng, rows, tables = np.random.default_rng(0), [], []
    member = np.repeat([True, False], 150)
    for target, strength in targets.items():
        for attack, access in (("guess", "blind"), ("loss", "grey")):
            scores = rng.normal(size=300) + strength * member * (access == "grey")
            found = measure(scores, member).as_row()
            about = {"target": target, "data": "d", "attack": attack}
            rest = {"access": access, "protocol": "held-out", "chosen": "L()", "queries": 2.0}
            curve = {"curve": [found | {"queries": 1.0}, found | {"queries": 2.0}]}
            rows.append(about | rest | found | (curve if budgets else {}))
            constant = {key: [value] * 300 for key, value in about.items()}
            tables.append(pa.table({**constant, "member": member, "score": scores}))
    about = {"config": {}, "rows_charged": 0, "rows_computed": 0}
    return Results.model_validate({"schema": 2, "run": about, "rows": rows}), pa.concat_tables(
        tables
    )


def test_each_kind_is_a_figure_that_can_save_itself() -> None:
    results, scores = run({"m": 2.0, "m@5": 0.0}, budgets=True)
    for kind in KINDS:
        found = figure(kind, results, scores)
        assert isinstance(found, Figure) and isinstance(found, go.Figure) and found.data, kind


def test_what_a_run_cannot_draw_is_one_sentence() -> None:
    results, scores = run({"m": 2.0})
    reasons = {
        "budget": "no attack of it spends a varying number of queries",
        "checkpoints": "no two checkpoints of one training",
        "teaser": "no two targets share an attack",
    }
    for kind, reason in reasons.items():
        with pytest.raises(RunError, match=f"no figure '{kind}': {reason}") as caught:
            figure(kind, results, scores)
        assert "\n" not in str(caught.value)
    with pytest.raises(RunError, match="it holds no scores"):
        figure("roc", results, scores.slice(0, 0))
    with pytest.raises(UnknownName, match="did you mean roc"):
        figure("rok", results, scores)


@pytest.mark.parametrize(
    ("name", "magic"),
    [
        ("a/roc.pdf", b"%PDF"),
        pytest.param("roc.SVG", b"<svg", marks=pytest.mark.slow),
        ("roc.html", b"<!doctype html>"),
    ],
)
def test_a_figure_is_saved_as_its_suffix_says(name: str, magic: bytes, tmp_path: Path) -> None:
    path = figure("roc", *run({"m": 2.0})).save(tmp_path / name)
    assert path.read_bytes().startswith(magic)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_saved_figure_lists_no_curve_that_it_does_not_draw() -> None:
    """The legend of the page offers further curves; on paper nobody can switch them on."""
    results, scores = run({"m": 2.0})
    rows = (*results.rows, *(r.model_copy(update={"attack": f"{r.attack}2"}) for r in results.rows))
    more = scores.set_column(2, "attack", pa.array([f"{a}2" for a in scores["attack"].to_pylist()]))
    drawn = figure(
        "roc", results.model_copy(update={"rows": rows}), pa.concat_tables([scores, more])
    )
    seen = saving._as_seen(drawn)
    assert {trace.visible for trace in drawn.data} > {"legendonly"}
    assert not [trace for trace in seen.data if trace.visible == "legendonly"]
    assert 0 < seen.layout.height < drawn.layout.height


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = figure("roc", *run({"m": 2.0}))
    with pytest.raises(RunError, match=r"saved as \.pdf, .*got 'roc.docx'"):
        drawn.save(tmp_path / "roc.docx")
    with monkeypatch.context() as patched:
        patched.setattr(go.Figure, "to_image", _no_browser)
        with pytest.raises(RunError, match="needs Chrome or Chromium"):
            drawn.save(tmp_path / "roc.pdf")
    monkeypatch.setattr(
        saving, "find_spec", lambda name: None if name == "kaleido" else find_spec(name)
    )
    with pytest.raises(RunError, match=r"pip install 'miagym\[figures\]'"):
        drawn.save(tmp_path / "roc.pdf")
    assert not list(tmp_path.iterdir())


def _no_browser(*_: object, **__: object) -> bytes:
    raise RuntimeError("Kaleido requires Google Chrome to be installed.")
