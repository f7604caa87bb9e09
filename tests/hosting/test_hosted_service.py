"""Services behind a host: the spaces, the pictures and the prices of `miagym/Service-v0`."""

from __future__ import annotations

import base64
import dataclasses
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env, data_equivalence
from PIL.PngImagePlugin import PngImageFile

from miagym.envs import oracle_from_env
from miagym.envs.service.asking import ServiceQuestioner, Wanted
from miagym.envs.service.settings import ServiceSettings
from miagym.envs.service.spaces import ServiceSpaces
from miagym.envs.service.tariff import Tariff
from miagym.envs.service.wrapper import NamedCalls
from miagym.envs.wrappers import Features
from miagym.errors import ActionError, HostError, SettingsError
from miagym.hosting.host import Host
from miagym.hosting.messages import Call, Reset
from miagym.hosting.records.ledger import Ledger
from miagym.hosting.service.uploads import unpacked
from miagym.hosting.standings import standings_table
from miagym.hosting.suite import SUITES, HostedTask, own_task
from miagym.remote.env import RemoteEnv
from miagym.remote.pictures import as_png
from tests.hosting.conftest import Enter
from tests.hosting.serving import TASK, Hosted, serving


def task(service: str, name: str = "", budget: int = 12, **options: Any) -> HostedTask:
    return HostedTask(
        name or service, "A service.", ("clipart-overfit",), "clipart-tune", (), None, budget,
        candidates=1, slots=2, hands=4, walks=(2, 1), service=service, **options,
    )  # fmt: skip


TASKS = (
    task("prompt-only"),
    task("image-to-image"),
    task("inpainting", answer_size=48),
    task("full", jpeg=90),
    task("image-to-image", "priced", 11, tariff=Tariff(call=1, picture=4, unit="cents")),
)


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    path = tmp_path_factory.mktemp("host") / "host.sqlite"
    with serving(path, TASK, *TASKS) as found:
        yield found


def game_of(hosted: Hosted, player: str, name: str, hand: int = 0) -> tuple[Any, int]:
    seat = hosted.host.table(player, name).seats[hand]
    return seat.game, seat.row


@pytest.mark.parametrize("name", [one.name for one in TASKS])
def test_spaces_are_those_of_the_service_and_gymnasium_is_content(
    name: str, hosted: Hosted
) -> None:
    key = hosted.key(f"checks-{name}")
    env = gym.make("miagym/Remote-v0", url=hosted.address, key=key, task=name)
    settings = hosted.host.deck(name).settings
    assert isinstance(settings, ServiceSettings)
    spaces = ServiceSpaces(settings)
    assert env.observation_space == spaces.observation_space
    assert env.action_space == spaces.action_space
    check_env(env.unwrapped, skip_render_check=True)
    env.close()


def test_it_plays_as_the_game_in_the_process(hosted: Hosted, enter: Enter) -> None:
    """Whatever is uploaded and written: what is seen is equal to the bit, and so are prices."""
    env = enter(hosted.key("same"), "full")
    shown, info = env.reset()
    game, row = game_of(hosted, "same", "full")
    spaces = ServiceSpaces(game.settings)

    def inside() -> dict[str, Any]:
        return {name: value[0] for name, value in spaces.observe(game, np.array([row])).items()}

    assert data_equivalence(shown, inside()) and info["caption"] == game.dealt(row).captions[0]
    upload, mask = np.rot90(shown["candidate"]), np.zeros((64, 64), dtype=np.int8)
    mask[:32] = 1
    calls = (
        (env.action(question=1, picture=upload, strength=0.3, pictures=2, seed=5), 6),
        (env.action(question=2, prompt="a \N{SNOWMAN}", mask=mask, strength=0.2), 2),
        (env.action(question=1, picture=upload, strength=0.3, seed=5), 3),
        (env.action(question=0, prompt=""), 0),  # 10 of 1 row: refused
    )
    seen, left = [], 12
    for action, price in calls:
        shown, reward, terminated, truncated, info = env.step(action)
        left -= price
        assert data_equivalence(shown, inside()) and env.observation_space.contains(shown)
        assert shown["budget_left"] == [left] and not (reward or terminated or truncated)
        assert np.array_equal(info["action_mask"], shown["affordable"])
        seen.append(shown)
    assert [one["answered"].tolist() for one in seen] == [[1, 1], [1, 0], [1, 0], [0, 0]]
    assert np.array_equal(seen[0]["images"][0], seen[2]["images"][0]), "the same seed"
    assert not np.array_equal(seen[0]["images"][0], seen[0]["images"][1])
    assert hosted.ledger.spent_on("same/full/dev") == 11
    *_, terminated, _, _ = env.step(env.action(probability=0.8, stop=1))
    assert terminated and game.probability[row, 0] == 0.8


