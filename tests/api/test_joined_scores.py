"""Scores can be joined with the data they came from: by the row, and by the name of its file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import miagym
from miagym.data.dataset import TEST, Dataset
from miagym.evaluation.store import SCORES, with_all_columns
from miagym.targets.dummy import DummyTarget


@pytest.fixture(scope="module")
def run(dummy: DummyTarget, small: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on data with names, of which one picture cannot be read."""
    pictures = [b"broken" if i == 1 else p for i, p in enumerate(small.pictures)]
    names = tuple(f"{i:03}.png" for i in range(len(pictures)))
    out = tmp_path_factory.mktemp("runs") / "run"
    miagym.evaluate(dummy, replace(small, pictures=pictures, names=names), "loss", out=out)
    return out


def test_scores_are_joined_with_the_data(run: Path, small: Dataset) -> None:
    scores = pq.read_table(run / "scores.parquet").to_pandas()
    assert (scores["name"] == scores["row"].map("{:03}.png".format)).all()
    assert (scores["member"] == small.member[scores["row"]]).all()
    assert set(scores[scores["part"] == TEST]["row"]) == set(np.flatnonzero(small.part == TEST)) - {
        1
    }
    keys = small.candidates(scores["row"].to_numpy(), 64).keys
    assert tuple(scores["candidate"]) == keys


def test_a_run_from_before_the_names_is_still_read(run: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    for file in ("run.json", "results.json"):
        (old / file).write_bytes((run / file).read_bytes())
    scores = pq.read_table(run / "scores.parquet")
    pq.write_table(scores.drop_columns(["row", "name"]), old / "scores.parquet")
    opened, new = miagym.Run.open(old), miagym.Run.open(run)
    assert opened.scores["score"].equals(new.scores["score"])
    assert opened.scores.schema == SCORES and opened.scores["name"].null_count == len(opened.scores)
    assert opened.report(tmp_path / "x.html").stat().st_size
    assert miagym.score(old / "scores.parquet")["loss"].auc == opened["loss"].auc


def test_chunks_from_before_the_names_are_gathered() -> None:
    old = SCORES.empty_table().drop_columns(["row", "name"])
    assert with_all_columns(old).schema == SCORES


def test_the_shipped_demo_is_read() -> None:
    demo = Path(miagym.__file__).parent / "assets" / "demo"
    assert miagym.Run.open(demo).scores.num_rows > 0
