"""A command that writes a file says at once when it may not, and never replaces another."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from miagym.api import audit as auditing
from miagym.cli import app
from miagym.data.clean import run as cleaning
from miagym.data.output import writing
from miagym.errors import DataError

ROWS = [f"a drawing of {i},{i % 2}" for i in range(40)]


def never(*_: object, **__: object) -> None:
    raise AssertionError("the work began")


@pytest.fixture(params=["audit", "clean"])
def command(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A command without its data and its file; its work must not begin."""
    monkeypatch.setattr(auditing, "audit_rows", never)  # wherever it was imported first
    monkeypatch.setattr(cleaning, "clean_data", never)
    return ["audit", "--matched"] if request.param == "audit" else ["data", "clean", "--out"]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(["caption,member", *ROWS]))
    return path


def refusal(command: list[str], source: Path, out: Path) -> str:
    before = source.read_bytes()
    result = CliRunner().invoke(app, [*command, str(out), str(source)])
    assert isinstance(result.exception, DataError), result.exception
    assert source.read_bytes() == before
    assert ".partial" not in str(result.exception)
    return str(result.exception)


def test_the_data_themselves_are_never_replaced(command: list[str], source: Path) -> None:
    symbolic, hard = source.with_name("symbolic.csv"), source.with_name("hard.csv")
    symbolic.symlink_to(source)
    os.link(source, hard)
    for out in (source, symbolic, hard, source.parent / "." / source.name):
        assert "is the very file that is" in refusal(command, source, out)


def test_another_file_is_not_replaced(command: list[str], source: Path) -> None:
    other = source.with_name("other.parquet")
    other.write_text("kept")
    assert "is there already; choose another --" in refusal(command, source, other)
    assert other.read_text() == "kept"


def test_a_folder_or_no_place_is_said_before_the_work(command: list[str], source: Path) -> None:
    folder = source.with_name("folder.parquet")
    folder.mkdir()
    assert "is a folder" in refusal(command, source, folder)
    assert "cannot be written (Not a directory)" in refusal(command, source, source / "a.parquet")
    long = source.with_name("x" * 244 + ".parquet")
    assert "cannot be written (File name too long)" in refusal(command, source, long)
    assert {path.name for path in source.parent.iterdir()} == {source.name, folder.name}


def test_what_fails_later_names_the_file_that_was_asked_for(tmp_path: Path) -> None:
    out = tmp_path / "a.csv"
    why = r"a\.csv cannot be written \(Is a directory\)\.$"
    with pytest.raises(DataError, match=why), writing(out) as partial:
        out.mkdir()
        partial.write_text("x")
    assert list(tmp_path.iterdir()) == [out]
