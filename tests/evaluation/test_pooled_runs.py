"""Runs of several seeds, or of several targets of one kind, pooled; others are refused in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import miagym
from miagym.api.folders.pooled import Over, PooledRuns
from miagym.errors import RunError
from miagym.metrics.resampling.over_runs import over_runs
from miagym.targets.dummy import DummyTarget
from tests.command_line import run
from tests.evaluation.work import evaluated

SEEDS = (0, 1, 2)


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory, small_forests: None) -> list[Path]:
    root = tmp_path_factory.mktemp("seeds")
    for seed in SEEDS:
        evaluated(root / str(seed), seed=seed, chunk=50)
    return [root / str(seed) for seed in SEEDS]


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory, small_forests: None) -> Path:
    """A run on another target of the same kind, under seed 0."""
    out = tmp_path_factory.mktemp("other") / "run"
    data = miagym.load_data("clipart-tune")
    target = DummyTarget(data.candidates(np.flatnonzero(data.member)[8:20], 64))
    target.name = "another"
    options: dict[str, Any] = {"attacks": "sima", "limit": 12, "chunk": 50, "generated": 0}
    miagym.evaluate(target, data, null=None, reference=None, out=out, **options)
    return out


def pooled(paths: list[Path], out: Path) -> PooledRuns:
    found = miagym.merge(paths, out)
    assert isinstance(found, PooledRuns)
    return found


def test_seeds_are_pooled(seeds: list[Path], tmp_path: Path) -> None:
    found = pooled(seeds, tmp_path / "out")
    assert (found.over, found.names, found.shared) == (Over.SEEDS, ("0", "1", "2"), True)
    assert not found.alike and "over candidates, some of which the runs share, and" in str(found)
    rows = [miagym.Run.open(path)["sima"] for path in seeds]
    expected = over_runs([row.auc for row in rows], [row.auc_ci for row in rows], shared=True)
    assert found["sima"].auc == expected and found["sima"].tpr is None
    assert [row.attack for row in found.rows if row.access == "blind"]
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    told = json.loads((tmp_path / "out" / "pooled.json").read_text(encoding="utf-8"))
    assert told == json.loads(json.dumps(found.as_json())) and told["over"] == "seeds"
    for said in ("the spread between runs", "SD of the AUC between seeds"):
        assert said in page and said in str(found)


def test_targets_are_pooled(seeds: list[Path], other: Path, tmp_path: Path) -> None:
    found = pooled([seeds[0], other], tmp_path / "out")
    assert (found.over, found.names) == (Over.TARGETS, ("dummy", "another"))
    assert found.alike and "over candidates, which the runs share, and" in str(found)


def test_by_the_command_line(
    seeds: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("merge", *seeds[:2], "--out", tmp_path / "out", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["names"] == ["0", "1"] and told["rows"][-1]["auc"]["mean"] > 0.5


def test_what_cannot_be_pooled(
    seeds: list[Path], other: Path, tmp_path: Path, small_forests: None
) -> None:
    evaluated(tmp_path / "fewer", limit=10, chunk=50, seed=7)
    cases = {
        "are the same run": [seeds[0], seeds[0]],
        "stands for two": [seeds[0], seeds[1], seeds[1]],
        "limit: 12 in the first, 10 in the second": [seeds[0], tmp_path / "fewer"],
        "some in the target": [seeds[0], seeds[1], other],
        "seed: 1 in the first, 0 in the second": [seeds[1], other],
    }
    for said, paths in cases.items():
        with pytest.raises(RunError, match=said):
            miagym.merge(paths, tmp_path / "out")
        assert not (tmp_path / "out").exists()
    with pytest.raises(RunError, match="there already"):
        miagym.merge(seeds, tmp_path)
