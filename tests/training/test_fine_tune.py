"""Fine-tuning learns the members, keeps checkpoints, resumes to the same bytes, and says no."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image
from typer.testing import CliRunner

from miagym.cli import app
from miagym.data.registry import load_data
from miagym.errors import DataError, MiagymError, RunError, TargetError, UnknownName
from miagym.noise import paired_noise
from miagym.targets.registry import checkpoints, load_target
from miagym.training.fine_tune import fine_tune, member_rows
from miagym.training.plan import FineTuning, halvings
from miagym.training.record import record_of
from tests.tiers import mostly_slow
from tests.training.small import silent

PARTS = ("text_encoder", "vae", "unet")


def stop_after(n: int):
    """Training is stopped before its step n; encoding is left alone."""

    def progress(steps: range, label: str) -> Iterable[int]:
        for step in steps:
            if step == n and label != "encoding":
                raise KeyboardInterrupt
            yield step

    return progress


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 12 members and 12 non-members, of several sizes, some without a caption."""
    root, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for side in ("members", "nonmembers"):
        (root / side).mkdir()
        for i in range(12):
            file = root / side / f"{i}.png"
            size = (50 + 10 * i, 64, 3)
            Image.fromarray(rng.integers(0, 256, size, dtype=np.uint8)).save(file)
            if i % 3:
                file.with_suffix(".txt").write_text(f"the {side} number {i}")
    return root


@pytest.fixture
def plan(pictures: Path, pipelines: dict[str, Path]) -> FineTuning:
    return FineTuning(
        str(pipelines["epsilon"]), str(pictures), epochs=4, checkpoints=(0, 2), batch_size=5
    )


def weights(folder: Path) -> dict[str, bytes]:
    files = folder.rglob("*.safetensors")
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def test_it_leaves_an_ordinary_folder_and_checkpoints(plan: FineTuning, tmp_path: Path) -> None:
    out = fine_tune(plan, tmp_path / "mine", "cpu", silent)
    pipeline = StableDiffusionPipeline.from_pretrained(out, safety_checker=None)
    pipeline.set_progress_bar_config(disable=True)
    assert pipeline("a cat", num_inference_steps=2).images[0].size == (64, 64)
    assert not [f for f in out.rglob("*") if f.suffix in (".bin", ".pt", ".pkl", ".partial")]
    assert not (out / "state.safetensors").exists() and not list(out.rglob("partial"))
    assert checkpoints(str(out)) == [f"{out}@0", f"{out}@2"]
    base, start, middle, end = map(load_target, (plan.base, f"{out}@0", f"{out}@2", str(out)))
    z = paired_noise(0, ["a"], base.latent_shape)
    noise = [target.predict_noise(z, 100, ["a cat"]) for target in (base, start, middle, end)]
    torch.testing.assert_close(noise[0], noise[1], rtol=1e-2, atol=1e-2)
    moved = [(other - noise[0]).norm().item() for other in noise[1:]]
    assert moved[0] < moved[1] < moved[2]
    assert start.name == f"{out}@0"


@pytest.mark.parametrize("kind", mostly_slow(["epsilon", "v_prediction"], quick=["epsilon"]))
def test_it_learns_members_and_nobody_else(
    kind: str, plan: FineTuning, pipelines: dict[str, Path], tmp_path: Path
) -> None:
    """The loss, as the target answers it: if velocity were trained as noise it would not fall."""
    plan = replace(plan, base=str(pipelines[kind]), epochs=8, checkpoints=(), learning_rate=5e-3)
    out = fine_tune(plan, tmp_path / "mine", "cpu", silent)
    data = load_data(plan.data)
    rows = member_rows(data, 0, None)
    assert data.member[rows].all() and len(rows) == 12
    images = torch.from_numpy(data.candidates(rows, 64).images.transpose(0, 3, 1, 2).copy())
    prompts = [data.captions[row] for row in rows]
    losses = []
    for target in (load_target(plan.base), load_target(str(out))):
        z0 = target.encode(images.float() / 127.5 - 1)
        eps = paired_noise(0, [str(row) for row in rows], target.latent_shape)
        answer = target.predict_noise(target.add_noise(z0, eps, 500), 500, prompts)
        losses.append((answer - eps).pow(2).mean().item())
    assert losses[1] < 0.7 * losses[0]


