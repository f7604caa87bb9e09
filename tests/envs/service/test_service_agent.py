"""Against a service without a reference, whoever uploads the picture turned knows more."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from miagym.agents.agent import play
from miagym.agents.uploading import UploadingAgent
from miagym.data.dataset import Dataset
from miagym.data.registry import load_data
from miagym.envs import grade
from miagym.envs.sampler import rows_of
from miagym.envs.service.env import ServiceVectorEnv
from miagym.envs.single import SingleVectorEnv
from miagym.errors import DataError, SettingsError
from miagym.metrics.comparisons.comparison import compare
from miagym.targets.dummy import DummyTarget

WAYS = ["original@0.3", "turned@0.3"]


def test_it_plays_until_the_budget_is_gone(dummy: DummyTarget, small: Dataset) -> None:
    made: dict[str, Any] = {"target": dummy, "data": small, "budget": 10}
    train = ServiceVectorEnv(4, split="train", **made)
    agent = UploadingAgent.fit_over([train], WAYS, 6, seed=0)
    runs = []
    for _ in range(2):
        test = ServiceVectorEnv(4, split="test", **made)
        play(agent.playing(test), test, 6, seed=1)
        runs.append(test.verdicts)
    assert np.array_equal(runs[0].probability, runs[1].probability)
    assert set(runs[0].spent) == {9.0}
    assert grade(runs[0], small).metrics.auc > 0.8


def test_it_plays_services_and_learns_where_labels_are(dummy: DummyTarget, small: Dataset) -> None:
    with pytest.raises(SettingsError, match="vector environments of miagym/Service-v0"):
        UploadingAgent(SingleVectorEnv(2, target=dummy, data=small), WAYS)
    graded = ServiceVectorEnv(2, target=dummy, data=small, split="val", budget=6)
    with pytest.raises(DataError, match="play on the split train"):
        UploadingAgent.fit_over([graded], WAYS, 1, seed=0)


@pytest.mark.long
@pytest.mark.slow
def test_the_picture_turned_is_worth_more_than_the_same_question_again() -> None:
    """At equal cost; `benchmarks/games/uploads.py` measures the same on all candidates."""
    data = load_data("clipart-tune")
    rows = rows_of(data, "test")
    at = dict(zip(data.candidates(rows, 64).keys, rows.tolist(), strict=True))
    said: list[dict[str, float]] = []
    for ways in (WAYS[:1], WAYS):
        train, test = (ServiceVectorEnv(16, split=split, budget=12) for split in ("train", "test"))
        agent = UploadingAgent.fit_over([train], ways, 8, seed=0)
        play(agent.playing(test), test, 12, seed=1)
        found = test.verdicts
        said.append(dict(zip(found.candidate, found.probability, strict=True)))
    keys = sorted(set(said[0]) & set(said[1]))
    where = [at[key] for key in keys]
    without, with_turn = (np.array([one[key] for key in keys]) for one in said)
    assert data.groups is not None
    gain = compare(with_turn, without, data.member[where], 0, data.groups[where]).auc
    assert gain.ci[0] > 0.05
