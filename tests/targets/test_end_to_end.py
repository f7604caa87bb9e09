"""From the command line to the results: what people have, put on what it belongs to."""

from __future__ import annotations

import json
from pathlib import Path

import diffusers
import pytest
from typer.testing import CliRunner

import miagym
from miagym.cli import app
from miagym.errors import UnknownName
from miagym.oracle import Candidates, Oracle
from miagym.targets.dummy import DummyTarget
from tests.targets import loras, models, single_files
from tests.targets.models import write

FEW = ["--data", "clipart-tune", "--attacks", "sima", "--limit", "10", "--null", "-"]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(models.stable_diffusion, tmp_path_factory.mktemp("base") / "model")


def evaluate(out: Path, *options: str) -> tuple[str, dict[str, object]]:
    """What the command printed, and the content of run.json."""
    done = CliRunner().invoke(app, ["evaluate", *FEW, *options, "--out", str(out)])
    assert done.exit_code == 0, done.output
    return done.output, json.loads((out / "run.json").read_text(encoding="utf-8"))


def scores(out: Path) -> list[float]:
    import pyarrow.parquet as pq

    table = pq.read_table(out / "scores.parquet").to_pandas()
    of_sima = table[(table["attack"] == "sima") & (table["part"] == "test")]
    return of_sima.sort_values("candidate")["score"].tolist()


@pytest.fixture(scope="module")
def plain(base: Path, tmp_path_factory: pytest.TempPathFactory) -> list[float]:
    """The scores of the model as it is."""
    out = tmp_path_factory.mktemp("plain") / "run"
    evaluate(out, "--target", str(base))
    return scores(out)


@pytest.mark.slow
def test_a_lora_from_the_command_line_changes_the_scores(
    base: Path, plain: list[float], tmp_path: Path
) -> None:
    path = loras.kohya(tmp_path)
    lora = ["--target", str(base), "--lora", f"{path}:0.5", "--dtype", "float32"]
    _, run = evaluate(tmp_path / "lora", *lora)
    name = f"{base}+{path}:0.5"
    assert run["targets"] == {name: {"pipeline": "StableDiffusionPipeline"}}
    evaluate(tmp_path / "zero", "--target", f"{base}+{path}:0")
    assert scores(tmp_path / "zero") == plain != scores(tmp_path / "lora")


@pytest.mark.slow
def test_a_single_file_from_the_command_line(
    base: Path, plain: list[float], tmp_path: Path
) -> None:
    pipeline = diffusers.StableDiffusionPipeline.from_pretrained(base, safety_checker=None)
    file = single_files.write(pipeline, tmp_path / "model.safetensors")
    printed, _ = evaluate(tmp_path / "file", "--target", f"{file}+{base}")
    assert "is read as a StableDiffusionPipeline, as model is built" in printed.replace("\n", " ")
    assert scores(tmp_path / "file") == plain


@pytest.mark.slow
def test_a_sampled_posterior_is_recorded_and_paired(
    base: Path, plain: list[float], tmp_path: Path
) -> None:
    for name, options in (("a", []), ("b", ["--chunk", "5", "--batch-size", "3"])):
        sampled = ["--target", str(base), "--posterior", "sample", *options]
        _, run = evaluate(tmp_path / name, *sampled)
        assert run["config"]["posterior"] == "sample"  # type: ignore[index]
    assert scores(tmp_path / "a") == pytest.approx(scores(tmp_path / "b"), rel=1e-4)
    assert scores(tmp_path / "a") != pytest.approx(plain, rel=1e-3)


def test_an_unknown_posterior_or_precision_is_one_sentence(
    base: Path, dummy: DummyTarget, drawings: Candidates
) -> None:
    with pytest.raises(UnknownName, match="posterior is called 'median'; did you mean mean"):
        Oracle(dummy, posterior="median")
    with pytest.raises(UnknownName, match="posterior is called 'median'"):
        miagym.evaluate(str(base), "clipart-tune", "sima", posterior="median")
    with pytest.raises(UnknownName, match="precision is called 'float8'"):
        miagym.load_target(str(base), dtype="float8")
    # a deterministic encoder has no use for noise
    z = [Oracle(dummy, posterior=p).encode(drawings[:2]) for p in ("mean", "sample")]
    assert (z[0] == z[1]).all()


def test_additions_are_for_one_target(base: Path, tmp_path: Path) -> None:
    several = ["--target", str(base), "--target", "clipart-null", "--lora", "x.safetensors"]
    done = CliRunner().invoke(app, ["evaluate", *several, "--out", str(tmp_path / "run")])
    assert done.exit_code != 0
    said = str(done.exception) if done.exception else done.output
    assert "are for one --target, got 2" in said + done.output
