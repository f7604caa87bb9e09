"""Populations through the front door: evaluate with shadows, and all models at once."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import miagym
from attacks import make_attack
from miagym.api.population import evaluate_population
from miagym.cli import app
from miagym.data.dealt import ModelDeal
from miagym.errors import AttackError, DataError, SettingsError, UnknownName
from miagym.oracle import Oracle, Shadows
from miagym.targets.registry import load_target, local_folder
from miagym.training.population import PopulationPlan, train_population
from tests.targets import models
from tests.targets.models import write
from tests.training.small import silent

pytestmark = pytest.mark.usefixtures("small_forests")
K, PICTURES, SEED = 11, 48, 44
"""The seed deals each picture to two models or more on each side, whoever is the target."""


@pytest.fixture(scope="module")
def population(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eleven LoRAs on a small untrained model, which have learned next to nothing."""
    root = tmp_path_factory.mktemp("ten")
    base = write(models.stable_diffusion, root / "base")
    plan = PopulationPlan(
        str(base),
        "clipart-tune",
        models=K,
        pictures=PICTURES,
        epochs=1,
        batch_size=24,
        lora_rank=1,
        seed=SEED,
    )
    train_population(plan, root / "population", "cpu", silent)
    return root / "population"


@pytest.fixture(autouse=True)
def _few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("miagym.metrics.resampling.over_models.RESAMPLES", 50)


@pytest.mark.long
@pytest.mark.slow
def test_evaluate_compares_with_all_models_but_the_target(population: Path, tmp_path: Path) -> None:
    run = miagym.evaluate(
        str(population / "00"),
        str(population / "00"),
        "sima,sima+lira,sima+bavaria",
        shadows=str(population),
        reference=None,
        null=None,
        out=tmp_path / "run",
    )
    assert run["sima+lira"].shadows and not run["sima"].shadows
    about = json.loads((tmp_path / "run" / "run.json").read_text())
    used = about["config"]["matches"][0]["shadows"]
    assert used == [str(population / f"{i:02d}") for i in range(1, K)]
    assert set(used) < set(about["models"])
    assert not about["config"]["queries"] and not run.results.run.doubts
    without = miagym.evaluate(
        str(population / "00"), str(population / "00"), "sima,sima+lira", reference=None, null=None
    )
    assert "sima+lira" in [s.attack for s in without.results.run.skipped]
    with pytest.raises(SettingsError, match="its own shadow"):
        miagym.evaluate(
            str(population / "00"),
            str(population / "00"),
            "sima+lira",
            shadows=str(population / "00"),
        )


@pytest.mark.long
@pytest.mark.slow
def test_all_models_at_once_are_each_alone(population: Path) -> None:
    """What the run of all says of one model is what that model's own oracle says."""
    run = evaluate_population(population, "sima,sima+lira,loss+reference+bavaria")
    deal = ModelDeal.read(population)
    assert run.inside.tolist() == deal.inside.tolist()
    assert set(run.rows) == {
        "blind-captions",
        "blind-pixels",
        "blind-both",
        "sima",
        "sima+lira",
        "loss+reference+bavaria",
    }
    data = miagym.load_data(str(population / "03"))
    candidates = data.candidates(np.arange(PICTURES), 16)
    others = [i for i in range(K) if i != 3]
    keys = np.array(candidates.keys)
    shadows = Shadows(
        tuple(Oracle(load_target(str(population / f"{i:02d}"))) for i in others),
        tuple(frozenset(keys[deal.inside[i]].tolist()) for i in others),
        candidates,
    )
    oracle = Oracle(load_target(str(population / "03")), shadows=shadows)
    alone = make_attack("sima+lira")(oracle, candidates)
    np.testing.assert_allclose(run.scores["sima+lira"][3], alone, rtol=1e-3, atol=1e-3)
    gain = run.gain("sima+lira", "sima")
    assert gain.auc == pytest.approx(run.rows["sima+lira"].auc - run.rows["sima"].auc)
    with pytest.raises(UnknownName):
        run.gain("sima", "pia")


@pytest.mark.long
@pytest.mark.slow
def test_the_command_tells_gains(population: Path) -> None:
    command = ["population", str(population), "--attacks", "sima,sima+lira"]
    done = CliRunner().invoke(app, [*command, "--against", "sima", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert told["against"] == "sima" and "sima+lira" in told["gains"]
    low, high = told["rows"][-1]["auc_ci"]
    assert 0 <= low <= told["rows"][-1]["auc"] <= high <= 1


@pytest.mark.slow
def test_what_is_no_population_or_no_attack_for_one(population: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no population"):
        evaluate_population(tmp_path)
    with pytest.raises(AttackError, match="learns a rule"):
        evaluate_population(population, "cdi")


def test_too_few_models_are_refused_before_they_are_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deal = ModelDeal.read(local_folder("clipart-population"))
    replace(deal, members=deal.members[:4]).write(tmp_path)
    monkeypatch.setattr("miagym.api.population.load_target", None)
    with pytest.raises(DataError, match=r"needs 8 of them or more, and .* has 4; train one of"):
        evaluate_population(tmp_path)
