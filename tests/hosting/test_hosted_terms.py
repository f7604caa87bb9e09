"""Terms of a hosted service, as of one in the process: which prompts it refuses, how often it is
called."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import gymnasium as gym
import httpx2
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env, data_equivalence
from typer.testing import CliRunner

from miagym.cli import app
from miagym.data.registry import load_data
from miagym.envs import oracle_from_env
from miagym.envs.asking import as_bytes
from miagym.envs.service.asking import ServiceQuestioner
from miagym.envs.service.prompt_filter import PromptFilter
from miagym.envs.service.rate_limit import a_minute
from miagym.envs.service.spaces import ServiceSpaces
from miagym.envs.service.tariff import Tariff
from miagym.errors import HostError, SettingsError, TooManyRequests
from miagym.hosting.host import Host
from miagym.hosting.messages import Call
from miagym.hosting.records.ledger import Ledger
from miagym.hosting.suite import SUITES, HostedTask
from miagym.oracle import Oracle
from miagym.remote.env import RemoteEnv
from miagym.remote.pictures import as_png
from tests.hosting.conftest import Enter
from tests.hosting.serving import TASK, Hosted, serving


def task(name: str, **options: Any) -> HostedTask:
    return HostedTask(
        name, "A service.", ("clipart-overfit",), "clipart-tune", (), None, 11, candidates=1,
        slots=2, hands=4, walks=(2, 1), service="image-to-image",
        tariff=Tariff(call=1, picture=4, unit="cents"), **options,
    )  # fmt: skip


TASKS = (
    task("shy", prompt_filter=PromptFilter(["ape"])),
    task("slow", calls_a_minute=2),
    task("strict", prompt_filter=PromptFilter(["ape"], charged=True)),
)
DEFENDED = dataclasses.replace(TASK, name="defended", defence="jpeg:30+resize:0.5")


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    path = tmp_path_factory.mktemp("host") / "host.sqlite"
    with serving(path, TASK, DEFENDED, *TASKS) as found:
        yield found


@pytest.fixture
def clock(hosted: Hosted, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that pass where somebody waits, and those that were waited."""
    waited = [0.0]

    def sleep(seconds: float) -> None:
        waited[0] += seconds

    monkeypatch.setitem(hosted.host.rates, "slow", a_minute(2, lambda: waited[0]))
    monkeypatch.setattr("miagym.remote.client.time", SimpleNamespace(sleep=sleep))
    return waited


def calling(env: RemoteEnv, number: int, prompt: str = "an ape") -> Call:
    return Call(
        request_id=f"request-{number}", candidate=env.names[0], kind="image-to-image",
        prompt=prompt, picture=as_png(env.seen()["candidate"]), strength=0.3,
    )  # fmt: skip


