"""The model of answers, its gain, and the agent that goes by it, on a table that was made up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from miagym.agents.agent import play
from miagym.agents.answer_models.gaussian import AnswerModel
from miagym.agents.knowledge_gradient import KnowledgeGradientAgent, PictureValue
from miagym.agents.observations import ObservationBatch
from miagym.data.dataset import Dataset
from miagym.envs.answers.record import TableRecord
from miagym.envs.answers.table import AnswerTable
from miagym.envs.options import PoolOptions
from miagym.envs.pool import PoolVectorEnv
from miagym.envs.sampler import CandidateSplit
from miagym.envs.settings import Settings
from miagym.envs.tables.simulation import Simulation
from miagym.errors import DataError, SettingsError, TooFewToLearn

DRAWS, BUDGET = 4, 24
MODEL = AnswerModel(
    mean=np.array([[0.0] * DRAWS, [-1.0] * DRAWS]),
    deviation=np.array([[1.0, 0.8, 0.7, 0.65]] * 2),
    correlation=np.array([[[1, 0.8, 0.7, 0.6], [0.8, 1, 0.9, 0.8], [0.7, 0.9, 1, 0.9],
                           [0.6, 0.8, 0.9, 1]]] * 2),
)  # fmt: skip


@pytest.fixture(scope="module")
def table(small: Dataset) -> AnswerTable:
    """Members answer lower: ratios of about exp(-1) to others' 1, with noise."""
    parts = [CandidateSplit(small, split, 64) for split in ("train", "test")]
    keys = tuple(k for part in parts for k in part.candidates(np.arange(len(part))).keys)
    labels = dict(zip(small.candidates(np.arange(len(small)), 64).keys, small.member, strict=True))
    n, rng = len(keys), np.random.default_rng(0)
    x = -1.0 * np.array([labels[key] for key in keys])[:, None, None] + 0.5 * rng.normal(
        size=(n, 1, 1)
    )
    x = x + 0.5 * rng.normal(size=(n, DRAWS, 8))
    means = np.stack([np.exp(x), np.ones(x.shape)], axis=-1)[:, None].astype(np.float32)
    record = TableRecord(
        "made-up", "f", "other", "g", "own", small.name, small.digest, "black",
        ("variation@0.3",), ("train", "test"), 10, 1.0, "", 0, DRAWS, BUDGET, 64, 1, False, "0", "",
    )  # fmt: skip
    own = np.ones((n, 1, DRAWS, 2, 3), dtype=np.float32)
    return AnswerTable(record, "", keys, np.zeros((n, 77), dtype=np.int32), own, means)


def learned(table: AnswerTable, data: Dataset) -> tuple[AnswerModel, PictureValue]:
    part = CandidateSplit(data, "train", 64)
    everybody = part.candidates(np.arange(len(part)))
    member = part.member(np.arange(len(part)))
    assert member is not None
    model = AnswerModel.fit(table, everybody.keys, member)
    return model, PictureValue.fit(model, table, everybody.keys, everybody.images)


def test_the_gain_is_what_a_simulation_finds() -> None:
    rng, now = np.random.default_rng(0), 0.3
    for count in (0, 1, 2):
        p = float(MODEL.probability(np.array(now), np.array(count)))
        found = []
        for side, share in ((0, 1 - p), (1, p)):
            deviation, rho = MODEL.deviation[side], MODEL.correlation[side]
            known = rho[count - 1, count] if count else 0.0
            off = (now - MODEL.mean[side][count - 1]) / deviation[count - 1] if count else 0.0
            next_ = MODEL.mean[side][count] + deviation[count] * (
                known * off + np.sqrt(1 - known**2) * rng.normal(size=100_000)
            )
            q = MODEL.probability(next_, np.full(100_000, count + 1))
            found.append(share * (1 - 4 * q * (1 - q)).mean())
        gain = MODEL.gain(np.array([now]), np.array([count]))[0]
        assert gain == pytest.approx(sum(found) - (1 - 4 * p * (1 - p)), abs=0.01)
    assert MODEL.gain(np.array([now]), np.array([DRAWS]))[0] == 0


def test_who_is_in_doubt_is_asked_again() -> None:
    gain = MODEL.gain(np.array([[-0.5, 3.0, -4.0]]), np.ones((1, 3), dtype=np.int64))
    assert gain.argmax() == 0
    assert MODEL.probability(np.array([9.0]), np.array([0]))[0] == 0.5


def test_it_plays_a_simulation_as_it_plays_the_environment(table, small: Dataset) -> None:
    model, value = learned(table, small)
    options: Any = {"answers": table, "data": small, "split": "test", "budget": BUDGET}
    options |= {"candidates": 5, "slots": 2}
    envs = PoolVectorEnv(2, **options)
    agent = KnowledgeGradientAgent(model, np.array([3]), value)
    live = play(agent, envs, episodes=1, seed=3).verdicts
    game = Simulation(Settings.of(options, PoolOptions), 2)
    seen, promised = game.reset(seed=3), value(game.world.split.everybody.images)
    while not game.over.all():
        action = agent.act_on(ObservationBatch.of(seen), seen, promised[game.places])
        seen = game.step(action)[0]
    for row, verdicts in enumerate(live):
        assert np.array_equal(verdicts.probability, game.probability[row])
        assert (verdicts.spent * 5).round().tolist() == [BUDGET] * 5


def test_what_it_cannot_learn_from_or_read_is_refused(table, small: Dataset) -> None:
    keys = table.keys[:4]
    with pytest.raises(TooFewToLearn):
        AnswerModel.fit(table, keys, np.array([0, 1, 0, 1]))
    alone = replace(table, record=replace(table.record, reference=None))
    with pytest.raises(SettingsError, match="one question with a reference"):
        AnswerModel.fit(alone, keys, np.array([0, 1, 0, 1]))
    with pytest.raises(DataError, match="play with questions of one name and a reference"):
        MODEL({"count": np.zeros((1, 2)), "summary": np.zeros((1, 2, 8))})