@pytest.mark.parametrize("name", ["image-to-image", "inpainting", "prompt-only"])
def test_pictures_are_those_of_a_service_without_a_host(
    name: str, hosted: Hosted, enter: Enter
) -> None:
    player = f"plain-{name}"
    env = enter(hosted.key(player), name)
    env.reset()
    uploads = {} if name == "prompt-only" else {"strength": 0.4}
    action = env.action(prompt="a red boat", **uploads)
    shown, *_ = env.step(action)
    game, row = game_of(hosted, player, name)
    plain = ServiceQuestioner(game.settings, game.world, 1)
    spaces = ServiceSpaces(game.settings)
    batch = spaces.check({part: [value] for part, value in action.items()}, 1)
    (call,) = spaces.moves(batch).calls
    first = int(game._first_draw[row])
    (expected,) = plain.serve([Wanted(call, first, 0, 0, 0)])
    assert np.array_equal(shown["images"][0], expected) and expected.any()


def test_a_wrapper_plays_a_walk_and_its_verdicts_are_a_submission(
    hosted: Hosted, enter: Enter
) -> None:
    env = NamedCalls(
        enter(hosted.key("named"), "image-to-image"), ways=["turned@0.3", "original@0.3"]
    )
    for _ in range(4):
        first, _ = env.reset()
        for way in (0, 1, 1):
            shown, *_ = env.step(way)
            assert env.observation_space.contains(shown)
        assert shown[2] == 1 / 12 and shown[5] == np.float32(2 / 12), "answers in each way"
        assert not first[:6].any() and shown[0] != shown[3]
        *_, terminated, _, _ = env.step(2 + 7)
        assert terminated
    (found,) = [one for one in hosted.host.desk("image-to-image").all() if one.player == "named"]
    assert set(found.scores.values()) == {0.7} and found.spent == 36


def calling(env: RemoteEnv, number: int, **parts: Any) -> Call:
    told = {"kind": "image-to-image", "prompt": "a boat", "strength": 0.3, "pictures": 2, **parts}
    picture = as_png(255 - env.seen()["candidate"])
    return Call(
        request_id=f"request-{number}", candidate=env.names[0], **{"picture": picture, **told}
    )


def test_a_call_is_charged_once_and_outlives_the_server(hosted: Hosted, enter: Enter) -> None:
    env = enter(hosted.key("thrifty"), "image-to-image")
    env.reset()
    call = calling(env, 1)
    first, again = (hosted.host.play("thrifty", "image-to-image", call) for _ in range(2))
    assert first == again and len(first["pictures"]) == 2 and first["budget_left"] == 6
    sent = calling(env, 2).model_dump(exclude={"request_id"}, exclude_none=True)
    fresh = env.client.call("image-to-image", **sent)
    assert not set(fresh["pictures"]) & set(first["pictures"]), "with noise of its own"
    assert hosted.ledger.spent_on("thrifty/image-to-image/dev") == 12
    with pytest.raises(HostError, match="costs 6 UNet rows, and 0 of the hand's 12 are left"):
        hosted.host.play("thrifty", "image-to-image", calling(env, 3))
    after = Host(TASKS, Ledger(hosted.ledger.path))
    assert after.play("thrifty", "image-to-image", call) == first
    seen, *_ = env.step(env.action(probability=0.6, stop=1))
    assert seen["count"] == [4] and seen["budget_left"] == [0], "what was called beside is seen"


def test_guidance_is_the_caller_s_and_doubles_the_price(hosted: Hosted, enter: Enter) -> None:
    env = enter(hosted.key("guided"), "full")
    env.reset()
    sent = {"kind": "image-to-image", "picture": PICTURE, "strength": 0.3, "prompt": "a boat"}
    called = {**sent, "candidate": env.names[0], "seed": 7}
    off, on = (env.client.call("full", **called, guidance=scale) for scale in (1.0, 7.5))
    assert (off["budget_left"], on["budget_left"]) == (9, 3)
    assert off["pictures"] != on["pictures"]
    assert env.client.call("full", **called)["pictures"] == off["pictures"], "off, unless told"