def test_non_members_are_never_opened(plan: FineTuning, pictures: Path, tmp_path: Path) -> None:
    broken = tmp_path / "pictures"
    for file in pictures.rglob("*.*"):
        copy = broken / file.relative_to(pictures)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(b"" if "nonmembers" in str(copy) else file.read_bytes())
    plan = replace(plan, data=str(broken), epochs=1, checkpoints=())
    assert (fine_tune(plan, tmp_path / "mine", "cpu", silent) / "model_index.json").is_file()


@pytest.mark.slow
def test_a_stopped_training_goes_on_to_the_same_bytes(
    plan: FineTuning, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("miagym.training.fine_tune.STATE_EVERY", 2)
    alone = weights(fine_tune(plan, tmp_path / "alone", "cpu", silent))
    for step in (1, 5, 7):
        with pytest.raises(KeyboardInterrupt):
            fine_tune(plan, tmp_path / "stopped", "cpu", stop_after(step))
    with pytest.raises(TargetError, match="not finished"):
        load_target(str(tmp_path / "stopped"))
    assert weights(fine_tune(plan, tmp_path / "stopped", "cpu", silent)) == alone
    before = (tmp_path / "stopped/unet/config.json").stat().st_mtime_ns
    fine_tune(plan, tmp_path / "stopped", "cpu", silent)
    assert (tmp_path / "stopped/unet/config.json").stat().st_mtime_ns == before


@pytest.mark.long
@pytest.mark.slow
def test_a_killed_process_loses_nothing(plan: FineTuning, tmp_path: Path) -> None:
    """SIGKILL as soon as there is a checkpoint; another process goes on."""
    out = tmp_path / "killed"
    argv = [sys.executable, "-c", "from miagym.cli import main; main()", "train"]
    argv += ["--from", plan.base, "--data", plan.data, "--epochs", "9", "--checkpoints", "3,6"]
    argv += ["--batch-size", "5", "--out", str(out), "--device", "cpu"]
    # Weights are the same on as many threads.
    environment = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    process = subprocess.Popen(argv, env=environment, stdout=subprocess.DEVNULL)
    while not (out / "checkpoints/epoch-003").exists() and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    longer = replace(plan, epochs=9, checkpoints=(3, 6))
    resumed = weights(fine_tune(longer, out, "cpu", silent))
    assert resumed == weights(fine_tune(longer, tmp_path / "alone", "cpu", silent))


def test_the_record_knows_the_members(plan: FineTuning, tmp_path: Path) -> None:
    plan = replace(plan, epochs=1, checkpoints=(0,), limit=2, seed=3)
    out = fine_tune(plan, tmp_path / "mine", "cpu", silent)
    record, data = record_of(f"{out}@0"), load_data(plan.data)
    assert record is not None and record == record_of(str(out))
    assert (record.data_digest, record.base, record.epochs) == (data.digest, plan.base, 1)
    assert len(record.rows) == 4 and data.member[list(record.rows)].all()
    scored = np.concatenate([data.rows(part, 3, 2) for part in ("calibration", "test")])
    assert record.doubts(data, scored) is None
    everything = np.arange(len(data))
    assert "8 of 24 candidates are called members" in (record.doubts(data, everything) or "")
    assert "other data" in (record.doubts(load_data("clipart-tune"), everything) or "")
    assert record_of("clipart-overfit") is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"epochs": 5}, "they differ in epochs"),
        ({"seed": 1}, "they differ in seed"),
        ({"data": "clipart-tune", "limit": 6}, "they differ in data and rows"),
        ({"base": "clipart-null"}, "they differ in base"),
    ],
)
def test_a_folder_of_another_training_is_refused(
    change: dict, says: str, plan: FineTuning, trained: Path
) -> None:
    before = weights(trained)
    with pytest.raises(RunError, match=says):
        fine_tune(replace(plan, **change), trained, "cpu", silent)
    assert weights(trained) == before


