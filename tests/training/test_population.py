"""A population of LoRAs: its deal, its folder, and its models as targets, data and shadows."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file
from typer.testing import CliRunner

from miagym.cli import app
from miagym.data.dealt import FILE, ModelDeal, model_folder
from miagym.data.registry import load_data
from miagym.errors import DataError, MiagymError, RunError, SettingsError
from miagym.evaluation.shadow_models import load_shadows, shadow_names
from miagym.targets.registry import load_target, name_of_base
from miagym.training.population import PopulationPlan, train_population
from miagym.training.record import record_of
from tests.targets import models
from tests.targets.models import write
from tests.training.small import draw_sides, silent


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_sides(tmp_path_factory.mktemp("dealt"), each=20)


@pytest.fixture(scope="module")
def plan(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> PopulationPlan:
    base = write(models.stable_diffusion, tmp_path_factory.mktemp("base") / "base")
    return PopulationPlan(
        str(base), str(pictures), models=3, pictures=24, epochs=1, batch_size=6, lora_rank=2
    )


@pytest.fixture(scope="module")
def population(plan: PopulationPlan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("population") / "mine"
    train_population(plan, out, "cpu", silent)
    return out


def test_a_deal_is_a_fair_half_and_depends_on_seed_and_number_alone() -> None:
    data = load_data("clipart-tune")
    many, few = (ModelDeal.new("base", "clipart-tune", data, k, 80, 0) for k in (64, 3))
    assert many.members[:3] == few.members and many.rows == few.rows
    assert (many.inside.sum(1) == 40).all()
    # each picture is a member of half of the models, give or take what 64 coins do
    assert abs(many.inside.mean(0) - 0.5).max() < 0.26
    assert data.groups is not None and len(set(data.groups[list(many.rows)])) == 80
    assert ModelDeal.new("base", "clipart-tune", data, 3, 80, 1).rows != few.rows
    with pytest.raises(DataError, match="needs 2 models or more and from 8 to"):
        ModelDeal.new("base", "clipart-tune", data, 1, 80, 0)


def test_each_model_is_a_target_and_the_data_it_was_dealt(
    population: Path, plan: PopulationPlan
) -> None:
    deal = ModelDeal.read(population)
    for model in range(3):
        name = str(model_folder(population, model))
        data, record = load_data(name), record_of(name)
        assert data.member.tolist() == deal.inside[model].tolist() and data.member.sum() == 12
        assert record is not None and record.doubts(data, np.arange(24)) is None
        assert load_target(name).name == name and name_of_base(name) == plan.base
        assert {w.dtype.itemsize for w in load_file(Path(name) / "lora.safetensors").values()} == {
            2
        }
    prints = {load_target(str(model_folder(population, m))).fingerprint for m in range(3)}
    assert len(prints) == 3
    with pytest.raises(DataError, match="dealt to 3 models"):
        load_data(str(population / "07"))


def test_more_models_may_join_and_none_is_trained_again(
    plan: PopulationPlan, population: Path, tmp_path: Path
) -> None:
    def forbidden(steps: range, label: str) -> Iterable[int]:
        raise AssertionError(f"{label} was trained again")

    before = (population / FILE).read_text()
    train_population(replace(plan, models=2), population, "cpu", forbidden)
    assert (population / FILE).read_text() == before
    with pytest.raises(RunError, match="another population"):
        train_population(replace(plan, seed=5), population, "cpu", silent)
    (tmp_path / "something").mkdir()
    (tmp_path / "something" / "else.txt").write_text("mine")
    with pytest.raises(RunError, match="holds no population"):
        train_population(plan, tmp_path / "something", "cpu", silent)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("nonsense", "no record of a deal"),
        ('{"schema": 9}', "no record of a deal"),
        ("rows", "broken deal"),
        ("members", "broken deal"),
        ("negative", "broken deal"),
        ("twice", "broken deal"),
        ("fractions", "no record of a deal"),
    ],
)
def test_a_broken_deal_is_one_sentence(
    population: Path, tmp_path: Path, content: str, why: str
) -> None:
    whole = json.loads((population / FILE).read_text())
    wrong = {
        "rows": {"rows": [1] * 24},
        "members": {"members": [[0, 99]]},
        "negative": {"rows": [-1, *whole["rows"][1:]]},
        "twice": {"members": [[0, 1, 1]]},
        "fractions": {"members": [[0, 1.5]]},
    }
    (tmp_path / FILE).write_text(
        json.dumps(whole | wrong[content]) if content in wrong else content
    )
    with pytest.raises(DataError, match=why) as refused:
        ModelDeal.read(tmp_path)
    assert "\n" not in str(refused.value)


def test_a_deal_of_rows_that_the_data_lack_is_one_sentence(
    population: Path, tmp_path: Path
) -> None:
    whole = json.loads((population / FILE).read_text())
    shutil.copytree(population, tmp_path / "broken")
    told = json.dumps(whole | {"rows": [*whole["rows"][:-1], 100_000]})
    (tmp_path / "broken" / FILE).write_text(told)
    with pytest.raises(DataError, match="broken deal: expected rows of") as error:
        load_data(str(model_folder(tmp_path / "broken", 0)))
    assert "\n" not in str(error.value)


def test_shadows_are_all_models_but_the_target(population: Path) -> None:
    names = [str(model_folder(population, model)) for model in range(3)]
    assert shadow_names([str(population)], names[1]) == (names[0], names[2])
    with pytest.raises(SettingsError, match="cannot be its own shadow"):
        shadow_names([names[1]], names[1])
    target = load_target(names[1])
    found = load_shadows([names[0], names[2]], names[1], target, load_target)
    assert len(found.pool) == 24 and [len(one) for one in found.members] == [12, 12]
    keys = load_data(names[0]).candidates(np.arange(24), target.resolution).keys
    members = {
        key
        for key, inside in zip(keys, ModelDeal.read(population).inside[0], strict=True)
        if inside
    }
    assert found.members[0] == members


def test_what_cannot_be_a_shadow_is_one_sentence(
    population: Path, plan: PopulationPlan, tmp_path: Path
) -> None:
    names = [str(model_folder(population, model)) for model in range(3)]
    target = load_target(names[1])

    def refused(*shadows: str) -> str:
        with pytest.raises(MiagymError) as error:
            load_shadows(shadows, names[1], target, load_target)
        assert "\n" not in str(error.value)
        return str(error.value)

    assert "Nothing is known" in refused("clipart-realistic")
    twin = tmp_path / "twin"
    twin.mkdir()
    for file in ("lora.safetensors", "training.json"):
        (twin / file).write_bytes((Path(names[1]) / file).read_bytes())
    assert "on the very pictures" in refused(str(twin))
    other = tmp_path / "population"
    (other / "00").mkdir(parents=True)
    (other / FILE).write_bytes((population / FILE).read_bytes())
    for file in ("lora.safetensors", "training.json"):
        (other / "00" / file).write_bytes((Path(names[2]) / file).read_bytes())
    assert "disagree" in refused(str(other / "00"))


@pytest.mark.slow
def test_the_command_trains_a_population(plan: PopulationPlan, tmp_path: Path) -> None:
    out = tmp_path / "mine"
    command = ["train", "--from", plan.base, "--data", plan.data, "--out", str(out), "--json"]
    small = ["--epochs", "1", "--lora-rank", "1", "--pictures", "16", "--batch-size", "8"]
    done = CliRunner().invoke(app, [*command, *small, "--population", "2"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["targets"] == [str(out / "00"), str(out / "01")]
    for wrong in (["--pictures", "16"], ["--population", "2", "--limit", "3"]):
        done = CliRunner().invoke(app, [*command, *wrong])
        assert isinstance(done.exception, RunError) and done.exit_code != 0
