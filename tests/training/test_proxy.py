"""SMP-LoRA: a proxy attack that learns, a model that fools it, and pictures it may know."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.nn.functional import cross_entropy
from typer.testing import CliRunner

from miagym.cli import app
from miagym.data.registry import load_data
from miagym.errors import DataError, RunError
from miagym.training.defences import TrainingDefence
from miagym.training.fine_tune import fine_tune
from miagym.training.lora import lora_file
from miagym.training.plan import FineTuning
from miagym.training.population import PopulationPlan, train_population
from miagym.training.proxy import ProxyAttack, other_rows
from miagym.training.record import record_of
from tests.targets import models
from tests.targets.models import write
from tests.training.small import draw_sides, silent

CPU = torch.device("cpu")
SMP = TrainingDefence(smp=1)


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> FineTuning:
    root = tmp_path_factory.mktemp("proxied")
    draw_sides(root / "data", each=6, cells=4)
    draw_sides(root / "others", each=8, cells=2)
    base = write(models.stable_diffusion, root / "base")
    return FineTuning(
        str(base), str(root / "data"), epochs=3, checkpoints=(), batch_size=3, lora_rank=2,
        defence=SMP, others=str(root / "others"),
    )  # fmt: skip


def errors(n: int, scale: float, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(n, 4, 8, 8, generator=generator).square()


def test_a_proxy_learns_who_has_small_errors_and_a_ratio_counts_that() -> None:
    proxy = ProxyAttack(2.0, (4, 8, 8), 0, CPU)
    before = proxy.ratio(errors(16, 0.5, 1), 0)
    untold = errors(16, 0.5, 1).mean() / (1 + 2 * np.log(2))
    assert before == pytest.approx(float(untold), rel=0.1), "it has learned nothing yet"
    for step in range(160):
        proxy.learn(errors(16, 0.5, 2 * step + 100), errors(16, 1.5, 2 * step + 101), step)
    member, other = (errors(64, scale, 7) for scale in (0.5, 1.5))
    told = [float(each.mean() / proxy.ratio(each, 0) - 1) / 2 for each in (member, other)]
    assert told[0] < np.log(2) < told[1], "cross entropies of being called a member"


def test_the_ratio_is_what_the_paper_says_and_moves_the_model_alone() -> None:
    proxy = ProxyAttack(3.0, (4, 8, 8), 0, CPU)
    shown = errors(5, 1.0, 0).requires_grad_()
    value = proxy.ratio(shown, 4)
    network = proxy._network.eval()
    for layer in network:
        assert all(p.grad is None for p in layer.parameters())
    value.backward()
    assert shown.grad is not None and all(p.grad is None for p in network.parameters())
    undropped = ProxyAttack(3.0, (4, 8, 8), 0, CPU)
    undropped._network.eval()
    with torch.no_grad():
        said = undropped._network(shown)
    wanted = shown.detach().mean() / (1 + 3 * cross_entropy(said, torch.ones(5, dtype=torch.long)))
    assert undropped.ratio(shown.detach(), 4) == pytest.approx(float(wanted), rel=1e-6)
    again = ProxyAttack(3.0, (4, 8, 8), 0, CPU).ratio(shown, 4).detach()
    assert again == value.detach(), "dropped out by seed and step"


def test_a_training_is_recorded_repeatable_and_differs_from_an_undefended_one(
    plan: FineTuning, tmp_path: Path
) -> None:
    plain = fine_tune(
        replace(plan, defence=TrainingDefence(), others=None), tmp_path / "plain", "cpu", silent
    )
    first, again = (fine_tune(plan, tmp_path / name, "cpu", silent) for name in ("one", "two"))
    weights, same, bare = (load_file(lora_file(each)) for each in (first, again, plain))
    assert all(torch.equal(weights[key], same[key]) for key in weights)
    assert any(not torch.equal(weights[key], bare[key]) for key in weights)
    record = record_of(str(first))
    assert record is not None and record.defence == SMP and len(record.others_rows) == 6
    assert record.others_digest == load_data(str(plan.others)).digest
    moved = tmp_path / "moved"
    Path(str(plan.others)).rename(moved)
    assert fine_tune(replace(plan, others=str(moved)), first, "cpu", silent) == first
    moved.rename(str(plan.others))
    with pytest.raises(RunError, match="differ in defence"):
        fine_tune(replace(plan, defence=TrainingDefence(smp=2)), first, "cpu", silent)


def test_pictures_that_are_asked_about_and_their_look_alikes_are_left_out(tmp_path: Path) -> None:
    whole = load_data("clipart-tune")
    assert whole.groups is not None
    dealt = np.arange(0, len(whole), 7)
    data = replace(
        whole,
        pictures=[whole.pictures[i] for i in dealt],
        captions=tuple(whole.captions[i] for i in dealt),
        names=None,
        **{name: getattr(whole, name)[dealt] for name in ("member", "part", "groups")},
    )
    rows = other_rows(whole, data, 64, 10_000, 0)
    assert len(rows) and not set(whole.groups[rows]) & set(whole.groups[dealt])
    some = other_rows(whole, data, 64, 9, 0)
    assert len(some) == 9 and set(some) <= set(rows)
    assert set(some) != set(other_rows(whole, data, 64, 9, 1))
    with pytest.raises(DataError, match=r"8 pictures or more in clipart-tune .* got 0; name other"):
        other_rows(whole, whole, 64, 9, 0)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"others": None}, "give others=... with smp"),
        ({"defence": TrainingDefence(mirror=True)}, "and with nothing else"),
        ({"defence": TrainingDefence(smp=1, epsilon=8)}, "choose one of them"),
    ],
)
def test_plans_that_cannot_be_are_a_sentence(
    changes: dict[str, object], said: str, plan: FineTuning
) -> None:
    with pytest.raises(RunError, match=said):
        replace(plan, **changes)  # type: ignore[arg-type]


def test_a_population_that_cannot_be_trained_is_not_begun(plan: FineTuning, tmp_path: Path) -> None:
    dealt = PopulationPlan(plan.base, "clipart-tune", models=2, pictures=8, defence=SMP)
    with pytest.raises(RunError, match="give others"):
        train_population(dealt, tmp_path / "many", "cpu", silent)
    assert not (tmp_path / "many").exists()


def test_the_command_takes_others(plan: FineTuning, tmp_path: Path) -> None:
    command = ["train", "--from", plan.base, "--data", plan.data, "--out", str(tmp_path / "mine")]
    command += ["--epochs", "1", "--lora-rank", "1", "--defence", "smp:0.5", "--json"]
    refused = CliRunner().invoke(app, command)
    assert isinstance(refused.exception, RunError)
    done = CliRunner().invoke(app, [*command, "--others", str(plan.others)])
    assert done.exit_code == 0, done.output
    record = record_of(str(tmp_path / "mine"))
    assert record is not None and record.defence.smp == 0.5 and record.others == plan.others
