"""Shards of a run, merged, are the run; and what are no shards of one run is refused in words."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import miagym
from miagym.errors import RunError, SettingsError
from miagym.evaluation import workers
from miagym.evaluation.sharding.shards import Shard
from tests.command_line import run
from tests.evaluation.work import dummy_target, evaluated

OPTIONS: dict[str, Any] = {"limit": 11, "chunk": 3, "attacks": ["sima", "pia"], "paper": True}


@pytest.fixture(scope="module", autouse=True)
def dummy_by_name(small_forests: None) -> Iterator[None]:
    """`merge` loads targets by their names."""
    target = dummy_target()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("miagym.targets.registry.load_target", lambda name, **options: target)
        yield


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    root = tmp_path_factory.mktemp("shards")
    paths = [root / str(number) for number in (1, 2, 3)]
    for number, path in enumerate(paths, 1):
        found = evaluated(path, shard=f"{number}/3", **OPTIONS)
        assert not found.rows and f"Shard {number}/3 is done" in str(found)
        assert not (path / "results.json").exists()
    return paths


def results(out: Path) -> dict[str, Any]:
    found = json.loads((out / "results.json").read_text(encoding="utf-8"))
    for row in found["rows"]:
        row.pop("seconds")
    return found


def test_merged_shards_are_the_plain_run(
    shards: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluated(tmp_path / "plain", **OPTIONS)

    def never(*_: Any) -> None:
        raise AssertionError("a chunk was scored again")

    monkeypatch.setattr(workers, "score_chunk", never)
    order = [shards[2], shards[0], shards[1]]
    merged = miagym.merge(order, tmp_path / "merged")
    plain = tmp_path / "plain"
    scores = [folder / "scores.parquet" for folder in (plain, tmp_path / "merged")]
    assert scores[0].read_bytes() == scores[1].read_bytes()
    assert results(tmp_path / "merged") == results(plain)
    assert miagym.diff(plain, tmp_path / "merged").same
    assert "shard" not in merged.about and len(
        {len(list((s / "chunks").iterdir())) for s in shards}
    )


def edited(shard: Path, out: Path, *keys: Any, value: Any) -> Path:
    shutil.copytree(shard, out)
    about = inner = json.loads((out / "run.json").read_text(encoding="utf-8"))
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    (out / "run.json").write_text(json.dumps(about), encoding="utf-8")
    return out


def test_what_are_no_shards_of_one_run_is_refused(
    shards: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = edited(shards[1], tmp_path / "seed", "config", "seed", value=7)
    code = edited(shards[1], tmp_path / "code", "code", 0, "pia", value="0" * 16)
    undone = Path(shutil.copytree(shards[1], tmp_path / "undone"))
    (undone / "shard.json").unlink()
    whole = Path(shutil.copytree(undone, tmp_path / "whole"))
    about = json.loads((whole / "run.json").read_text(encoding="utf-8"))
    about.pop("shard")
    (whole / "run.json").write_text(json.dumps(about), encoding="utf-8")
    for given, said in (
        ([shards[0], seed, shards[2]], r"\(seed: 0 in the first, 7 in the second\)"),
        ([shards[0], code, shards[2]], r"code of pia: "),
        (shards[:2], "Of 3 shards, 3 missing"),
        ([shards[0], shards[0]], "give each once"),
        ([shards[0], undone, shards[2]], "holds no finished shard"),
        ([whole], "whole holds a whole run, and no shard of one"),
        ([shards[0], whole], "whole holds a whole run, and no shard of one"),
        ([tmp_path], "holds no run of miagym"),
    ):
        with pytest.raises(RunError, match=said):
            miagym.merge(given, tmp_path / "merged")
        assert not (tmp_path / "merged").exists()
    run("merge", *shards[:2], "--out", tmp_path / "merged", code=2)
    assert "3 missing" in capsys.readouterr().err


def test_another_choice_of_variants_is_refused(
    shards: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    with monkeypatch.context() as patch:
        patch.setattr("miagym.evaluation.calibration.best_variant", lambda found: max(found))
        evaluated(other, shard="2/3", **OPTIONS)
    with pytest.raises(RunError, match="with another variant of"):
        miagym.merge([shards[0], other, shards[2]], tmp_path / "merged")


@pytest.mark.parametrize("wrong", ["3/2", "0/2", "2", "a/b", "1/0"])
def test_what_is_no_shard_is_one_sentence(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"i/n"):
        evaluated(tmp_path / "run", shard=wrong, **OPTIONS)
    assert not (tmp_path / "run").exists()


def test_a_shard_says_how_much_it_holds_and_none_is_empty(tmp_path: Path) -> None:
    told: list[str] = []
    with pytest.raises(SettingsError, match=r"up to 3 candidates \(8\), got 1/9; .*chunk="):
        evaluated(tmp_path / "run", shard="1/9", **OPTIONS)
    assert not (tmp_path / "run").exists()
    evaluated(tmp_path / "run", shard="2/3", tell=told.append, **OPTIONS)
    assert "Shard 2/3 holds 3 of the 8 chunks of the test part." in told


def test_every_chunk_falls_to_one_shard() -> None:
    parts = [Shard(number, 3).share(range(10)) for number in (1, 2, 3)]
    assert sorted(number for part in parts for number in part) == list(range(10))
