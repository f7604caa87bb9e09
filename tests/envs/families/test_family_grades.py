"""Grades of verdicts about families: labels by target, and what their intervals are over."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from miagym.agents.agent import play
from miagym.agents.random import RandomAgent
from miagym.data.registry import load_data
from miagym.envs import grade, grade_audit, grade_family
from miagym.envs.audit.env import AuditVectorEnv
from miagym.envs.grading.verdicts import Verdicts
from miagym.envs.pool import PoolVectorEnv
from miagym.errors import DataError
from miagym.metrics.auc import auc
from tests.envs.families.family_hands import CHEAP, LIST, POPULATION, ask, judged, say


def test_where_there_are_many_targets_intervals_are_over_them_and_pictures(
    memorisers: None, tmp_path: Path
) -> None:
    envs = PoolVectorEnv(24, split="test", family=POPULATION, **CHEAP)
    verdicts = judged(envs, 3)
    found = grade_family(verdicts)
    assert found.intervals_over == "models and pictures" and found.n_models == 8
    assert 100 < found.n_judged == len(set(verdicts.candidate)) <= found.n_split == 160
    assert found.metrics.auc > 0.9 and found.brier_reward_ci[0] <= found.brier_reward
    assert found.spent == pytest.approx(3 * len(verdicts) / found.n_judged)
    verdicts.save(tmp_path / "verdicts.parquet")
    assert grade_family(Verdicts.load(tmp_path / "verdicts.parquet")) == found
    turned = grade_family(replace(verdicts, probability=1 - verdicts.probability))
    assert turned.metrics.auc == pytest.approx(1 - found.metrics.auc)


def test_where_there_are_few_targets_intervals_are_over_pictures(memorisers: None) -> None:
    envs = PoolVectorEnv(16, split="test", family=LIST, **CHEAP)
    verdicts = judged(envs, 2)
    found = grade_family(verdicts)
    assert found.intervals_over == "pictures" and found.n_models == 1
    assert verdicts.data == "clipart-tune" and verdicts.family == LIST
    assert found.played.target == ", ".join(LIST) and found.played.fingerprint
    low, high = found.metrics.auc_ci
    assert 0.6 < low < found.metrics.auc <= high


def test_on_a_control_there_is_nothing_to_be_found(memorisers: None) -> None:
    envs = PoolVectorEnv(128, split="train", family=LIST, **CHEAP)
    envs.reset(seed=0)
    distance = ask(envs)
    *_, info = say(envs, np.full((128, 3), 0.5))
    member = np.asarray(info["member"]) == 1
    models = np.array([envs.game.world.split.models[envs.game.model(i)] for i in range(128)])
    is_null = models == LIST.index("clipart-null")
    assert 40 < is_null.sum() < 90 and member[is_null].any()
    seen, unseen = distance[~is_null][member[~is_null]], distance[~is_null][~member[~is_null]]
    assert auc(-seen, -unseen) > 0.75
    assert (
        0.3 < auc(-distance[is_null][member[is_null]], -distance[is_null][~member[is_null]]) < 0.7
    )


def test_an_audit_takes_a_list_and_counts_hands_that_share_no_picture(memorisers: None) -> None:
    envs = AuditVectorEnv(16, split="test", family=LIST, **CHEAP)
    found = grade_audit(judged_hands(envs, 4))
    assert found.intervals_over == "pictures" and found.n_models == 1
    assert 16 < found.n_judged < 64 and found.metrics.auc > 0.9


def test_the_wrong_grader_names_the_right_one(memorisers: None) -> None:
    envs = PoolVectorEnv(8, split="val", family=LIST, **CHEAP)
    verdicts = judged(envs, 1)
    for wrong in (grade, grade_audit):
        with pytest.raises(DataError, match=r"grade them with grade_family\(verdicts\)"):
            wrong(verdicts)
    one = replace(verdicts, family=None)
    with pytest.raises(DataError, match=r"grade them with grade\(verdicts\)"):
        grade_family(one)
    strange = replace(verdicts, candidate=("0:ab", *verdicts.candidate[1:]))
    with pytest.raises(DataError, match="about nothing that clipart-overfit@40"):
        grade_family(strange)


def test_agents_play_a_family(memorisers: None) -> None:
    envs = PoolVectorEnv(4, split="val", family=LIST, **CHEAP, autoreset_mode="NextStep")
    played = play(RandomAgent(envs.game.prices, stops=0.3), envs, 3, seed=0)
    assert all(grade_family(one).n_judged == 9 for one in played.verdicts)


def test_data_that_was_handed_over_is_handed_to_the_grader(memorisers: None) -> None:
    data = load_data("clipart-tune")
    envs = PoolVectorEnv(8, split="test", family=LIST, data=data, **CHEAP)
    verdicts = judged(envs, 1)
    with pytest.raises(DataError, match=r"grade_family\(verdicts, data\)"):
        grade_family(verdicts)
    assert grade_family(verdicts, data).metrics.auc > 0.7


def judged_hands(envs: AuditVectorEnv, walks: int) -> Verdicts:
    b, n = envs.num_envs, envs.settings.candidates
    envs.reset(seed=0)
    for _ in range(walks):
        asked = {"candidate": np.tile(np.arange(n), (b, 1)), "question": np.zeros((b, n), int)}
        seen, *_ = envs.step(asked | {"probability": np.full(b, 0.5), "stop": np.zeros(b, int)})
        said = 1 / (1 + (seen["summary"][:, :, 0, 1].mean(1) / 0.05) ** 4)
        nobody = asked | {"candidate": np.full((b, n), n)}
        envs.step(nobody | {"probability": said, "stop": np.ones(b, int)})
        envs.reset(options={"reset_mask": np.ones(b, dtype=bool)})
    return envs.verdicts
