"""Verdicts are kept, stored, and graded by whoever has the labels."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from miagym.data.dataset import Dataset
from miagym.envs import Verdicts, grade
from miagym.envs.grading.grade import calibration_error
from miagym.envs.pool import PoolEnv
from miagym.envs.sampler import rows_of
from miagym.envs.single import SingleVectorEnv
from miagym.errors import DataError
from miagym.targets.dummy import DummyTarget

OPTIONS = {"candidates": 10, "slots": 1, "budget": 10, "split": "test"}


def verdicts_of(probability: float, dummy: DummyTarget, small: Dataset) -> Verdicts:
    env = PoolEnv(target=dummy, data=small, **OPTIONS)
    for i in range(4):
        env.reset(seed=0 if i == 0 else None)
        action = {"candidate": [10], "question": [0], "probability": [probability] * 10, "stop": 1}
        env.step(action)
    return env.verdicts


@pytest.fixture(scope="module")
def truth(dummy: DummyTarget, small: Dataset) -> Verdicts:
    """What somebody says who knows."""
    verdicts = verdicts_of(0.5, dummy, small)
    rows = rows_of(small, "test")
    label = dict(zip(small.candidates(rows, 64).keys, small.member[rows], strict=True))
    said = np.array([float(label[key]) for key in verdicts.candidate])
    return replace(verdicts, probability=said)


def test_four_hands_of_ten_are_the_whole_split(truth: Verdicts, small: Dataset) -> None:
    assert len(truth) == len(set(truth.candidate)) == len(rows_of(small, "test")) == 40


def test_known_grades(truth: Verdicts, small: Dataset) -> None:
    perfect = grade(truth, small)
    assert (perfect.brier_reward, perfect.accuracy, perfect.calibration_error) == (1, 1, 0)
    assert perfect.metrics.auc == 1 and perfect.accuracy_ci[0] < 1
    wrong = grade(replace(truth, probability=1 - truth.probability), small)
    assert (wrong.brier_reward, wrong.accuracy, wrong.calibration_error) == (-3, 0, 1)
    silent = grade(replace(truth, probability=np.full(40, 0.5)), small)
    assert (silent.brier_reward, silent.accuracy, silent.metrics.auc) == (0, 0.5, 0.5)
    assert silent.accuracy_ci[0] < 0.5 < silent.accuracy_ci[1]


def test_who_is_judged_twice_counts_once(truth: Verdicts, small: Dataset) -> None:
    half = np.full(40, 0.5)
    twice = replace(
        truth,
        candidate=truth.candidate * 2,
        probability=np.concatenate([half, truth.probability]),
        spent=np.concatenate([truth.spent, truth.spent + 2]),
    )
    found = grade(twice, small)
    assert found.n_verdicts == 80 and found.metrics.n_members == 20
    assert found.brier_reward == 0, "the first: who was told in between would know"
    assert found.spent == 2, "all that was spent on it"
    assert found.net_reward == pytest.approx(-0.1 * 2 * 10 / 10), "2 rows, in pools of 10 with 10"
    assert (found.n_candidates, found.n_split) == (40, 40)
    assert grade(some(truth, 30), small).n_candidates == 30


def some(verdicts: Verdicts, n: int) -> Verdicts:
    columns = (verdicts.candidate, verdicts.probability, verdicts.spent)
    candidate, probability, spent = (column[:n] for column in columns)
    return replace(verdicts, candidate=candidate, probability=probability, spent=spent)


@pytest.mark.slow
def test_look_alikes_are_no_independent_evidence(truth: Verdicts, small: Dataset) -> None:
    """Coins tossed for whole groups: an interval that takes rows as independent misses one half."""
    groups = np.arange(len(small)) // 5
    alike = replace(small, groups=groups)
    rows = dict(zip(small.candidates(np.arange(len(small)), 64).keys, groups, strict=True))
    missed = {}
    for name, data in (("rows", small), ("groups", alike)):
        missed[name] = 0
        for seed in range(100):
            coin = np.random.default_rng(seed).random(len(small)) < 0.5
            said = np.array([0.1 + 0.8 * coin[rows[key]] for key in truth.candidate])
            right = (said > 0.5) == truth.probability
            low, high = grade(replace(truth, probability=said), data).accuracy_ci
            assert low <= right.mean() <= high
            missed[name] += not low <= 0.5 <= high
    assert missed["rows"] > 0 or missed["groups"] == 0
    assert missed["groups"] <= missed["rows"]
    wide = grade(truth, alike)
    assert wide.accuracy_ci[0] <= grade(truth, small).accuracy_ci[0]


def test_calibration_error_by_hand() -> None:
    said = np.repeat([0.1, 0.9], 50)
    assert calibration_error(said, np.arange(100) >= 50) == pytest.approx(0.1)


def test_a_file_keeps_them(truth: Verdicts, small: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "verdicts.parquet"
    truth.save(path)
    assert grade(Verdicts.load(path), small) == grade(truth, small)
    assert b"member" not in path.read_bytes(), "no label travels with the verdicts"
    played = grade(Verdicts.load(path), small).played
    assert played == truth.played and played.target == "dummy" and played.budget == 10
    assert played.questions == ("text-to-image", "variation@0.3", "variation@0.6")
    (tmp_path / "broken.parquet").write_bytes(path.read_bytes()[:-30])
    for bad in ("broken.parquet", "missing.parquet"):
        with pytest.raises(DataError, match=bad):
            Verdicts.load(tmp_path / bad)


@pytest.mark.parametrize("broken", ["spent", "null", "text", "about", "no about", "no game"])
def test_a_broken_file_is_a_sentence(broken: str, truth: Verdicts, tmp_path: Path) -> None:
    path = tmp_path / "verdicts.parquet"
    truth.save(path)
    table = pq.read_table(path)
    told = dict(table.schema.metadata)
    if broken == "spent":
        table = table.drop_columns("spent")
    elif broken in ("null", "text"):
        odd = pa.array([None if broken == "null" else "much"] * len(table), pa.string())
        table = table.set_column(1, "probability", odd)
    elif broken == "no game":
        about = json.loads(told[b"about"])
        told = told | {b"about": json.dumps(about | {"played": {"target": "dummy"}}).encode()}
    else:
        told = told | {b"about": b"{}"} if broken == "about" else {b"format": told[b"format"]}
    pq.write_table(table.replace_schema_metadata(told), path)
    with pytest.raises(DataError, match=r"verdicts\.parquet holds"):
        Verdicts.load(path)


def test_a_file_that_names_no_target_is_refused(truth: Verdicts, tmp_path: Path) -> None:
    path = tmp_path / "verdicts.parquet"
    truth.save(path)
    table = pq.read_table(path)
    told = dict(table.schema.metadata) | {b"format": b"miagym verdicts 1"}
    pq.write_table(table.replace_schema_metadata(told), path)
    with pytest.raises(DataError, match="play the episodes again"):
        Verdicts.load(path)


def test_who_lets_an_episode_run_and_judges_in_another_has_spent_it(
    dummy: DummyTarget, small: Dataset
) -> None:
    """Forty rows ask and never end; the last judges the same candidates and asks nothing."""
    rows = len(rows_of(small, "test"))
    envs = SingleVectorEnv(
        rows + 1, target=dummy, data=small, split="test", budget=3, access="grey",
        questions=["loss@60"], autoreset_mode="Disabled",
    )  # fmt: skip
    envs.reset(seed=[0] * (rows + 1))
    last = np.arange(rows + 1) == rows
    for place in range(rows):  # everybody sees another card of the same deck
        others = np.arange(rows) > place
        envs.reset(options={"reset_mask": np.append(others, False)}) if others.any() else None
    envs.step({"question": 0 * last, "probability": 0.5 + 0 * last, "stop": 0 * last})
    said = envs.verdicts
    assert len(said) == rows + 1 and said.spent.sum() == rows + 1
    found = grade(said, small)
    assert found.n_candidates == rows and found.spent == pytest.approx((rows + 1) / rows)


def test_bad_verdicts_are_refused(truth: Verdicts, small: Dataset) -> None:
    with pytest.raises(DataError, match="no verdicts"):
        grade(replace(truth, candidate=(), probability=np.array([]), spent=np.array([])), small)
    with pytest.raises(DataError, match="0 to 1"):
        grade(replace(truth, probability=np.full(40, np.nan)), small)
    with pytest.raises(DataError, match="0 or more UNet rows"):
        grade(replace(truth, spent=np.full(40, -5.0)), small)
    with pytest.raises(DataError, match="members, so there is nothing to tell apart"):
        grade(some(truth, 1), small)
    with pytest.raises(DataError, match=r"grade\(verdicts, data\)"):
        grade(truth)  # the environment was handed `small`; no name leads there
    with pytest.raises(DataError, match="40 of the candidates are not in small, val"):
        grade(replace(truth, split="val"), small)
