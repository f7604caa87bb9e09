"""A Codabench bundle: complete, scored as `miagym score` does, and no label where players look."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

import miagym
from miagym.errors import HostError
from miagym.hosting.codabench import scoring
from miagym.hosting.codabench.bundle import Bundle, bundle
from miagym.hosting.codabench.competition import Dates
from miagym.hosting.suite import PHASES, suite
from miagym.scorefile.reading.columns import Columns
from tests.command_line import run
from tests.hosting.serving import TASK, serving

DATES = ("--start", "2026-12-01", "--final", "2027-01-15")


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("codabench")
    out = folder / "bundle.zip"
    run("host", "add", "ada", "--db", folder / "host.sqlite")
    run("host", "codabench", "--task", "overfit-60", "--url", "http://host:8000", *DATES,
        "--db", folder / "host.sqlite", "--out", out)  # fmt: skip
    with zipfile.ZipFile(out) as archive:
        archive.extractall(folder / "app")
    yield folder / "app"


def lines(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def scored(app: Path, submission: str, work: Path, phase: str = "dev") -> tuple[int, str, Path]:
    """Runs the command of metadata.yaml as a worker does, where there is no miagym but the copy."""
    given, out = work / "input", work / "output"
    (given / "res").mkdir(parents=True)
    (given / "res" / "submission.csv").write_text(submission, encoding="utf-8")
    (given / "ref").symlink_to(app / f"{phase}_reference_data")
    told = yaml.safe_load((app / "scoring_program" / "metadata.yaml").read_text(encoding="utf-8"))
    python, program, *folders = told["command"].split()
    assert (python, program) == ("python3", "/app/program/scoring.py")
    assert folders == ["/app/input/", "/app/output/"]
    command = [sys.executable, "-S", app / "scoring_program" / "scoring.py", given, out]
    env = {**os.environ, "PYTHONPATH": str(numpy_and_scipy(work / "packages"))}
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    return done.returncode, done.stdout + done.stderr, out / "scores.json"


def numpy_and_scipy(folder: Path) -> Path:
    """A folder of these packages, and of no others."""
    folder.mkdir()
    for name in ("numpy", "numpy.libs", "scipy", "scipy.libs"):
        (folder / name).symlink_to(Path(sysconfig.get_paths()["purelib"], name))
    return folder


def submission(scores: dict[str, float]) -> str:
    return "\n".join(["ids,score", *(f"{name},{score!r}" for name, score in scores.items())])


def test_the_competition_names_files_that_are_there(unpacked: Path) -> None:
    told = yaml.safe_load((unpacked / "competition.yaml").read_text(encoding="utf-8"))
    named = [told["image"], told["terms"], *(page["file"] for page in told["pages"])]
    for task in told["tasks"]:
        named += [task["scoring_program"], task["reference_data"]]
    for phase in told["phases"]:
        named += [phase["starting_kit"], phase["public_data"]]
        assert phase["accepts_only_result_submissions"], "nobody's code runs beside the labels"
        assert not phase["auto_migrate_to_this_phase"]
    assert all((unpacked / name).exists() for name in named)
    assert {path.name for path in unpacked.iterdir()} == {*named, "competition.yaml"}
    first, last = told["phases"]
    assert first["end"] == last["start"] and "end" not in last
    assert [first["max_submissions_per_day"], last["max_submissions_per_day"]] == [20, 2]
    assert "$" not in "".join(path.read_text(encoding="utf-8") for path in unpacked.glob("*.md"))


def test_what_participants_get_tells_no_label(unpacked: Path) -> None:
    seen: set[bytes] = set()
    for phase in PHASES:
        folder = unpacked / f"{phase}_public_data"
        rows = lines(folder / "candidates.csv")
        truth = {row["id"]: row["member"] for row in lines(
            unpacked / f"{phase}_reference_data" / "reference.csv"
        )}  # fmt: skip
        ids = [row["id"] for row in rows]
        assert ids == sorted(ids) == list(truth) and {*rows[0]} == {"id", "picture", "caption"}
        assert [*truth.values()].count("1") == [*truth.values()].count("0") == 128
        files = {f"pictures/{path.name}" for path in (folder / "pictures").iterdir()}
        assert files == {row["picture"] for row in rows} == {f"pictures/{name}.png" for name in ids}
        for path in (folder / "pictures").iterdir():
            content = path.read_bytes()
            with Image.open(BytesIO(content)) as image:
                assert not image.info, "a picture says nothing beside its pixels"
            assert content not in seen, "phases share no picture"
            seen.add(content)
    dated = zipfile.ZipFile(unpacked.parent / "bundle.zip").infolist()
    assert len({(one.date_time, one.external_attr) for one in dated}) == 1
    open_to_all = b"".join(
        path.read_bytes() for path in unpacked.rglob("*") if path.is_file()
        and "reference_data" not in str(path) and path.suffix != ".png"
    )  # fmt: skip
    assert b"host.sqlite" not in open_to_all and b"clipart-overfit" not in open_to_all


def test_labels_are_those_of_the_pictures(unpacked: Path) -> None:
    data = miagym.load_data("clipart-tune")
    shown = data.candidates(np.arange(len(data)), 64)
    member = {
        (image.tobytes(), caption): side
        for image, caption, side in zip(shown.images, shown.captions, data.member, strict=True)
    }
    truth = lines(unpacked / "dev_reference_data" / "reference.csv")
    for row, label in zip(
        lines(unpacked / "dev_public_data" / "candidates.csv"), truth, strict=True
    ):
        with Image.open(unpacked / "dev_public_data" / row["picture"]) as image:
            pixels = np.asarray(image).tobytes()
        assert member[pixels, row["caption"]] == (label["member"] == "1")


@pytest.mark.parametrize("digits", [16, 1])
def test_scores_are_those_of_miagym_score(unpacked: Path, tmp_path: Path, digits: int) -> None:
    rows, rng = lines(unpacked / "final_reference_data" / "reference.csv"), np.random.default_rng(1)
    scores = {row["id"]: round(rng.normal() + int(row["member"]), digits) for row in rows}
    code, said, path = scored(unpacked, submission(scores), tmp_path, "final")
    assert (code, said) == (0, "")
    found = json.loads(path.read_text(encoding="utf-8"))
    joined = tmp_path / "joined.csv"
    with joined.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "score", "member", "group"])
        writer.writerows([r["id"], scores[r["id"]], r["member"], r["group"]] for r in rows)
    row = miagym.score(joined, columns=Columns(group="group"))["score"]
    at = row.tpr_at_fpr["0.01"]
    assert at is not None and row.effective_members is not None
    expected = [row.auc, *row.auc_ci, at.tpr, *at.ci]
    assert list(found.values()) == [round(float(value), 3) for value in expected]
    told = yaml.safe_load((unpacked / "competition.yaml").read_text(encoding="utf-8"))
    assert [column["key"] for column in told["leaderboards"][0]["columns"]] == list(found)


def test_the_sample_is_at_chance(unpacked: Path, tmp_path: Path) -> None:
    sample = (unpacked / "starting_kit" / "dev" / "submission.csv").read_text(encoding="utf-8")
    code, _, path = scored(unpacked, sample, tmp_path)
    assert code == 0 and json.loads(path.read_text(encoding="utf-8"))["auc"] == 0.5


def test_what_is_wrong_with_a_submission_is_said(
    unpacked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = (unpacked / "starting_kit" / "dev" / "submission.csv").read_text(encoding="utf-8")
    first = sample.splitlines()[1].partition(",")[0]
    given = tmp_path / "input"
    (given / "res").mkdir(parents=True)
    (given / "ref").symlink_to(unpacked / "dev_reference_data")
    for why, text in {
        "of no candidate": sample.replace(first, "0" * 16),
        "have no score": sample.replace(f"{first},0.5\n", ""),
        "second time": f"{sample}{first},0.5\n",
        "finite number": sample.replace(f"{first},0.5", f"{first},nan"),
        "first line is ids,score": sample.replace("ids,score", "id,member"),
        "short lines": sample.replace(first, "0" * 200_000),
        "these are labels": sample.replace("0.5", "1").replace("1\n", "0\n", 1),
        "up to 1,000,000 bytes": sample * 200,
    }.items():
        (given / "res" / "mine.csv").write_text(text, encoding="utf-8")
        assert scoring.main([str(given), str(tmp_path / "out")]) == 1
        assert why in capsys.readouterr().err
    (given / "res" / "mine.csv").unlink()
    (given / "res" / "mine.csv").symlink_to(unpacked / "dev_reference_data" / "reference.csv")
    assert scoring.main([str(given), str(tmp_path / "out")]) == 1, "a link leads out of the ZIP"
    assert "got 0 CSV" in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_nobody_else_on_the_machine_reads_labels(tmp_path: Path) -> None:
    Bundle({"reference.csv": b"id,member,group"}, {}).save(tmp_path / "bundle.zip")
    assert (tmp_path / "bundle.zip").stat().st_mode & 0o777 == 0o600


@pytest.mark.slow
def test_the_starting_kit_plays_and_submits(tmp_path: Path) -> None:
    task = dataclasses.replace(TASK, candidates=16, slots=4, hands=2, budget=30)
    with serving(tmp_path / "host.sqlite", task) as hosted:
        made = bundle(task, hosted.ledger.secret, hosted.address, Dates(*DAYS))
        made.save(tmp_path / "bundle.zip")
        app = tmp_path / "app"
        with zipfile.ZipFile(tmp_path / "bundle.zip") as archive:
            archive.extractall(app)
        overview = (app / "overview.md").read_text(encoding="utf-8")
        (advised,) = re.findall(r"^python (play.py .*)$", overview, re.MULTILINE)
        words = advised.replace("YOUR-KEY", hosted.key("ada")).split()
        (app / "starting_kit" / "public_data").symlink_to(app / "dev_public_data")
        done = subprocess.run(
            [sys.executable, *words], cwd=app / "starting_kit", capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        with zipfile.ZipFile(app / "starting_kit" / "submission.zip") as archive:
            text = archive.read("submission.csv").decode("utf-8")
        code, _, path = scored(app, text, tmp_path)
        found = json.loads(path.read_text(encoding="utf-8"))
        assert code == 0 and set(found) == {"auc", "auc_low", "auc_high"}, "32 are too few for TPRs"
        (mine,) = hosted.host.desk("small").all()
        truth = lines(app / "dev_reference_data" / "reference.csv")
        assert sorted(mine.scores.values()) == pytest.approx(
            sorted(float(row["score"]) for row in csv.DictReader(text.splitlines()))
        )
        assert len(truth) == 32 and found["auc"] > 0.5


DAYS = (datetime(2026, 12, 1), datetime(2027, 1, 15))


def test_what_makes_no_competition_is_refused(
    unpacked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(HostError, match="before"):
        Dates(*reversed(DAYS))
    with pytest.raises(HostError, match="is a service"):
        bundle(suite("services-2026")[0], "00" * 32, "http://host", Dates(*DAYS))
    begun = ("host", "codabench", "--url", "http://host", *DATES, "--db", tmp_path / "h.sqlite")
    run("host", "add", "ada", "--db", tmp_path / "h.sqlite")
    run(*begun, "--out", tmp_path / "b.zip", "--task", "own", code=2)
    assert "'own'" in (said := capsys.readouterr().err) and "null-60" in said
    run(*begun, "--out", unpacked.parent / "bundle.zip", "--task", "null-60", code=2)
    assert "exists" in capsys.readouterr().err
    assert not (tmp_path / "b.zip").exists()
