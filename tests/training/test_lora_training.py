"""Fine-tuning by a LoRA, and of other families than Stable Diffusion's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from typer.testing import CliRunner

from miagym.cli import app
from miagym.data.registry import load_data
from miagym.errors import RunError, TargetError
from miagym.noise import paired_noise
from miagym.targets.registry import load_target
from miagym.training.fine_tune import fine_tune, member_rows
from miagym.training.lora import lora_file
from miagym.training.plan import FineTuning
from miagym.training.record import record_of
from tests.targets import models
from tests.targets.models import write
from tests.tiers import mostly_slow
from tests.training.small import silent


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for side in ("members", "nonmembers"):
        (root / side).mkdir()
        for i in range(8):
            pixels = np.kron(rng.integers(0, 256, (2, 2, 3)), np.ones((8, 8, 1)))
            Image.fromarray(pixels.astype(np.uint8)).save(root / side / f"{i}.png")
            (root / side / f"{i}.txt").write_text("1" if i % 2 else "0", encoding="utf-8")
    return root


@pytest.fixture
def plan(pictures: Path, tmp_path: Path) -> FineTuning:
    base = write(models.stable_diffusion, tmp_path / "base")
    return FineTuning(
        str(base),
        str(pictures),
        epochs=30,
        checkpoints=(0, 10),
        learning_rate=2e-2,
        lora_rank=4,
    )


def loss(name: str, data: str) -> float:
    """Of members at t = 400, as the target answers it."""
    target, pictures = load_target(name), load_data(data)
    rows = member_rows(pictures, 0, None)
    candidates = pictures.candidates(rows, target.resolution)
    images = torch.from_numpy(candidates.images.transpose(0, 3, 1, 2).copy())
    # as it was trained: an untrained autoencoder's posterior is far wider than its means
    sample = paired_noise(0, candidates.keys, target.latent_shape, "posterior")
    z0 = target.encode(images.float() / 127.5 - 1, sample)
    eps = paired_noise(0, [str(row) for row in rows], target.latent_shape)
    z_t = target.add_noise(z0, eps, 400)
    answer = target.predict_noise(z_t, 400, candidates.captions)
    return float((answer - eps).pow(2).mean())


@pytest.mark.slow
def test_a_lora_learns_members_and_its_file_is_put_on_the_base(
    plan: FineTuning, tmp_path: Path
) -> None:
    out = fine_tune(plan, tmp_path / "mine", "cpu", silent)
    last, middle = lora_file(out), lora_file(out, 10)
    assert last.is_file() and middle.is_file() and not (out / "state.safetensors").exists()
    assert last.stat().st_size < 200_000
    assert not list(out.rglob("diffusion_pytorch_model*"))
    losses = [loss(f"{plan.base}{name}", plan.data) for name in ("", f"+{middle}", f"+{last}")]
    assert losses[0] > losses[1] > losses[2] and losses[2] < 0.9 * losses[0]
    assert loss(f"{plan.base}+{last}:0", plan.data) == losses[0]


def test_its_record_knows_the_members(plan: FineTuning, tmp_path: Path) -> None:
    out = fine_tune(plan, tmp_path / "mine", "cpu", silent)
    data = load_data(plan.data)
    for name in (f"+{lora_file(out)}", f"+{lora_file(out, 10)}:0.5"):
        record = record_of(plan.base + name)
        assert record is not None and record.lora_rank == 4
        assert record.doubts(data, np.arange(len(data.member))) is None
        assert record.doubts(replace(data, member=~data.member), np.arange(16)) is not None
    assert record_of(f"{plan.base}+nowhere.safetensors") is None


@pytest.mark.slow
def test_a_stopped_lora_training_goes_on_to_the_same_file(plan: FineTuning, tmp_path: Path) -> None:
    def stopped(steps: range, label: str) -> Iterable[int]:
        for step in steps:
            if step == 17 and label != "encoding":
                raise KeyboardInterrupt
            yield step

    alone = lora_file(fine_tune(plan, tmp_path / "alone", "cpu", silent))
    with pytest.raises(KeyboardInterrupt):
        fine_tune(plan, tmp_path / "stopped", "cpu", stopped)
    again = lora_file(fine_tune(plan, tmp_path / "stopped", "cpu", silent))
    for key, value in load_file(alone).items():
        assert torch.equal(load_file(again)[key], value)


def test_the_command_says_how_to_evaluate_it(plan: FineTuning, tmp_path: Path) -> None:
    out = tmp_path / "mine"
    command = ["train", "--from", plan.base, "--data", plan.data, "--epochs", "2"]
    done = CliRunner().invoke(app, [*command, "--lora-rank", "2", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert f"--target {plan.base}+{lora_file(out)}" in done.output.replace("\n", "")
    with pytest.raises(RunError, match=r"differ in .*lora rank"):
        fine_tune(replace(plan, epochs=2, lora_rank=3, checkpoints=None), out, "cpu", silent)
    with pytest.raises(RunError, match="rank of the LoRA from 1, got 0"):
        replace(plan, lora_rank=0)


@pytest.mark.parametrize(
    "family",
    mostly_slow(["stable_diffusion_xl", "stable_diffusion_3", "dit", "pixels"], quick=["dit"]),
)
def test_other_families_learn_members(family: str, pictures: Path, tmp_path: Path) -> None:
    """Each by what its network predicts: a flow that was trained as noise would not learn."""
    base = write(getattr(models, family), tmp_path / "base")
    plan = FineTuning(str(base), str(pictures), epochs=40, checkpoints=(), learning_rate=3e-3)
    out = fine_tune(plan, tmp_path / "mine", "cpu", silent)
    assert loss(str(out), plan.data) < 0.8 * loss(plan.base, plan.data)


def test_what_is_no_pipeline_is_not_trained(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("miagym.training.fine_tune.load_target", lambda *_, **__: object())
    plan = FineTuning("clipart-null", str(pictures))
    with pytest.raises(TargetError, match="no pipeline of diffusers"):
        fine_tune(plan, tmp_path / "mine", "cpu", silent)
