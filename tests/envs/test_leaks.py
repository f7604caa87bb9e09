"""On `val` and `test` nothing tells the label: not reward, info or order, nor the seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

from miagym.data.dataset import Dataset
from miagym.data.registry import load_data
from miagym.envs import grade
from miagym.envs.pool import PoolEnv
from miagym.envs.sampler import rows_of
from miagym.envs.single import SingleEnv, SingleVectorEnv
from miagym.targets.dummy import DummyTarget

VERDICT = {"question": 0, "probability": 0.5, "stop": 1}


def test_splits_share_no_picture_and_no_group() -> None:
    for name in ("clipart", "clipart-tune"):
        data = load_data(name)
        rows = [rows_of(data, split) for split in ("train", "val", "test")]
        assert len(np.unique(np.concatenate(rows))) == sum(map(len, rows)) == len(data)
        assert data.groups is not None
        groups = [set(data.groups[r]) for r in rows]
        assert not groups[0] & groups[1] and not (groups[0] | groups[1]) & groups[2]


@pytest.mark.parametrize("split", ["val", "test"])
@pytest.mark.parametrize("stop", [0, 1])
def test_where_verdicts_are_graded_there_is_no_reward_and_no_label(
    stop: int, split: str, dummy: DummyTarget, small: Dataset
) -> None:
    env = PoolEnv(target=dummy, data=small, split=split, candidates=4, budget=6)
    _, info = env.reset(seed=0)
    action = {"candidate": [0, 1, 2, 3], "question": [1] * 4, "probability": [1, 0, 1, 0]}
    infos, rewards = [info], []
    for _ in range(10):
        _, reward, terminated, truncated, info = env.step({**action, "stop": stop})
        infos.append(info)
        rewards.append(reward)
        if terminated or truncated:
            break
    assert terminated or truncated
    assert set(rewards) == {0.0}
    assert {key for info in infos for key in info} == {"captions", "action_mask"}
    assert split == "val" or env.game.members == [None]


@dataclass(frozen=True)
class Openings:
    """First observations and infos on `test`, nothing asked; labels and groups of the grader."""

    observations: list[dict[str, Any]]
    infos: list[dict[str, Any]]
    member: np.ndarray
    group: np.ndarray

    def auc(self, features: np.ndarray) -> float:
        """Of a forest, cross-validated; near-duplicates are never on both sides of a fold."""
        forest, folds = RandomForestClassifier(100, random_state=0), StratifiedGroupKFold(5)
        found = cross_val_predict(
            forest, features, self.member, cv=folds, groups=self.group, method="predict_proba"
        )
        return float(roc_auc_score(self.member, found[:, 1]))

    @property
    def chance(self) -> float:
        """Three standard deviations above 0.5 for the AUC of a guess (Hanley & McNeil 1982)."""
        members, others = self.member.sum(), (~self.member).sum()
        return 0.5 + 3 * np.sqrt((members + others + 1) / (12 * members * others))


@pytest.fixture(scope="module")
def openings() -> Openings:
    env = SingleEnv(split="test", budget=3, questions=["variation@0.3"])
    data = load_data("clipart-tune")
    rows = rows_of(data, "test")
    row_of = dict(zip(data.candidates(rows, 64).keys, rows, strict=True))
    seen, dealt = [], []
    for i in range(len(rows)):
        seen.append(env.reset(seed=0 if i == 0 else None))
        hand = env.game.candidates[0]
        assert hand is not None and data.groups is not None
        dealt.append(row_of[hand.keys[0]])
    assert len(set(dealt)) == len(rows), "every candidate is dealt once"
    observations, infos = map(list, zip(*seen, strict=True))
    return Openings(observations, infos, data.member[dealt], data.groups[dealt])


def test_the_order_tells_nothing(openings: Openings) -> None:
    """Nor do the other parts of the observation, which are the same for all."""
    first = openings.observations[0]
    others = sorted(first.keys() - {"candidate", "caption"})
    for observation, info in zip(openings.observations, openings.infos, strict=True):
        assert info.keys() == {"caption", "action_mask"}
        assert all((observation[name] == first[name]).all() for name in others)
        assert (info["action_mask"] == openings.infos[0]["action_mask"]).all()
    when = np.arange(len(openings.member))[:, None]
    assert openings.auc(when) < openings.chance


def test_what_is_seen_at_first_tells_no_more_than_a_guess(openings: Openings) -> None:
    """Picture, token ids and caption: the split is fair, so whoever reads them is at chance."""
    pixels = np.array([o["candidate"][::8, ::8].ravel() for o in openings.observations])
    tokens = np.array([o["caption"] for o in openings.observations])
    captions = [info["caption"] for info in openings.infos]
    words = np.array([[len(c), c.count(","), *c.encode()[:8].ljust(8)] for c in captions])
    assert openings.auc(np.hstack([pixels, tokens, words])) < openings.chance


def test_a_planted_leak_is_found(openings: Openings) -> None:
    """The canary is alive: a number that depends on the label, in `info` say, would be seen."""
    rng = np.random.default_rng(0)
    leak = openings.member[:, None] + rng.normal(0, 1, (len(openings.member), 1))
    assert openings.auc(leak) > openings.chance


def test_who_memorises_seeds_is_at_chance_on_test() -> None:
    """Labels by seed, learned on `train`, say nothing about the same seeds on `test`."""
    env, memory = SingleEnv(split="train", budget=3), {}
    for seed in range(300):
        env.reset(seed=seed)
        memory[seed] = env.step(VERDICT)[-1]["member"]
    env = SingleEnv(split="test", budget=3)
    for seed in range(300):
        env.reset(seed=seed)
        env.step({**VERDICT, "probability": float(memory[seed])})
    low, high = grade(env.verdicts).metrics.auc_ci
    assert low < 0.5 < high


@pytest.mark.slow
def test_a_random_agent_is_at_chance_on_test() -> None:
    env = PoolEnv(split="test", candidates=16, budget=12, questions=["variation@0.2"])
    env.action_space.seed(0)
    env.reset(seed=0)
    for _ in range(140):
        _, _, terminated, truncated, _ = env.step(env.action_space.sample())
        if terminated or truncated:
            env.reset()
    verdict = grade(env.verdicts)
    assert verdict.n_verdicts > 400
    assert verdict.metrics.auc_ci[0] < 0.5 < verdict.metrics.auc_ci[1]
    assert verdict.accuracy_ci[0] < 0.5 < verdict.accuracy_ci[1]


@pytest.mark.slow
def test_on_the_null_target_answers_tell_nothing() -> None:
    """The question that finds members of the overfit target finds none where there are none."""
    found = {}
    for target in ("clipart-overfit", "clipart-null"):
        options = {"access": "grey", "questions": ["sima@60"], "data": "clipart-tune"}
        envs = SingleVectorEnv(32, target=target, split="test", budget=1, **options)
        envs.reset(seed=0)
        action = {name: np.zeros(32, dtype=int) for name in ("question", "stop")}
        for _ in range(8):
            asked, *_ = envs.step({**action, "probability": np.full(32, 0.5)})
            sure = 1 / (1 + asked["statistics"][:, 0, 1])  # a member's latent is predicted empty
            envs.step({**action, "stop": np.ones(32, dtype=int), "probability": sure})
            envs.step({**action, "probability": sure})  # the next episodes begin
        found[target] = grade(envs.verdicts).metrics.auc_ci
    assert found["clipart-overfit"][0] > 0.9
    assert found["clipart-null"][0] < 0.5, "nobody beats chance there"
