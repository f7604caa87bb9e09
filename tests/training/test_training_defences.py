"""Defences of a training: views of pictures, timesteps, and what the record says of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

from miagym.cli import app
from miagym.data.registry import load_data
from miagym.errors import RunError
from miagym.targets.registry import load_target
from miagym.training.defences import UNDEFENDED, VIEWS, TrainingDefence, drawn_timesteps
from miagym.training.fine_tune import fine_tune
from miagym.training.latents import encode_sampled
from miagym.training.lora import lora_file
from miagym.training.plan import FineTuning
from miagym.training.population import PopulationPlan
from miagym.training.record import record_of
from tests.targets import models
from tests.targets.models import write
from tests.tiers import mostly_slow
from tests.training.small import draw_sides, silent


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> FineTuning:
    root = tmp_path_factory.mktemp("defended")
    draw_sides(root / "data", each=6, cells=4)
    base = write(models.stable_diffusion, root / "base")
    return FineTuning(
        str(base), str(root / "data"), epochs=2, checkpoints=(), batch_size=3, lora_rank=2
    )


def test_a_name_says_all_of_a_defence_and_is_read_back() -> None:
    name = "mirror+turn:10+crop:0.8+u-shaped:4+dp-sgd:8"
    found = TrainingDefence.named(name)
    assert found == TrainingDefence(mirror=True, turn=10, crop=0.8, u_shape=4, epsilon=8)
    assert str(found) == name and TrainingDefence.named("") == UNDEFENDED
    assert TrainingDefence.named("dp-sgd:2 + mirror") == TrainingDefence(mirror=True, epsilon=2)


@pytest.mark.parametrize(
    "name",
    [
        *("blur", "mirror:2", "turn", "turn:a", "turn:400", "crop:0", "crop:2", "u-shaped:-1"),
        *("dp-sgd:0", "dp-sgd:nan", "dp-sgd:inf", "mirror+mirror", "mirror+", "turn:1+turn:2"),
    ],
)
def test_what_is_no_defence_is_one_sentence(name: str) -> None:
    with pytest.raises(RunError, match=r"[Ee]xpected") as refused:
        TrainingDefence.named(name)
    assert "\n" not in str(refused.value)


def test_views_are_mirrored_turned_and_cropped() -> None:
    images = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(UNDEFENDED.view(images, ["a", "b"], 0, 0), images)
    mirrored = TrainingDefence(mirror=True)
    assert mirrored.views == 2
    assert torch.equal(mirrored.view(images, ["a", "b"], 0, 0), images)
    assert torch.equal(mirrored.view(images, ["a", "b"], 1, 0), images.flip(-1))

    defence = TrainingDefence(turn=10, crop=0.7)
    assert defence.views == VIEWS
    first = defence.view(images, ["a", "b"], 0, 0)
    assert torch.equal(first, defence.view(images, ["a", "b"], 0, 0))
    assert torch.equal(first[1:], defence.view(images[1:], ["b"], 0, 0)), "each by itself"
    for number, seed in ((1, 0), (0, 1)):
        assert not torch.allclose(first, defence.view(images, ["a", "b"], number, seed))


def test_a_quarter_turn_and_a_crop_show_what_they_should(monkeypatch: pytest.MonkeyPatch) -> None:
    class Most:
        def uniform(self, low: float, high: float, size: object = None) -> object:
            return high if size is None else np.array([[1.0], [-1.0]])

    class Least(Most):
        def uniform(self, low: float, high: float, size: object = None) -> object:
            return low if size is None else np.array([[1.0], [-1.0]])

    images = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr("numpy.random.default_rng", lambda seed: Most())
    turned = TrainingDefence(turn=90).view(images, ["a"], 0, 0)
    torch.testing.assert_close(turned, images.rot90(1, (2, 3)), rtol=0, atol=1e-5)
    monkeypatch.setattr("numpy.random.default_rng", lambda seed: Least())
    corner = TrainingDefence(crop=0.5).view(images, ["a"], 0, 0)  # right and up
    wanted = torch.nn.functional.interpolate(images[..., :4, 4:], (8, 8), mode="bilinear")
    torch.testing.assert_close(corner[..., 1:-1, 1:-1], wanted[..., 1:-1, 1:-1])


def test_u_shaped_timesteps_have_the_density_that_they_name() -> None:
    n, a = 200_000, 4.0
    drawn = drawn_timesteps(np.random.default_rng(0), 1000, n, a)
    assert drawn.min() == 0 and drawn.max() == 999
    found = np.histogram(drawn, 10, (0, 1000))[0] / n
    edge = np.linspace(0, 1, 11)
    below = (np.expm1(a * edge) + np.exp(a) - np.exp(a * (1 - edge))) / (2 * np.expm1(a))
    np.testing.assert_allclose(found, np.diff(below), atol=4e-3)
    even = drawn_timesteps(np.random.default_rng(0), 1000, 5, 0.0)
    assert (even == np.random.default_rng(0).integers(1000, size=5)).all()


def test_all_views_are_encoded_and_the_first_of_a_mirrored_one_is_the_picture(
    plan: FineTuning,
) -> None:
    target, data = load_target(plan.base, dtype="float32"), load_data(plan.data)
    rows = np.arange(3)
    plain = encode_sampled(target, data, rows, 0, silent)
    mirrored = encode_sampled(target, data, rows, 0, silent, TrainingDefence(mirror=True))
    turned = encode_sampled(target, data, rows, 0, silent, TrainingDefence(turn=5))
    assert plain.shape[0] == 1 and mirrored.shape[0] == 2 and turned.shape[0] == VIEWS
    assert torch.equal(mirrored[0], plain[0]) and not torch.equal(mirrored[1], plain[0])


@pytest.mark.parametrize(
    "name", mostly_slow(["mirror", "turn:10+crop:0.8", "u-shaped:4"], quick=["mirror"])
)
def test_it_is_recorded_and_changes_what_is_learned(
    name: str, plan: FineTuning, tmp_path: Path
) -> None:
    plain = fine_tune(plan, tmp_path / "plain", "cpu", silent)
    defended = replace(plan, defence=TrainingDefence.named(name))
    out = fine_tune(defended, tmp_path / "mine", "cpu", silent)
    again = fine_tune(defended, tmp_path / "again", "cpu", silent)
    record = record_of(str(out))
    assert record is not None and str(record.defence) == name
    first, same, other = (load_file(lora_file(each)) for each in (out, again, plain))
    assert all(torch.equal(first[key], same[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)
    with pytest.raises(RunError, match="differ in defence"):
        fine_tune(plan, out, "cpu", silent)


def test_a_record_from_before_defences_is_read_as_undefended(
    plan: FineTuning, tmp_path: Path
) -> None:
    out = fine_tune(plan, tmp_path / "mine", "cpu", silent)
    written = json.loads((out / "training.json").read_text(encoding="utf-8"))
    del written["defence"]
    (out / "training.json").write_text(json.dumps(written), encoding="utf-8")
    record = record_of(str(out))
    assert record is not None and record.defence == UNDEFENDED
    assert fine_tune(plan, out, "cpu", silent) == out


def test_the_command_takes_a_defence_for_one_model_and_for_all(
    plan: FineTuning, tmp_path: Path
) -> None:
    command = ["train", "--from", plan.base, "--data", plan.data, "--out", str(tmp_path / "mine")]
    done = CliRunner().invoke(
        app, [*command, "--epochs", "1", "--lora-rank", "1", "--defence", "mirror", "--json"]
    )
    assert done.exit_code == 0, done.output
    record = record_of(str(tmp_path / "mine"))
    assert record is not None and record.defence.mirror
    defence = TrainingDefence(u_shape=3)
    dealt = PopulationPlan(plan.base, plan.data, defence=defence)
    assert dealt.fine_tuning(tmp_path, 1).defence == defence
    refused = CliRunner().invoke(app, [*command, "--defence", "blur"])
    assert isinstance(refused.exception, RunError)
