"""`miagym demo`: how many candidates it asks about."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.command_line import run


def test_all_and_some_at_once_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("demo", "--full", "--limit", "9", "--no-app", "--out", tmp_path / "run", code=2)
    assert "--full asks about all candidates" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.long
def test_variants_are_compared_on_few(tmp_path: Path) -> None:
    """Most rows of a full run are spent on comparing variants, which few candidates can bear."""
    run("demo", "--limit", "4", "--json", "--out", tmp_path / "run")
    config = json.loads((tmp_path / "run/results.json").read_text("utf-8"))["run"]["config"]
    few = [config[name] for name in ("limit", "choose_on", "null_on", "generated")]
    assert few == [4, 16, 16, 16]
