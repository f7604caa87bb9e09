"""Attacks of the library through the oracle of a hosted hand, over a real connection."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.wrappers import TimeLimit
from torch import Tensor

from attacks import make_attack
from miagym.candidates import Candidates
from miagym.envs import oracle_from_env
from miagym.errors import AccessDenied, BudgetExhausted, DataError, SettingsError
from miagym.hosting.seats import Seat
from miagym.oracle import Oracle, black_box
from miagym.remote.env import RemoteEnv
from tests.hosting.conftest import Enter
from tests.hosting.serving import TASK, Hosted, serving
from tests.tiers import mostly_slow

RICH = dataclasses.replace(
    TASK,
    name="rich",
    questions=("text-to-image", "variation@0.3", "variation@0.6"),
    budget=240,
    walks=(9, 1),
)
HOLD = {"candidate": [4, 4], "question": [0, 0], "probability": [0.5] * 4, "stop": 0}


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    with serving(tmp_path_factory.mktemp("host") / "host.sqlite", TASK, RICH) as found:
        yield found


class InTheProcess(Oracle):
    """The same model with the noise of a seat, whose draws begin elsewhere; pictures of 8 bits."""

    def __init__(self, hosted: Hosted, seat: Seat) -> None:
        world, settings = seat.game.world, seat.game.settings
        public = None if world.reference is None else Oracle(world.reference, "black")
        super().__init__(world.target, "black", seed=settings.noise_seed, reference=public)
        self.first = int(seat.game._first_draw[seat.row])

    def vary(self, candidates: Candidates, *, draw: int = 0, **options: Any) -> Tensor:
        return eight_bit(black_box.vary(self, candidates, draw=self.first + draw, **options))

    def generate(self, candidates: Candidates, *, draw: int = 0, **options: Any) -> Tensor:
        return eight_bit(black_box.generate(self, candidates, draw=self.first + draw, **options))


def eight_bit(pictures: Tensor) -> Tensor:
    return (pictures * 255).round().clamp(0, 255) / 255


def begin(enter: Enter, hosted: Hosted, name: str, task: str = "rich") -> RemoteEnv:
    env = enter(hosted.key(name), task)
    env.reset()
    return env


ATTACKS = (
    "rediffuse",
    "rediffuse(draws=3, strength=0.6)",
    "rediffuse+reference",
    "text-to-image(draws=2, steps=10, guidance_scale=1.0)",
    "nearest-generated(draws=2, steps=10, guidance_scale=1.0)",
)


@pytest.mark.parametrize("number", mostly_slow(range(len(ATTACKS)), quick=[0]))
def test_an_attack_scores_and_spends_as_in_the_process(
    number: int, hosted: Hosted, enter: Enter
) -> None:
    attack, player = make_attack(ATTACKS[number]), f"attacker-{number}"
    env = begin(enter, hosted, player)
    through = oracle_from_env(TimeLimit(env, 5))
    seat = hosted.host.table(player, "rich").seats[0]
    direct = InTheProcess(hosted, seat)
    assert through.candidates.keys == seat.game.dealt(seat.row).keys
    scores, expected = (attack(one, through.candidates) for one in (through, direct))
    np.testing.assert_allclose(scores, expected, rtol=2e-3)
    spent = through.meter.total()
    assert spent == direct.meter.total() and spent.price > 0
    assert hosted.ledger.spent_on(f"{player}/rich/dev") == spent.price
    assert env.seen()["budget_left"] == [240 - spent.price]
    after, *_ = env.step(HOLD)
    assert after["budget_left"] == [240 - spent.price]


def test_the_same_answer_is_remembered_and_another_draw_is_another_one(
    hosted: Hosted, enter: Enter
) -> None:
    env = begin(enter, hosted, "asks-again")
    oracle = oracle_from_env(env)
    terms: dict[str, Any] = {"strength": 0.3, "steps": 10, "guidance_scale": 1.0}
    first, again, other = (
        oracle.vary(oracle.candidates[:2], draw=draw, **terms) for draw in (0, 0, 1)
    )
    assert first.equal(again) and not first.equal(other)
    same = oracle.vary(oracle.candidates[:2], draw=0, **(terms | {"strength": 0.39}))
    assert first.equal(same), "the same steps are run"
    assert hosted.ledger.spent_on("asks-again/rich/dev") == 12


def test_what_a_host_does_not_answer_is_a_sentence_and_costs_nothing(
    hosted: Hosted, enter: Enter
) -> None:
    env = begin(enter, hosted, "asks-more")
    oracle = oracle_from_env(env)
    menu = r"This host answers text-to-image, variation@0.3, variation@0.6 in 10 steps"
    for name, why in (
        ("sima", "needs grey access, and a host answers with pictures only"),
        ("rediffuse(strength=0.9)", rf"{menu}.* variation@0.9 in 10 steps"),
        ("text-to-image", rf"{menu}.* text-to-image in 4 steps with guidance 7.5"),
        ("degrade-restore", "no other pictures or prompts"),
        ("noise-probe", "needs grey access"),
    ):
        with pytest.raises(AccessDenied, match=why):
            make_attack(name)(oracle, oracle.candidates)
    with pytest.raises(AccessDenied, match="chooses the noise itself"):
        oracle.generate(oracle.candidates, initial=oracle.pixels(oracle.candidates))
    with pytest.raises(AccessDenied, match="paints into no pictures"):
        oracle.inpaint(oracle.candidates, np.ones((4, 64, 64), dtype=bool))
    with pytest.raises(AccessDenied, match="Nobody is told how the hosted task rich is made"):
        _ = oracle.alphas_cumprod
    with pytest.raises(DataError, match="4 candidates are not in this hand"):
        stranger = Candidates(255 - oracle.candidates.images, oracle.candidates.captions)
        make_attack("rediffuse")(oracle, stranger)
    assert hosted.ledger.spent_on("asks-more/rich/dev") == 0


def test_the_picture_turned_is_no_picture_of_the_menu(hosted: Hosted, enter: Enter) -> None:
    """What was asked before the upload is paid, as it is in the process."""
    env = begin(enter, hosted, "turns")
    oracle = oracle_from_env(env)
    with pytest.raises(AccessDenied, match=r"so without \+turned"):
        make_attack("rediffuse+turned")(oracle, oracle.candidates)


def test_an_oracle_ends_with_the_budget_and_with_the_hand(hosted: Hosted, enter: Enter) -> None:
    env = begin(enter, hosted, "short", "small")  # 9 UNet rows
    oracle = oracle_from_env(env)
    with pytest.raises(BudgetExhausted):
        make_attack("rediffuse")(oracle, oracle.candidates)
    one = oracle.candidates[:1]
    oracle.vary(one, strength=0.3, steps=10, guidance_scale=1.0)
    with pytest.raises(BudgetExhausted, match="costs 9 UNet rows, and 6 of the hand's 9 are left"):
        oracle.vary(oracle.candidates[1:], strength=0.3, steps=10, guidance_scale=1.0)
    with pytest.raises(SettingsError, match="from 0 to 0, got 1"):
        oracle_from_env(env, 1)
    env.step(HOLD | {"stop": 1})
    with pytest.raises(ResetNeeded):
        oracle_from_env(env)
    env.reset()
    with pytest.raises(ResetNeeded, match="The hand of this oracle is over"):
        oracle.vary(one, strength=0.3, draw=7, steps=10, guidance_scale=1.0)


def test_another_program_with_the_key_cannot_be_overspent(hosted: Hosted, enter: Enter) -> None:
    env = begin(enter, hosted, "twice", "small")
    oracle = oracle_from_env(env)
    env.client.query("small", [(env.names[0], "variation@0.3")] * 2)
    with pytest.raises(BudgetExhausted, match="by another program with this key"):
        oracle.vary(oracle.candidates[:2], strength=0.3, steps=10, guidance_scale=1.0)
    assert hosted.ledger.spent_on("twice/small/dev") == 9