@pytest.fixture(scope="session")
def trained(
    pictures: Path, pipelines: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    plan = FineTuning(
        str(pipelines["epsilon"]), str(pictures), epochs=4, checkpoints=(0, 2), batch_size=5
    )
    return fine_tune(plan, tmp_path_factory.mktemp("trained") / "mine", "cpu", silent)


def test_a_folder_of_something_else_is_refused(plan: FineTuning, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(RunError, match="holds no training"):
        fine_tune(plan, tmp_path, "cpu", silent)
    with pytest.raises(RunError, match="holds no training"):
        fine_tune(plan, Path(plan.base), "cpu", silent)
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd/training.json").write_text("[1]")
    with pytest.raises(RunError, match="no record of a training"):
        fine_tune(plan, tmp_path / "odd", "cpu", silent)
    (tmp_path / "odd/training.json").write_text(json.dumps({"schema": 99}))
    with pytest.raises(RunError, match="of schema 99"):
        fine_tune(plan, tmp_path / "odd", "cpu", silent)


def test_missing_pictures_leave_nothing_behind(
    plan: FineTuning, pictures: Path, tmp_path: Path
) -> None:
    files = sorted(str(file) for file in pictures.rglob("*.png"))
    member = ["nonmembers" not in file for file in files]
    files[member.index(True)] = "gone.png"
    pq.write_table(pa.table({"image": files, "member": member}), tmp_path / "data.parquet")
    with pytest.raises(DataError, match=r"gone\.png"):
        fine_tune(replace(plan, data=str(tmp_path / "data.parquet")), tmp_path / "m", "cpu", silent)
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"base": "nonsense"}, UnknownName, "No target"),
        ({"data": "nonsense"}, UnknownName, "No data set"),
        ({"base": "clipart-overfit@41"}, TargetError, "keeps no checkpoint 41"),
        ({"checkpoints": (0, 9)}, RunError, "last of the 4 epochs; got 9"),
        ({"learning_rate": float("nan")}, RunError, "learning rate between"),
    ],
)
def test_plans_that_cannot_be(
    change: dict, error: type[MiagymError], says: str, plan: FineTuning, tmp_path: Path
) -> None:
    with pytest.raises(error, match=says):
        fine_tune(replace(plan, **change), tmp_path / "mine", "cpu", silent)
    assert not (tmp_path / "mine").exists()


@pytest.mark.slow
def test_a_full_disk_is_a_sentence_and_the_training_goes_on(
    plan: FineTuning, tmp_path: Path
) -> None:
    """No file may grow beyond 100 kB: the first checkpoint does not fit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        with pytest.raises((RunError, OSError), match=r"cannot be written|too large"):
            fine_tune(plan, tmp_path / "mine", "cpu", silent)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    again = weights(fine_tune(plan, tmp_path / "mine", "cpu", silent))
    assert again == weights(fine_tune(plan, tmp_path / "alone", "cpu", silent))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["clipart-null", "--from", "clipart-null"], "clipart-null is a recipe"),
        (["clipart-null", "--epochs", "3"], "clipart-null is a recipe"),
        (["--from", "clipart-null"], "Expected the name of a recipe"),
        ([], "Expected the name of a recipe"),
        (["--from", "a", "--data", "b", "--checkpoints", "1,two"], "Expected epochs with commas"),
    ],
)
def test_commands_that_say_too_much_or_too_little(
    arguments: list[str], says: str, tmp_path: Path
) -> None:
    result = CliRunner().invoke(app, ["train", *arguments, "--out", str(tmp_path / "mine")])
    assert isinstance(result.exception, RunError) and says in str(result.exception)
    assert not (tmp_path / "mine").exists()


def test_checkpoints_by_default_start_with_the_base() -> None:
    assert halvings(100) == (0, 6, 12, 25, 50)
    assert halvings(1) == (0,)
    assert FineTuning("a", "b", epochs=8).kept == (0, 1, 2, 4)
