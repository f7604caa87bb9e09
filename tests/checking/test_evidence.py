"""Evidence of a check: a new folder, whole or not at all, that says what may be claimed."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import miagym
from miagym.candidates import Candidates
from miagym.data.dataset import Dataset
from miagym.errors import DataError, RunError
from miagym.report.pdf import find_browser
from miagym.targets.dummy import DummyTarget
from tests.command_line import run

NAMED = "<b>&'\"; rm -rf.png"
"""A name that must stand on the page as it is."""


def png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def sides(drawings: Candidates, tmp_path: Path) -> tuple[Path, Path]:
    used, unused = tmp_path / "used", tmp_path / "unused"
    for folder, first in ((used, 0), (unused, 40)):
        folder.mkdir()
        for i in range(12):
            (folder / f"{i:02}.png").write_bytes(png(drawings.images[first + i]))
    (used / "00.png").rename(used / NAMED)
    return used, unused


@pytest.fixture
def found(dummy: DummyTarget, sides: tuple[Path, Path]) -> miagym.UnusedCheck:
    made = miagym.check(sides[0], dummy, unused=sides[1], attacks="sima", fdr=0.2)
    assert isinstance(made, miagym.UnusedCheck)
    return made


@pytest.fixture
def no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("miagym.report.pdf.find_browser", lambda: None)


@pytest.mark.usefixtures("no_browser")
def test_a_folder_holds_all_that_somebody_else_needs(
    found: miagym.UnusedCheck, sides: tuple[Path, Path], tmp_path: Path
) -> None:
    files = found.save_evidence(tmp_path / "evidence", command="miagym check used")
    assert [file.name for file in files] == ["evidence.html", "evidence.json"]
    kept = json.loads((tmp_path / "evidence" / "evidence.json").read_text(encoding="utf-8"))
    assert kept["result"] == json.loads(json.dumps(found.as_json()))
    assert kept["command"] == "miagym check used" and kept["versions"]["miagym"]
    digests = {row["picture"]: row["sha256"] for row in kept["pictures"]}
    for folder in sides:
        for file in folder.iterdir():
            assert digests[str(file)] == hashlib.sha256(file.read_bytes()).hexdigest()
    page = (tmp_path / "evidence" / "evidence.html").read_text(encoding="utf-8")
    assert page.count("data:image/jpeg;base64,") == 24 and "<b>&'" not in page
    assert "&lt;b&gt;" in page and "<script" not in page
    for sentence in (*kept["may_be_claimed"], "How to repeat it", digests[str(sides[0] / NAMED)]):
        assert str(sentence)[:20] in page.replace("\N{NO-BREAK SPACE}", " ")
    assert not list(tmp_path.glob("*.partial*"))


@pytest.mark.usefixtures("no_browser")
def test_no_claim_goes_beyond_the_answer(found: miagym.UnusedCheck, tmp_path: Path) -> None:
    found.save_evidence(tmp_path / "evidence")
    kept = json.loads((tmp_path / "evidence" / "evidence.json").read_text(encoding="utf-8"))
    may = " ".join(kept["may_be_claimed"])
    assert "member-like at a false positive rate of 1 %" in may and "stolen" not in may
    assert any("stolen" in sentence for sentence in kept["may_not_be_claimed"])
    assert kept["command"].startswith("miagym.check(pictures, unused=unused, target='dummy'")


@pytest.mark.usefixtures("no_browser")
def test_what_is_there_is_refused_and_nothing_is_left_half(
    found: miagym.UnusedCheck, sides: tuple[Path, Path], tmp_path: Path
) -> None:
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "mine.txt").write_text("mine")
    with pytest.raises(RunError, match=r"taken is there already, .* choose another folder\."):
        found.save_evidence(taken)
    assert [file.name for file in taken.iterdir()] == ["mine.txt"]
    with pytest.raises(RunError, match="cannot be written"):
        found.save_evidence(taken / "mine.txt" / "below")
    picture = next(sides[1].iterdir())
    picture.write_bytes(picture.read_bytes() + b" ")
    with pytest.raises(DataError, match="has changed since it was checked"):
        found.save_evidence(tmp_path / "new")
    assert not (tmp_path / "new").exists() and not list(tmp_path.glob("*.partial*"))


def test_the_command_refuses_a_folder_before_the_work(
    sides: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--unused", sides[1], "--target", "clipart-overfit", "--out", tmp_path)
    run("check", sides[0], *options, code=2)
    assert capsys.readouterr().err.strip().endswith("choose another --out.")


@pytest.mark.skipif(find_browser() is None, reason="needs Chrome or Chromium")
def test_the_command_writes_a_print(
    sides: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--unused", sides[1], "--target", "clipart-overfit", "--reference", "-")
    run("check", sides[0], *options, "--out", tmp_path / "evidence")
    said = capsys.readouterr().out
    assert "evidence.pdf." in said
    assert (tmp_path / "evidence" / "evidence.pdf").read_bytes().startswith(b"%PDF")
    kept = json.loads((tmp_path / "evidence" / "evidence.json").read_text(encoding="utf-8"))
    assert kept["command"].startswith("miagym check ")


@pytest.mark.usefixtures("no_browser")
def test_a_check_by_members_is_evidence_too(
    dummy: DummyTarget, drawings: Candidates, member: np.ndarray, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    part = np.where(np.arange(len(member)) % 40 < 2, "test", "calibration")
    pictures = [png(image) for image in drawings.images]
    data = Dataset("small", pictures, drawings.captions, member, part)
    given = [pictures[i] for i in (0, 1, 40)]
    found = miagym.check(given, dummy, data=data, attacks="sima", alpha=0.05)
    found.save_evidence(tmp_path / "evidence")
    kept = json.loads((tmp_path / "evidence" / "evidence.json").read_text(encoding="utf-8"))
    assert kept["data"] == {"name": "small", "digest": data.digest}
    assert len(kept["pictures"]) == 3 and kept["result"]["set"]["pictures"] == 3