def test_a_tariff_is_told_and_charged_by_both_ways_in(hosted: Hosted, enter: Enter) -> None:
    env = enter(hosted.key("payer"), "priced")
    assert env.told["tariff"] == {"call": 1, "picture": 4, "row": 0, "unit": "cents"}
    assert env.settings.unit == "cents" and env.settings.menu[0].price == 5
    env.reset()
    shown, *_ = env.step(env.action(strength=1.0))
    assert shown["budget_left"] == [6] and shown["affordable"] == [1], "the strength is for free"
    with pytest.raises(HostError, match="costs 9 cents, and 6 of the hand's 11 are left"):
        hosted.host.play("payer", "priced", calling(env, 1))
    assert hosted.host.play("payer", "priced", calling(env, 2, pictures=1))["budget_left"] == 1
    shown, *_ = env.step(env.action(strength=0.1))
    assert not shown["answered"].any() and shown["affordable"] == [0]
    assert hosted.ledger.spent_on("payer/priced/dev") == 10
    assert standings_table([], hosted.host.task("priced").prices.unit).columns[-1].name == "cents"


def test_a_crash_between_charge_and_picture_is_made_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def call(host: Host, number: int = 1) -> dict[str, Any]:
        shown = host.play("ada", "full", Reset(request_id="request-0"))
        asked = Call(
            request_id=f"request-{number}", candidate=shown["names"][0], kind="inpainting",
            prompt="", picture=shown["candidates"][0], strength=0.5, mask=shown["candidates"][0],
        )  # fmt: skip
        return host.play("ada", "full", asked)

    with Ledger(tmp_path / "host.sqlite") as ledger:
        host = Host(TASKS, ledger)
        with monkeypatch.context() as patch:
            patch.setattr(ServiceQuestioner, "serve", lambda *_: sys.exit("the power went"))
            with pytest.raises(SystemExit):
                call(host)
        assert ledger.spent_on("ada/full/dev") == 5, "charged before anything is computed"
        found = call(Host(TASKS, ledger))
        assert len(found["pictures"]) == 1 and found["budget_left"] == 7
        assert ledger.spent_on("ada/full/dev") == 5
        assert call(Host(TASKS, ledger)) == found


PICTURE = as_png(np.full((64, 64, 3), 9, dtype=np.uint8))
IMAGE = {"kind": "image-to-image", "picture": PICTURE, "strength": 0.3}


@pytest.mark.parametrize(
    ("name", "call", "status", "why"),
    [
        ("full", {"kind": "video"}, 400, "takes text-to-image and image-to-image and inpainting"),
        ("prompt-only", IMAGE, 400, "takes text-to-image only"),
        ("full", {"kind": "text-to-image", "picture": PICTURE}, 400, "takes neither picture"),
        ("full", {"kind": "image-to-image"}, 400, "takes picture and strength, beside"),
        ("inpainting", IMAGE | {"kind": "inpainting"}, 400, "takes picture and strength and mask"),
        ("image-to-image", IMAGE | {"seed": 3}, 400, "chooses its seeds itself"),
        (
            "full",
            IMAGE | {"seed": 1000},
            400,
            "Expected 'seed' to hold whole numbers from 0 to 999",
        ),
        ("full", IMAGE | {"strength": 0.01}, 400, "Expected 'strength' to hold numbers from 0.1"),
        ("full", IMAGE | {"strength": 1.5}, 422, "strength: Input should be less than or equal"),
        ("full", IMAGE | {"pictures": 3}, 400, "Expected 'pictures' to hold whole numbers from 1"),
        ("full", IMAGE | {"pictures": 0}, 422, "pictures: Input should be greater than or equal"),
        ("full", IMAGE | {"prompt": "x" * 501}, 422, "prompt: String should have at most 500"),
        ("full", IMAGE | {"guidance": 0.5}, 422, "guidance: Input should be greater than or"),
        ("full", IMAGE | {"voice": 7.5}, 422, "voice: Extra inputs"),
        ("image-to-image", IMAGE | {"guidance": 7.5}, 400, "chooses its guidance itself"),
        ("full", IMAGE | {"candidate": "' OR 1=1 --"}, 404, "has such a name"),
        ("small", IMAGE, 404, "has a menu; POST questions of it to its query"),
    ],
)
def test_calls_that_are_none_are_a_sentence_and_cost_nothing(
    name: str, call: dict[str, Any], status: int, why: str, hosted: Hosted, enter: Enter
) -> None:
    known = {player for (player,) in hosted.ledger.read("SELECT name FROM keys")}
    player = f"careless-{len(known)}"
    env = enter(hosted.key(player), name)
    env.reset()
    parts = {"candidate": env.names[0], "prompt": "", **call}
    with pytest.raises(HostError, match=why) as refused:
        env.client.call(name, **parts)
    assert refused.value.status == status
    assert hosted.ledger.spent_on(f"{player}/{name}/dev") == 0
    (written,) = hosted.ledger.read("SELECT count(*) FROM actions WHERE player = ?", (player,))
    assert written == (1,), "the reset alone is written down"


