"""A bench of services: equal candidates for everybody, and uploads that are worth their price."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from miagym.agents.never import NeverAsks
from miagym.agents.uploading import UploadingAgent
from miagym.cli import app
from miagym.envs.service.env import ServiceVectorEnv
from miagym.envs.service.prompt_filter import PromptFilter
from miagym.errors import SettingsError
from miagym.hosting.bench import playing, services
from miagym.hosting.bench.agents import SERVICE_BASELINES, makers_of
from miagym.hosting.bench.playing import Bench
from miagym.hosting.bench.run import bench
from miagym.hosting.suite import SUITES, HostedTask
from tests.hosting.serving import TASK

SERVICE = HostedTask(
    "small-service", "A service.", ("clipart-overfit",), "clipart-tune", (), None, 6,
    candidates=1, slots=2, hands=4, service="image-to-image", calls_a_minute=1,
)  # fmt: skip


@pytest.fixture
def waits_never(monkeypatch: pytest.MonkeyPatch) -> None:
    def sleep(seconds: float) -> None:
        pytest.fail("a bench waits for nobody")

    monkeypatch.setattr("miagym.envs.service.rate_limit.time.sleep", sleep)


def untrained(train: Sequence[ServiceVectorEnv]) -> UploadingAgent:
    return UploadingAgent(train[0], ["original@0.3", "turned@0.3"])


def test_every_candidate_is_judged_once_and_paid_for(waits_never: None) -> None:
    """With the task's own terms, but for the rate: an agent is told where it plays."""
    one, other = (Bench(SERVICE).walk(untrained, seed) for seed in (0, 1))
    assert len(one.scores) == 4 and one.spent == 4 * 6 and list(one.scores) == list(other.scores)
    captions = PromptFilter(["animal", "animals"])
    shy = replace(SERVICE, prompt_filter=captions, tariff="calls", jpeg=80, answer_size=48)
    seen: list[Any] = []

    def looking(train: Sequence[ServiceVectorEnv]) -> UploadingAgent:
        seen.append(train[0].settings)
        return untrained(train)

    found = Bench(shy).walk(looking)
    assert set(found.scores) == set(one.scores) and 0 < found.spent < 4 * 6
    (told,) = seen
    assert (told.split, told.prompt_filter, told.unit) == ("train", captions, "calls")
    assert (told.jpeg, told.answer_size, told.slots, told.calls_a_minute) == (80, 48, 2, None)


def test_an_agent_that_needs_no_caption_plays_as_it_is() -> None:
    class Guesses:
        def act(self, observation: Any, rng: np.random.Generator) -> Any:
            n = len(observation["candidate"])
            return {
                "question": np.zeros(n, dtype=np.int64), "prompt": ("",) * n,
                "pictures": np.ones(n, dtype=np.int64), "picture": observation["candidate"],
                "strength": np.full(n, 0.3), "probability": np.full(n, 0.4),
                "stop": np.ones(n, dtype=np.int64),
            }  # fmt: skip

    found = Bench(SERVICE, most=2).walk(lambda train: Guesses())
    assert set(found.scores.values()) == {0.4} and found.spent == 0


def test_a_family_is_learned_together() -> None:
    family = replace(SERVICE, targets=("clipart-overfit@40", "clipart-overfit"))
    train = Bench(family).train()
    assert [envs.settings.target for envs in train] == list(family.targets)
    assert {envs.num_envs for envs in train} == {playing.SERVICE_ROWS}
    assert len(Bench(family).walk(untrained).scores) == 4


def test_who_plays_menus_plays_no_service() -> None:
    assert set(makers_of("again", SERVICE)) == set(SERVICE_BASELINES)
    with pytest.raises(SettingsError, match="is a service, which again and uploading play; got ev"):
        makers_of("even", SERVICE)
    with pytest.raises(SettingsError, match="has a menu, which even and adaptive play; got again"):
        makers_of("again", TASK)
    with pytest.raises(SettingsError, match="is a service"):
        bench("even", [SERVICE], None, 0, lambda: None)


def test_a_prompt_is_the_reference_where_nothing_is_uploaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found: list[list[str]] = []
    monkeypatch.setattr(
        services.UploadingAgent,
        "fit_over",
        lambda train, ways, *_, **__: found.append(ways) or NeverAsks(),
    )
    for service in ("prompt-only", "full"):
        train = Bench(replace(SERVICE, service=service, budget=12)).train()
        for maker in SERVICE_BASELINES.values():
            maker(train)
    assert found == [
        ["none"],
        ["none", "none+cut"],
        ["original@0.3"],
        ["original@0.3", "turned@0.3"],
    ]


@pytest.mark.long
@pytest.mark.slow
def test_uploads_are_worth_their_price(monkeypatch: pytest.MonkeyPatch) -> None:
    task = replace(SERVICE, hands=96, budget=12, tariff="rows")
    monkeypatch.setitem(SUITES, "small", (task,))
    asked = ["bench", "uploading", "--suite", "small", "--json"]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    rows = {row["player"]: row for row in json.loads(done.stdout)["tasks"]["small-service"]}
    assert set(rows) == {"again", "uploading", "blind", "never asks"}
    assert rows["uploading"]["auc"] > 0.8 > rows["again"]["auc"] and rows["uploading"]["rank"] == 1
    assert rows["uploading"]["spent"] == 96 * 12 and rows["blind"]["spent"] == 0
