"""What differs between two runs is said: what made them, and how far scores lie apart."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import miagym
from miagym.errors import RunError
from miagym.targets.dummy import DummyTarget
from tests.command_line import run

pytestmark = pytest.mark.usefixtures("small_forests")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = miagym.load_data("clipart-tune")
    target = DummyTarget(data.candidates(np.flatnonzero(data.member)[:8], 64))
    out = tmp_path_factory.mktemp("diff") / "run"
    miagym.evaluate(target, "clipart-tune", "sima,pia", limit=4, out=out)
    return out


def edited(run: Path, out: Path, edit: Callable[[dict[str, Any]], None]) -> Path:
    shutil.copytree(run, out)
    about = json.loads((out / "run.json").read_text(encoding="utf-8"))
    edit(about)
    (out / "run.json").write_text(json.dumps(about), encoding="utf-8")
    return out


def test_a_run_does_not_differ_from_its_copy(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = edited(finished, tmp_path / "copy", lambda about: about.update(git_commit="another"))
    found = miagym.diff(finished, copy)
    assert found.same and not found.made
    run("diff", finished, copy)
    assert "Nothing that made them differs" in capsys.readouterr().out


def test_whatever_made_a_run_is_compared(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def edit(about: dict[str, Any]) -> None:
        about["code"][0]["pia"] = "0" * 16
        about["engine"] = "1" * 16
        about["models"]["dummy"] = "2" * 16
        about["data"]["clipart-tune"] = "3" * 16
        about["config"]["seed"] = 7
        about["versions"]["torch"] = "0.1"
        del about["attacks"][0]["sima"]

    other = edited(finished, tmp_path / "other", edit)
    found = {one.what: (one.first, one.second) for one in miagym.diff(finished, other).made}
    assert found.keys() == {
        "code of pia",
        "code of miagym",
        "weights of dummy",
        "content of clipart-tune",
        "seed",
        "version of torch",
        "variants of sima",
    }
    assert found["seed"] == ("0", "7") and found["variants of sima"][1] == "none"
    run("diff", finished, other, code=1)
    printed = capsys.readouterr().out
    assert "They differ in seed, weights of dummy" in printed and "equal scores" in printed
    run("diff", finished, other, "--json", code=1)
    assert json.loads(capsys.readouterr().out)["same"] is False


def test_scores_are_compared_row_by_row(finished: Path, tmp_path: Path) -> None:
    other = edited(finished, tmp_path / "other", lambda about: None)
    scores = pq.read_table(other / "scores.parquet")
    values, names = scores["score"].to_pylist(), scores["attack"].to_pylist()
    values[names.index("pia")] += 0.25
    place = scores.schema.get_field_index("score")
    scores = scores.set_column(place, "score", pa.array(values))
    shuffled = scores.take(np.random.default_rng(0).permutation(len(scores)))
    of = zip(shuffled["attack"].to_pylist(), shuffled["part"].to_pylist(), strict=True)
    without = shuffled.filter(pa.array([pair != ("sima", "test") for pair in of]))
    pq.write_table(without, other / "scores.parquet")
    found = miagym.diff(finished, other)
    rows = {row.attack: row for row in found.scores}
    assert not found.made and not found.same
    assert rows["pia"].largest == pytest.approx(0.25) and rows["pia"].only_first == 0
    assert rows["sima"].only_first == 8 and rows["sima"].largest == 0
    assert "scores differ for pia, sima" in found.sentence
    (other / "scores.parquet").unlink()
    assert "once both runs are finished" in str(miagym.diff(finished, other))


def test_what_was_not_compared_is_not_the_same(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script that asks for the exit code must not take an unfinished run, or a shard, for it."""
    other = edited(finished, tmp_path / "other", lambda about: None)
    (other / "scores.parquet").unlink()
    run("diff", finished, other, "--json", code=2)
    told = json.loads(capsys.readouterr().out)
    assert not told["same"] and not told["compared"] and not told["made"]
    shard = edited(other, tmp_path / "shard", lambda about: about.update(shard="1/2"))
    run("diff", finished, shard, code=1)
    assert "They differ in shard" in capsys.readouterr().out


def test_what_is_no_run_is_one_sentence(finished: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="holds no run of miagym"):
        miagym.diff(finished, tmp_path)
    (tmp_path / "run.json").write_text("[]", encoding="utf-8")
    with pytest.raises(RunError, match=r"is no run\.json"):
        miagym.diff(finished, tmp_path)
