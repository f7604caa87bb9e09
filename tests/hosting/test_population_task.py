"""Tasks about a population: each model knows pictures of its own, and intervals hold for others."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest

from miagym.data.dealt import model_names
from miagym.data.registry import load_data
from miagym.envs.family.family import Family
from miagym.errors import HostError
from miagym.hosting.bench.playing import Bench
from miagym.hosting.codabench.bundle import bundle
from miagym.hosting.codabench.competition import Dates
from miagym.hosting.dealing.phase import deal_phase
from miagym.hosting.dealing.population import PopulationDeal
from miagym.hosting.suite import HostedTask, own_task, suite
from tests.hosting.serving import serving

POPULATION = "clipart-population"
TASK = next(one for one in suite("black-2026") if one.population)
SECRET = "5" * 64


def dealt(task: HostedTask = TASK, phase: str = "dev", secret: str = SECRET) -> PopulationDeal:
    found = deal_phase(task, phase, secret)
    assert isinstance(found, PopulationDeal)
    return found


def test_labels_are_what_each_model_was_trained_on() -> None:
    deal = dealt()
    labels, of = deal.labels(64), Family.of(POPULATION).targets
    for model in np.unique(labels.models):
        own = load_data(of[model])
        known = dict(zip(own.candidates(np.arange(len(own)), 64).keys, own.member, strict=True))
        rows = np.flatnonzero(labels.models == model)
        assert len(rows) == 20
        assert [labels.member[row] for row in rows] == [known[labels.pictures[row]] for row in rows]
    assert len(set(labels.keys)) == 8 * 20 and len(set(labels.pictures)) == 20


def test_phases_share_neither_models_nor_pictures_and_agents_learn_on_others() -> None:
    dev, final = dealt(), dealt(phase="final")
    train = Family.of(POPULATION)
    learned = {train.targets[model] for model in train.models("train")}
    assert len({*dev.targets, *final.targets, *learned}) == 8 + 8 + 16
    pictures = [set(each.labels(64).pictures) for each in (dev, final)]
    assert not pictures[0] & pictures[1]


def test_each_walk_deals_the_same_pairs_anew() -> None:
    deal, of = dealt(), []
    for walk in ("ada/population-120/dev/0", "ada/population-120/dev/1"):
        hands = deal.hands(walk)
        assert {len(hand.places) for hand in hands} == {10} and len(hands) == 16
        of.append({(hand.target, place) for hand in hands for place in hand.places.tolist()})
        assert len(of[-1]) == 160
    assert of[0] == of[1]
    order = [[hand.target for hand in deal.hands(walk)] for walk in ("a/0", "b/0")]
    assert order[0] != order[1]


def test_fewer_hands_than_pictures_are_the_same_for_all_players() -> None:
    task = dataclasses.replace(TASK, hands=12, candidates=8)
    deal = dealt(task)
    judged = [
        {(hand.target, place) for hand in deal.hands(walk) for place in hand.places.tolist()}
        for walk in ("ada/0", "bob/0")
    ]
    assert judged[0] == judged[1] and len(judged[0]) == 96 == len(deal.labels(64).keys)
    assert judged[0] != {
        (hand.target, place)
        for hand in dealt(task, secret="6" * 64).hands("ada/0")
        for place in hand.places.tolist()
    }


def test_each_model_answers_under_noise_of_its_own() -> None:
    deal = dealt()
    seeds = {deal.noise("ada/0", target) for target in deal.targets}
    assert len(seeds) == 8 and seeds.isdisjoint({deal.noise("bob/0", t) for t in deal.targets})
    found = Bench(TASK)
    noise = {
        found._envs(1, target, "test", found.deal.data).settings.noise_seed
        for target in found.deal.targets[:3]
    }
    assert len(noise) == 3


def test_what_is_no_population_task_is_a_sentence() -> None:
    with pytest.raises(HostError, match="brings models and pictures of its own"):
        dataclasses.replace(TASK, targets=("clipart-overfit",))
    with pytest.raises(HostError, match="brings models and pictures of its own"):
        own_task([], "clipart-tune", None, ["variation@0.3"], 60, 8, population=POPULATION)
    with pytest.raises(HostError, match="brings models and pictures of its own"):
        own_task([], None, None, [], 60, 8, "full", POPULATION)
    with pytest.raises(
        HostError, match=r"need 32 pictures in each phase.* has 20: ask for at most 8 hands"
    ):
        dealt(dataclasses.replace(TASK, candidates=16))
    assert len(dealt(dataclasses.replace(TASK, candidates=16, hands=8)).labels(64).keys) == 128
    with pytest.raises(HostError, match="a phase dev or final"):
        deal_phase(TASK, "exam", SECRET)
    dates = Dates(datetime(2026, 12, 1), datetime(2027, 1, 1), None)
    with pytest.raises(HostError, match="one line for it; export a task about one model"):
        bundle(TASK, SECRET, "http://127.0.0.1", dates)


@pytest.mark.slow
def test_it_is_played_at_a_host_and_graded_over_models(tmp_path: Path) -> None:
    """By a file of what is so, and by the verdicts of a walk, of which nobody is told more."""
    with serving(tmp_path / "host.sqlite", dataclasses.replace(TASK, walks=(1, 1))) as hosted:
        key = hosted.key("ada")
        with httpx2.Client(base_url=hosted.address, headers={"X-API-Key": key}) as http:
            told = http.get("/tasks").json()
            shown = http.get(f"/tasks/{TASK.name}/candidates").json()
            names = [one["candidate"] for one in shown]
            assert len(set(names)) == 160 and len({one["picture"] for one in shown}) == 20
            for text in (json.dumps(told), json.dumps(shown)):
                assert not any(name in text for name in model_names(POPULATION, 32))
                assert POPULATION not in text
            labels = hosted.host.deck(TASK.name).deal.labels(64)
            member = dict(zip(labels.keys, labels.member, strict=True))
            keys = hosted.host.table("ada", TASK.name).keys()
            scores = {name: 0.9 if member[keys[name]] else 0.1 for name in names}
            lines = [f"{name},{score}" for name, score in scores.items()]
            sent = http.post(f"/submit/{TASK.name}", content="\n".join(["ids,score", *lines]))
            assert sent.status_code == 200, sent.text
            board: dict[str, Any] = {
                row["player"]: row for row in http.get(f"/leaderboard/{TASK.name}").json()
            }
            first, blind = board["ada"], board["blind"]
            assert first["auc"] == 1 and first["rank"] == 1 and blind["rank"] == 2
            assert {row["intervals_over"] for row in board.values()} == {"models and pictures"}
            assert blind["auc_ci"][0] < 0.5 < blind["auc_ci"][1]
            answers = answers_about_one(http, shown)
            assert len(answers) == 2, "the same picture is answered by each model in its own way"


def answers_about_one(http: httpx2.Client, shown: list[dict[str, Any]]) -> set[str]:
    """Answers of the first two models that are asked about one picture."""
    twice = [one["candidate"] for one in shown if one["picture"] == shown[0]["picture"]][:2]
    asked = [{"candidate": name, "question": "variation@0.3"} for name in twice]
    body = {"request_id": "request-1", "questions": asked}
    found = http.post(f"/tasks/{TASK.name}/query", json=body).raise_for_status().json()
    return {one["picture"] for one in found["answers"]}
