"""Training is seeded and resumable, and leaves ordinary diffusers folders."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline
from torch import Tensor, nn

from miagym.embedded.recipes import train_target
from miagym.errors import RunError, UnknownName
from miagym.targets.families.stable_diffusion import StableDiffusion
from miagym.targets.loading.pipelines import load_pipeline
from miagym.targets.registry import find_target
from miagym.training.diffusion import Training, train_diffusion
from miagym.training.latents import encode_mirrored
from miagym.training.loop import TrainingSchedule, batch_of, even_batch_of, even_steps, train
from miagym.training.unet import new_unet
from tests.training.small import silent


def stop_after(n: int):
    def progress(steps: range, label: str) -> Iterable[int]:
        for step in steps:
            if step == n:
                raise KeyboardInterrupt
            yield step

    return progress


def regression(path: Path, progress, schedule: TrainingSchedule) -> nn.Module:
    torch.manual_seed(0)
    module = nn.Linear(3, 1)

    def loss_at(step: int) -> Tensor:
        x = torch.from_numpy(np.random.default_rng(step).standard_normal((8, 3), dtype=np.float32))
        return (module(x) - x.sum(1, keepdim=True)).pow(2).mean()

    return train(module, loss_at, schedule, path, progress, "test")


def test_a_stopped_training_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    schedule = TrainingSchedule(steps=100, learning_rate=0.1, ema_decay=0.9, state_every=20)
    alone = regression(tmp_path / "alone.safetensors", silent, schedule)
    with pytest.raises(KeyboardInterrupt):
        regression(tmp_path / "stopped.safetensors", stop_after(57), schedule)
    resumed = regression(tmp_path / "stopped.safetensors", silent, schedule)
    for a, b in zip(alone.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(a, b)
    assert torch.allclose(alone.weight, torch.ones(1, 3), atol=0.05)


def test_a_state_of_another_schedule_is_refused(tmp_path: Path) -> None:
    regression(tmp_path / "s.safetensors", silent, TrainingSchedule(steps=10, learning_rate=0.1))
    with pytest.raises(RunError, match="another schedule"):
        regression(
            tmp_path / "s.safetensors", silent, TrainingSchedule(steps=20, learning_rate=0.1)
        )


def test_an_epoch_visits_every_row_once() -> None:
    rows = np.concatenate([batch_of(step, 40, 8, seed=1) for step in range(5)])
    assert sorted(rows) == list(range(40))
    assert (batch_of(0, 40, 8, seed=1) != batch_of(5, 40, 8, seed=1)).any()


def test_an_even_epoch_visits_every_row_once_whatever_fills_a_batch() -> None:
    for n, size in ((7, 3), (60, 16), (5, 8), (1, 1)):
        batches = [even_batch_of(step, n, size, seed=1) for step in range(even_steps(n, size))]
        assert sorted(np.concatenate(batches)) == list(range(n))
        assert {len(batch) for batch in batches} <= {n // len(batches), -(-n // len(batches))}
        assert max(map(len, batches)) <= size


@pytest.mark.slow
def test_a_few_steps_of_diffusion_learn_and_keep_checkpoints(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (32, 64, 64, 3), dtype=np.uint8)
    captions = [f"thing {i}" for i in range(32)]
    pipeline = load_pipeline(find_target("clipart-null"), torch.device("cpu"), torch.float32)
    latents = encode_mirrored(pipeline.vae, pixels, torch.device("cpu"))
    assert latents.shape == (2, 32, 4, 16, 16)
    training = Training(
        latents, captions, epochs=4, learning_rate=1e-3, augment=True, train_text=True
    )
    pipeline.unet = new_unet()
    before = [p.detach().clone() for p in networks(pipeline)]
    kept: list[int] = []
    state = tmp_path / "state.safetensors"
    target = StableDiffusion(pipeline, "test")
    train_diffusion(training, target, 0, state, silent, "test", {2: lambda parts: kept.append(2)})
    changed = [not torch.equal(a, b) for a, b in zip(before, networks(pipeline), strict=True)]
    assert np.mean(changed) > 0.9 and kept == [2]


def networks(pipeline: StableDiffusionPipeline) -> list[Tensor]:
    return [*pipeline.text_encoder.parameters(), *pipeline.unet.parameters()]


def test_recipes_have_names(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="did you mean clipart-overfit"):
        train_target("clipart-overfitted", tmp_path, "cpu", silent)
