"""Over HTTP, too, nothing but the answers that are paid for tells the label."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import httpx2
import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

import miagym
from tests.hosting.serving import TASK, Hosted, serving

MANY = replace(TASK, hands=16, candidates=16)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    with serving(tmp_path_factory.mktemp("many") / "host.sqlite", MANY) as hosted:
        yield hosted


@dataclass(frozen=True, eq=False)
class Truth:
    """What only the host knows."""

    label: dict[str, bool]
    """By key."""
    group: dict[str, int]

    @classmethod
    def of(cls, hosted: Hosted) -> Truth:
        known = hosted.host.deck("small").deal.labels(64)
        assert known.groups is not None
        label = dict(zip(known.keys, known.member.tolist(), strict=True))
        return cls(label, dict(zip(known.keys, known.groups.tolist(), strict=True)))

    @property
    def chance(self) -> float:
        """Three standard deviations above 0.5 for the AUC of a guess (Hanley & McNeil 1982)."""
        members = sum(self.label.values())
        others = len(self.label) - members
        return 0.5 + 3 * np.sqrt((members + others + 1) / (12 * members * others))


def names_of(hosted: Hosted, player: str) -> dict[str, str]:
    """The keys of candidates by the names that a player knows."""
    return hosted.host.table(player, "small").keys()


def auc_of(hosted: Hosted, player: str) -> float:
    truth, said = Truth.of(hosted), hosted.host.table(player, "small").verdicts()
    return float(roc_auc_score([truth.label[key] for key in said], [*said.values()]))


def played(hosted: Hosted, player: str, said: dict[tuple[int, int], float] | None) -> None:
    """Plays a walk: says what is given by hand and place, or whatever the action space samples."""
    env = miagym.RemoteEnv(hosted.address, hosted.key(player), "small")
    env.action_space.seed(0)
    for hand in range(MANY.hands):
        env.reset()
        action = env.action_space.sample()
        env.step({**action, "stop": 0})
        if said is not None:
            action["probability"] = np.array([said[hand, i] for i in range(MANY.candidates)])
        env.step({**action, "candidate": np.full(MANY.slots, MANY.candidates), "stop": 1})
    env.close()


def test_a_random_agent_is_at_chance(many: Hosted) -> None:
    played(many, "random", None)
    assert 1 - Truth.of(many).chance < auc_of(many, "random") < Truth.of(many).chance


def test_who_memorises_what_another_key_was_told_is_at_chance(many: Hosted) -> None:
    """Labels by hand, place and name, as if one player had been told all of its own."""
    truth, first = Truth.of(many), many.key("first")
    shown = httpx2.get(f"{many.address}/tasks/small/candidates", headers={"X-API-Key": first})
    keys, places = names_of(many, "first"), dict[int, int]()
    told = dict[tuple[int, int], float]()
    for one in shown.json():
        place = places[one["hand"]] = places.get(one["hand"], -1) + 1
        told[one["hand"], place] = float(truth.label[keys[one["candidate"]]])
    played(many, "second", told)
    assert 1 - truth.chance < auc_of(many, "second") < truth.chance
    assert not names_of(many, "first").keys() & names_of(many, "second").keys()


def test_who_reads_all_that_stands_beside_the_pictures_is_at_chance(many: Hosted) -> None:
    """Names, numbers, order, sizes and times of replies, with the labels of all others to learn."""
    truth = Truth.of(many)
    rows, labels, groups = [], [], []
    http = httpx2.Client(base_url=many.address, headers={"X-API-Key": many.key("reader")})
    for i in range(MANY.hands):
        begun = time.perf_counter()
        reply = http.post("/tasks/small/reset", json={"request_id": f"reset-of-the-reader-{i}"})
        seconds, shown = time.perf_counter() - begun, reply.json()
        keys = names_of(many, "reader")
        for place, name in enumerate(shown["names"]):
            numbers = (int(name[:8], 16), int(name[8:], 16), place, shown["hand"])
            rows.append([*numbers, seconds, len(reply.content), len(shown["begun"])])
            labels.append(truth.label[keys[name]])
            groups.append(truth.group[keys[name]])
        nobody = {"candidate": [MANY.candidates] * MANY.slots, "question": [0] * MANY.slots}
        action = {**nobody, "probability": [0.5] * MANY.candidates, "stop": 1}
        body = {"request_id": f"verdict-of-the-reader-{i}", "action": action}
        assert http.post("/tasks/small/step", json=body).status_code == 200
    http.close()
    assert len(rows) == MANY.hands * MANY.candidates
    seen, noise = np.array(rows), np.random.default_rng(0).normal(size=len(rows))
    assert told_by(seen, labels, groups) < truth.chance
    planted = np.column_stack([seen, np.array(labels) + noise])
    assert told_by(planted, labels, groups) > truth.chance, "a number that tells would be seen"


def told_by(features: np.ndarray, labels: list[bool], groups: list[int]) -> float:
    """AUC of a forest, cross-validated; look-alikes are never on both sides of a fold."""
    forest, folds = RandomForestClassifier(100, random_state=0), StratifiedGroupKFold(5)
    found = cross_val_predict(
        forest, features, labels, cv=folds, groups=groups, method="predict_proba"
    )
    return float(roc_auc_score(labels, found[:, 1]))