def bomb() -> str:
    """A header that tells of more pixels than fit in memory."""
    data = bytearray(base64.b64decode(PICTURE))
    data[16:24] = (60_000).to_bytes(4) * 2
    return base64.b64encode(data).decode("ascii")


def again(side: int) -> str:
    """A picture whose second header tells of another size than the first."""
    data, size = base64.b64decode(PICTURE), side.to_bytes(4) * 2
    header = b"IHDR" + size + b"\x08\x02\0\0\0"
    second = b"\0\0\0\x0d" + header + zlib.crc32(header).to_bytes(4)
    return base64.b64encode(data[:33] + second + data[33:]).decode("ascii")


def test_an_upload_is_of_the_size_of_which_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever tells two sizes is refused before there is room made for either."""
    monkeypatch.setattr(PngImageFile, "load", lambda _: pytest.fail("unpacked"))
    for side in (32, 9_000, 60_000):
        with pytest.raises(ActionError, match="as a PNG of 64x64 pixels"):
            unpacked({"picture": again(side)}, 64)


@pytest.mark.parametrize(
    "picture",
    [
        "", "no base64!", "aGVsbG8=", PICTURE[:200], bomb(), "../../etc/passwd", 7, None, [[0]],
        again(128), again(60_000),
        as_png(np.zeros((32, 64, 3), dtype=np.uint8)), PICTURE + 4 * 12_500 * "A",
    ],
)  # fmt: skip
def test_uploads_that_are_no_picture_are_a_sentence(
    picture: Any, hosted: Hosted, enter: Enter
) -> None:
    known = hosted.ledger.read("SELECT name FROM keys")
    player = f"uploader-{len(known)}"
    env = enter(hosted.key(player), "image-to-image")
    env.reset()
    whole = {"question": 0, "prompt": "", "pictures": 1, "strength": 0.3, "probability": 0.5}
    sent = {**whole, "stop": 0, "picture": picture}
    with pytest.raises(HostError, match=r"Expected 'picture' as a PNG of 64x64 pixels"):
        env.client.step("image-to-image", sent)
    assert hosted.ledger.spent_on(f"{player}/image-to-image/dev") == 0


def test_actions_that_are_none_are_refused_before_they_travel(hosted: Hosted, enter: Enter) -> None:
    env = enter(hosted.key("bad"), "full")
    env.reset()
    for part, wrong in (
        ("picture", np.full((64, 64, 3), 256)),
        ("picture", np.zeros((64, 64))),
        ("picture", np.zeros((64, 64, 3))),
        ("picture", "mine.png"),
        ("mask", np.full((64, 64), 2)),
        ("picture", np.zeros((8, 8, 3), dtype=np.uint8)),
        ("prompt", 7),
        ("seed", -1),
        ("guidance", 0.5),
    ):
        with pytest.raises(ActionError, match=f"Expected .*'{part}'"):
            env.step({**env.action(question=1), part: wrong})
    with pytest.raises(ActionError, match=r"takes .* got voice"):
        env.action(voice=3)
    assert hosted.ledger.spent_on("bad/full/dev") == 0


def test_what_a_service_is_not_is_a_sentence(hosted: Hosted, enter: Enter) -> None:
    env = enter(hosted.key("other"), "image-to-image")
    env.reset()
    with pytest.raises(SettingsError, match="a service is called through its actions"):
        oracle_from_env(env)
    with pytest.raises(SettingsError, match="wrap it with NamedCalls"):
        Features(env)
    with pytest.raises(HostError, match="is a service; POST calls"):
        env.client.query("image-to-image", [(env.names[0], "variation@0.3")])
    with pytest.raises(ActionError, match="has a menu and takes no calls"):
        enter(hosted.key("menu")).action()
    with pytest.raises(HostError, match="hands of one candidate"):
        dataclasses.replace(TASKS[0], candidates=2)
    with pytest.raises(HostError, match="are a service's"):
        dataclasses.replace(TASK, jpeg=80)
    with pytest.raises(HostError, match="a tariff and a filter are a service's"):
        dataclasses.replace(TASK, tariff="calls")
    own = own_task(["clipart-overfit"], "clipart-tune", None, [], 12, 4, "full")
    assert (own.service, own.candidates, own.questions) == ("full", 1, ())
    with pytest.raises(SettingsError, match="Expected a service 'prompt-only'"):
        Host([dataclasses.replace(own, service="video")], hosted.ledger)


def test_the_suite_of_services_tells_no_target(hosted: Hosted) -> None:
    told = {one.service for one in SUITES["services-2026"]}
    assert told == {"prompt-only", "image-to-image", "full"}
    for one in SUITES["services-2026"]:
        Host([one], hosted.ledger).table("nobody", one.name)