@pytest.mark.parametrize(("name", "price"), [("shy", 0), ("strict", 5)])
class TestFilter:
    def test_gymnasium_is_content(self, name: str, price: int, hosted: Hosted) -> None:
        key = hosted.key(f"checks-{name}")
        env = gym.make("miagym/Remote-v0", url=hosted.address, key=key, task=name)
        check_env(env.unwrapped, skip_render_check=True)
        env.close()

    def test_a_step_is_that_of_the_game_in_the_process(
        self, name: str, price: int, hosted: Hosted, enter: Enter
    ) -> None:
        env = enter(hosted.key(f"steps-{name}"), name)
        assert env.told["filter"] == {"charged": price > 0}, "and none of its words"
        env.reset()
        seat = hosted.host.table(f"steps-{name}", name).seats[0]
        inside, rows = ServiceSpaces(seat.game.settings), np.array([seat.row])  # type: ignore[arg-type]
        for prompt, refused, left in (("Ape!", 1, 11 - price), ("a boat", 0, 6 - price)):
            seen, *_ = env.step(env.action(prompt=prompt, strength=0.3))
            assert seen["refused"] == [refused] and seen["answered"].tolist() == [1 - refused, 0]
            assert seen["budget_left"] == [left]
            batch = inside.observe(seat.game, rows)
            assert data_equivalence(seen, {part: value[0] for part, value in batch.items()})
        assert hosted.ledger.spent_on(f"steps-{name}/{name}/dev") == 5 + price

    def test_a_call_is_refused_in_a_sentence_once(
        self,
        name: str,
        price: int,
        hosted: Hosted,
        enter: Enter,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        player = f"calls-{name}"
        env = enter(hosted.key(player), name)
        env.reset()
        call = calling(env, 1)
        with monkeypatch.context() as patch:
            patch.setattr(ServiceQuestioner, "serve", lambda *_: pytest.fail("drawn"))
            first, again = (hosted.host.play(player, name, call) for _ in range(2))
        assert first == again and first["budget_left"] == 11 - price and not first["pictures"]
        assert first["refused"].endswith("has refused this prompt; nothing was drawn.")
        assert hosted.ledger.spent_on(f"{player}/{name}/dev") == price
        after = Host(TASKS, Ledger(hosted.ledger.path))
        assert after.play(player, name, call) == first
        assert hosted.host.play(player, name, calling(env, 2, "a boat"))["refused"] is None
        assert hosted.ledger.spent_on(f"{player}/{name}/dev") == price + 5


def test_what_a_refusal_costs_cannot_be_owed(hosted: Hosted, enter: Enter) -> None:
    env = enter(hosted.key("poor"), "strict")
    env.reset()
    for number in (1, 2):
        hosted.host.play("poor", "strict", calling(env, number))
    with pytest.raises(HostError, match="costs 5 cents, and 1 of the hand's 11 are left"):
        hosted.host.play("poor", "strict", calling(env, 3))
    assert hosted.ledger.spent_on("poor/strict/dev") == 10


class TestRate:
    def test_who_calls_too_often_is_told_when_and_charged_nothing(
        self, hosted: Hosted, enter: Enter, clock: list[float]
    ) -> None:
        env, other = enter(hosted.key("hasty"), "slow"), enter(hosted.key("calm"), "slow")
        assert env.told["calls_a_minute"] == 2
        for one in (env, other):
            one.reset()
        first, second, third = (calling(env, number, "a boat") for number in (1, 2, 3))
        kept = hosted.host.play("hasty", "slow", first)
        hosted.host.play("hasty", "slow", second)
        with pytest.raises(TooManyRequests, match="2 calls a minute; call again in 30 seconds"):
            hosted.host.play("hasty", "slow", third)
        assert hosted.ledger.spent_on("hasty/slow/dev") == 10
        assert hosted.host.play("hasty", "slow", first) == kept, "what was answered is no call"
        hosted.host.play("calm", "slow", calling(other, 1, "a boat"))
        env.step(env.action(probability=0.7, stop=1))
        env.reset()
        assert clock[0] == 0, "verdicts and resets are no calls"

    def test_it_is_429_with_the_seconds(
        self, hosted: Hosted, enter: Enter, clock: list[float]
    ) -> None:
        key = hosted.key("rest")
        env = enter(key, "slow")
        env.reset()

        def post(number: int) -> httpx2.Response:
            body = calling(env, number).model_dump(exclude_none=True)
            where = f"{hosted.address}/tasks/slow/call"
            return httpx2.post(where, headers={"X-API-Key": key}, json=body)

        assert [post(number).status_code for number in (1, 2)] == [200, 200]
        refused = post(3)
        assert refused.status_code == 429 and refused.headers["Retry-After"] == "30"
        assert refused.json()["error"].endswith("Nothing was charged.")
        clock[0] += 30
        assert post(3).status_code == 402, "its turn has come, and its money is gone"

    def test_an_environment_waits_as_it_is_told(
        self, hosted: Hosted, enter: Enter, clock: list[float]
    ) -> None:
        env = enter(hosted.key("polite"), "slow")
        for _ in range(2):
            env.reset()
            for _ in range(2):
                seen, *_ = env.step(env.action(strength=0.3))
                assert seen["answered"][0] == 1
        assert clock[0] == pytest.approx(60)


def test_pictures_of_a_menu_are_defended_as_in_the_process(hosted: Hosted, enter: Enter) -> None:
    env = enter(hosted.key("menu"), "defended")
    assert env.told["defence"] == env.settings.defence == DEFENDED.defence
    env.reset()
    action = {"candidate": [0, 2], "question": [0, 0], "probability": [0.5] * 4, "stop": 0}
    seen, *_ = env.step(action)
    game = hosted.host.table("menu", "defended").seats[env.hand].game
    row = hosted.host.table("menu", "defended").seats[env.hand].row
    asked = game.dealt(row)[np.array([0, 2])]
    oracle = Oracle(
        game.world.target, "black", seed=game.settings.noise_seed, defence=DEFENDED.defence
    )
    first = int(game._first_draw[row])
    drawn = oracle.vary(asked, strength=0.3, draw=first, steps=10, guidance_scale=1.0)
    off = np.abs(seen["images"].astype(int) - as_bytes(drawn))
    assert off.max() <= 1 and seen["images"].any(), "as networks round by the size of the batch"
    reference = oracle_from_env(env).reference
    assert reference is not None and str(reference.defence) == DEFENDED.defence
    with pytest.raises(HostError, match="by jpeg and answer_size; a defence is a menu's"):
        task("both", defence="jpeg:30")
    with pytest.raises(SettingsError, match="jpg:30"):
        Host([dataclasses.replace(DEFENDED, name="bad", defence="jpg:30")], hosted.ledger)


def test_an_operator_names_them_on_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[HostedTask] = []
    monkeypatch.setattr(
        "miagym.hosting.serving.serve_forever", lambda played, *_: served.extend(played)
    )
    named = ["host", "--target", "clipart-overfit", "--data", "clipart-tune", "--budget", "40"]
    own = ["--service", "full", "--tariff", "call=1, picture=4, unit=cents", "--jpeg", "80"]
    more = ["--refuse", "ape", "--charge-refused", "--calls-a-minute", "6", "--answer-size", "48"]
    found = CliRunner().invoke(app, [*named, *own, *more])
    assert found.exit_code == 0, found.output
    (one,) = served
    assert one.prices == Tariff(call=1, picture=4, unit="cents")
    assert one.prompt_filter == PromptFilter(["ape"], charged=True)
    assert (one.calls_a_minute, one.jpeg, one.answer_size) == (6, 80, 48)
    assert CliRunner().invoke(app, [*named, "--defence", "jpeg:80"]).exit_code == 0
    assert served[-1].defence == "jpeg:80" and not served[-1].service
    many = ["host", "--population", "clipart-population", "--hands", "8"]
    assert CliRunner().invoke(app, [*many, "--reference", "clipart-realistic"]).exit_code == 0
    assert (served[-1].population, served[-1].hands) == ("clipart-population", 8)
    found = CliRunner().invoke(app, [*named, "--tariff", "calls"])
    assert isinstance(found.exception, HostError) and "are a service's" in str(found.exception)


@pytest.mark.parametrize(
    "options, said",
    [
        (["--budget", "9"], "Expected --target, or --population, with --budget"),
        (["--tariff", "calls", "--port", "9"], "or leave --tariff out"),
        (["--target", "m", "--data", "d", "--charge-refused"], "Expected --refuse with"),
        (
            ["--target", "m", "--data", "d", "--service", "full", "--questions", "text-to-image"],
            "leave --questions or --service out",
        ),
    ],
)
def test_options_that_would_have_no_effect_are_refused(options: list[str], said: str) -> None:
    found = CliRunner().invoke(app, ["host", *options])
    assert isinstance(found.exception, HostError) and said in str(found.exception)


def test_the_shop_of_the_suite_has_all_of_them_and_candidates_to_reword() -> None:
    (shop,) = [one for one in SUITES["services-2026"] if one.name == "shop-40"]
    assert shop.prices.unit == "cents" and shop.calls_a_minute and shop.jpeg
    assert shop.prompt_filter is not None
    refused = [shop.prompt_filter.refuses(text) for text in load_data(shop.data).captions]
    assert 5 < sum(refused) < 0.05 * len(refused)
