"""Bases of the realistic regime, each trained from nothing on its own half of the drawings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import miagym
from miagym.data.dealt import ModelDeal, model_folder
from miagym.data.registry import load_data
from miagym.embedded.recipes import train_target
from miagym.targets.pipeline.target import PipelineTarget
from miagym.targets.registry import load_target
from miagym.training.population import PopulationPlan, train_population
from miagym.training.record import record_of
from tests.training.small import silent


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.usefixtures("small_forests")
def test_bases_are_whole_models_that_population_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recipe itself takes an hour: here each base sees 16 drawings once."""
    plans: list[PopulationPlan] = []

    def briefly(plan: PopulationPlan, out: Path, *rest: object) -> None:
        plans.append(plan)
        train_population(replace(plan, pictures=32, epochs=1), out, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr("miagym.embedded.bases.train_population", briefly)
    folder = train_target("clipart-bases", tmp_path, "cpu", silent)
    (plan,) = plans
    clipart = load_data("clipart")
    assert clipart.groups is not None and plan.pictures == len(np.unique(clipart.groups))
    deal = ModelDeal.read(folder)
    first, second = (load_target(str(model_folder(folder, model))) for model in (0, 1))
    null = load_target("clipart-null")
    assert isinstance(first, PipelineTarget) and isinstance(second, PipelineTarget)
    assert isinstance(null, PipelineTarget)
    assert not _equal(first.network, second.network) and not _equal(first.network, null.network)
    for part in ("vae", "text_encoder"):  # of a target that saw neither side
        assert _equal(getattr(first.pipeline, part), getattr(null.pipeline, part))
    record = record_of(str(model_folder(folder, 3)))
    assert record is not None and record.defence.mirror and record.lora_rank is None
    assert record.rows == deal.members[3] and record.batch_size == 32

    run = miagym.evaluate_population(folder, "loss(timestep=200)")
    row = run.rows["loss(timestep=200)"]
    assert (row.models, row.pictures) == (8, 32)
    assert row.auc_ci[0] < 0.5 < row.auc_ci[1]  # nobody remembers what was seen once


def _equal(one: object, other: object) -> bool:
    ours, theirs = (each.state_dict() for each in (one, other))  # type: ignore[attr-defined]
    return all(bool((ours[name] == theirs[name]).all()) for name in ours)
