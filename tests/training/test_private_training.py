"""DP-SGD: single gradients against a plain recomputation, Poisson sampling, and the accountant."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from typer.testing import CliRunner

from miagym.cli import app
from miagym.errors import RunError
from miagym.targets.pipeline.target import PipelineTarget
from miagym.targets.registry import load_target
from miagym.training.defences import TrainingDefence
from miagym.training.fine_tune import fine_tune
from miagym.training.lora import Kind, add_lora, lora_file
from miagym.training.plan import FineTuning
from miagym.training.private import Privacy, PrivateGradients, poisson_batch_of
from miagym.training.record import record_of
from tests.targets import models
from tests.targets.models import write
from tests.training.small import draw_sides, silent


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> FineTuning:
    root = tmp_path_factory.mktemp("private")
    draw_sides(root / "data", each=6, cells=4)
    base = write(models.stable_diffusion, root / "base")
    defence = TrainingDefence(epsilon=8)
    return FineTuning(
        *(str(base), str(root / "data")),
        epochs=4,
        checkpoints=(),
        batch_size=3,
        lora_rank=2,
        defence=defence,
    )


class Lora:
    """A LoRA on a small model, with losses of single pictures."""

    def __init__(self, base: str, kind: Kind) -> None:
        target = load_target(base, dtype="float32")
        assert isinstance(target, PipelineTarget)
        for network in target.networks():
            network.requires_grad_(False)
        self.target, self.learned = target, add_lora(target, 2, 0, kind).requires_grad_(True)
        rng = torch.Generator().manual_seed(0)
        with torch.no_grad():  # a fresh LoRA has no gradient in one of its halves
            for p in self.parameters:
                p.copy_(0.1 * torch.randn(p.shape, generator=rng))
        shape = (4, *target.latent_shape)
        self.z, self.aim = (torch.randn(shape, generator=rng) for _ in range(2))
        self.told = target.embed(["a", "b", "c", "d"]).clone()

    @property
    def parameters(self) -> list[nn.Parameter]:
        return list(self.learned.parameters())

    def loss(self, rows: list[int]) -> Tensor:
        answer = self.target.output(
            self.z[rows], torch.tensor([10, 300, 500, 900])[rows], self.told[rows]
        )
        return (answer - self.aim[rows]).square().mean()


@pytest.mark.parametrize("kind", ["attention", "convolutions"])
def test_each_pictures_gradient_is_clipped_by_itself(plan: FineTuning, kind: Kind) -> None:
    pytest.importorskip("opacus")
    lora, clip = Lora(plan.base, kind), 0.02
    single = [torch.autograd.grad(lora.loss([i]), lora.parameters) for i in range(4)]
    norms = [torch.sqrt(sum((g.square().sum() for g in each), torch.zeros(()))) for each in single]
    assert max(norms) > clip
    scaled = [min(1.0, clip / float(norm)) for norm in norms]
    wanted = [sum(s * g for s, g in zip(scaled, of, strict=True)) for of in zip(*single)]  # noqa: B905

    privacy = Privacy(8, 1e-5, 0.0, clip, 0.5, 10)  # half of 10 pictures are expected, 4 come
    mended = PrivateGradients(lora.target.network, lora.parameters, privacy, 10, 0)
    lora.loss([0, 1, 2, 3]).backward()
    mended(0)
    for parameter, sum_of in zip(lora.parameters, wanted, strict=True):
        assert parameter.grad is not None
        torch.testing.assert_close(parameter.grad, sum_of / 5, rtol=1e-3, atol=1e-7)


def test_noise_is_as_large_as_the_accountant_thinks_even_in_an_empty_step(
    plan: FineTuning,
) -> None:
    pytest.importorskip("opacus")
    lora = Lora(plan.base, "attention")
    privacy = Privacy(8, 1e-5, noise_multiplier=3.0, clip=0.5, sample_rate=0.5, steps=10)
    mended = PrivateGradients(lora.target.network, lora.parameters, privacy, 10, 0)
    found = []
    for step in (0, 1, 0):
        torch.zeros((), requires_grad=True).backward()
        mended(step)
        found.append(torch.cat([p.grad.flatten() for p in lora.parameters if p.grad is not None]))
    assert torch.equal(found[0], found[2]) and not torch.equal(found[0], found[1])
    noise = torch.cat(found[:2])
    assert len(noise) > 500
    assert float(noise.std()) == pytest.approx(3.0 * 0.5 / 5, rel=4 / np.sqrt(2 * len(noise)))


def test_poisson_sampling_asks_each_picture_by_itself() -> None:
    n, rate, steps = 20, 0.2, 4000
    there = np.zeros((steps, n), bool)
    for step in range(steps):
        there[step, poisson_batch_of(step, n, rate, 0)] = True
    sizes = there.sum(1)
    assert sizes.min() == 0 and sizes.var() == pytest.approx(n * rate * (1 - rate), rel=0.1)
    np.testing.assert_allclose(there.mean(0), rate, atol=4 * np.sqrt(rate * 0.8 / steps))
    between = np.corrcoef(there.T)[np.triu_indices(n, 1)]
    assert abs(between).max() < 5 / np.sqrt(steps)


def test_epsilon_is_that_of_the_gaussian_mechanism_where_every_picture_is_in_each_step() -> None:
    pytest.importorskip("opacus")
    found = Privacy.reaching(4.0, pictures=50, steps_per_epoch=1, epochs=30)
    assert found.sample_rate == 1 and found.steps == 30 and found.delta == 1e-5
    assert 3.9 < found.epsilon <= 4.0
    a = np.linspace(1.05, 200, 20_000)  # RDP of 30 Gaussian mechanisms, and its conversion
    rdp = 30 * a / (2 * found.noise_multiplier**2)
    told = rdp + np.log1p(-1 / a) - (np.log(found.delta) + np.log(a)) / (a - 1)
    assert told.min() <= found.epsilon + 1e-9 and told.min() == pytest.approx(4.0, rel=0.03)


def test_sampling_buys_privacy_and_steps_cost_it() -> None:
    pytest.importorskip("opacus")
    whole, sampled, longer = (
        Privacy.reaching(4.0, 50, steps, epochs).noise_multiplier
        for steps, epochs in ((1, 50), (5, 10), (5, 40))
    )
    assert sampled < longer and sampled < whole
    assert Privacy.reaching(4.0, 50_000, 5, 10).delta == pytest.approx(2e-6)
    with pytest.raises(RunError, match="choose a larger epsilon"):
        Privacy.reaching(1e-4, 50, 1, 1000)


@pytest.mark.slow
def test_a_private_lora_is_recorded_and_goes_on_where_it_stopped(
    plan: FineTuning, tmp_path: Path
) -> None:
    pytest.importorskip("opacus")

    def stopped(steps: range, label: str) -> Iterable[int]:
        for step in steps:
            if step == 5 and label != "encoding":
                raise KeyboardInterrupt
            yield step

    out = fine_tune(plan, tmp_path / "mine", "cpu", silent)
    record = record_of(str(out))
    assert record is not None and record.privacy is not None
    assert record.privacy.epsilon <= 8 and record.privacy.steps == 8
    with pytest.raises(KeyboardInterrupt):
        fine_tune(plan, tmp_path / "stopped", "cpu", stopped)
    again = load_file(lora_file(fine_tune(plan, tmp_path / "stopped", "cpu", silent)))
    assert all(torch.equal(value, again[key]) for key, value in load_file(lora_file(out)).items())
    with pytest.raises(RunError, match="differ in defence and privacy"):
        fine_tune(replace(plan, defence=TrainingDefence(epsilon=4)), out, "cpu", silent)


def test_the_command_says_what_is_guaranteed(plan: FineTuning, tmp_path: Path) -> None:
    pytest.importorskip("opacus")
    command = ["train", "--from", plan.base, "--data", plan.data, "--lora-rank", "1"]
    command += ["--epochs", "1", "--defence", "dp-sgd:8", "--out", str(tmp_path / "mine")]
    done = CliRunner().invoke(app, [*command, "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)["privacy"]
    assert told["epsilon"] <= 8 and told["unit"] == "picture"
    done = CliRunner().invoke(app, command)
    assert "at delta 1e-05 for each picture" in done.output


def test_what_cannot_be_private_is_one_sentence(
    plan: FineTuning, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RunError, match="only a LoRA has room for"):
        replace(plan, lora_rank=None)
    monkeypatch.setitem(sys.modules, "opacus", None)
    with pytest.raises(RunError, match=r"miagym\[private\]") as refused:
        fine_tune(plan, tmp_path / "mine", "cpu", silent)
    assert "\n" not in str(refused.value) and not (tmp_path / "mine").exists()
