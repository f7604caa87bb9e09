"""`miagym paper` in the world of the package, at tiny limits: every setting, page and print."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from miagym.paper.settings import SETTINGS
from miagym.report.pdf import find_browser
from tests.command_line import run

TINY = ("--limit", 10, "--tune-limit", 10, "--choose-on", 10, "--splits", 2)


@pytest.mark.long
@pytest.mark.slow
def test_the_whole_of_it_in_one_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    run("paper", "--out", out, *TINY)
    said = capsys.readouterr().out
    assert said.index("Together at most") < said.index("paper.html")
    assert {file.stem for file in (out / "classifiers").iterdir()} == set(SETTINGS)
    large = json.loads((out / "large-model" / "results.json").read_text(encoding="utf-8"))
    asking = [row["attack"] for row in large["rows"] if row["access"] != "blind"]
    assert len(asking) == 3 * 16 + 2 and len(large["rows"]) == len(asking) + 3
    assert any(control["control"] == "null target" for control in large["controls"])
    page = (out / "paper.html").read_text(encoding="utf-8")
    for setting in SETTINGS:
        assert page.count(f">{setting}<") >= 4, setting  # three signals, and the classifiers
    for epoch in (15, 40, 80, 130):
        assert f"clipart-overfit@{epoch}" in page
    if find_browser() is not None:
        assert (out / "paper.pdf").read_bytes().startswith(b"%PDF-")
    run("paper", "--out", out, *TINY)
    assert capsys.readouterr().out.count("holds this very run, finished") == 3
