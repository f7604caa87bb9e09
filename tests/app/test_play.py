"""The game behind the play tab: rounds, prices, opponents on the same pictures, cautious words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from miagym.app.play.chart import chart
from miagym.app.play.game import HumanGame
from miagym.app.play.games import SESSION_SECONDS, Games
from miagym.app.play.opponents import Opponents
from miagym.app.play.reference_scores import reference_scores
from miagym.app.play.rounds import ABOUT, BLIND, NEVER, ONE, SECRET_ROUNDS, YOU, Guess, Round
from miagym.app.play.setup import (
    BLACK,
    BUDGET,
    DRAWS,
    GREY,
    KNOWN,
    SURPRISE,
    GameSetup,
    opponent_rows,
    setup_of,
)
from miagym.app.play.tally import caution, chance, tally
from miagym.app.play.view import candidate, tallies, truth
from miagym.candidates import Candidates
from miagym.embedded.icon_sets import SETS
from miagym.envs.sampler import rows_of, shared_data
from miagym.errors import ActionError, BudgetExhausted, UnknownName

SETUP = GameSetup("clipart-overfit", "clipart-tune", "clipart-realistic", "black")


@pytest.fixture(scope="module")
def playing() -> HumanGame:
    """A game of two rounds: one with questions, one without."""
    game = HumanGame(SETUP, seed=3, is_secret=False, device="cpu")
    game.deal()
    game.ask(0)
    game.ask(1)
    game.judge(0.8)
    game.deal()
    game.judge(0.5)
    return game


@pytest.fixture(scope="module")
def opponents(playing: HumanGame) -> Opponents:
    """Agents that have caught up with it."""
    agents = Opponents(SETUP, 3, "cpu")
    agents.catch_up(playing)
    return agents


def begun(seed: int = 5, *, is_secret: bool = False) -> HumanGame:
    game = HumanGame(SETUP, seed, is_secret=is_secret, device="cpu")
    game.deal()
    return game


def label_of(game: HumanGame) -> bool:
    """The label of the picture in question, from the data set itself."""
    data = shared_data(SETUP.data)
    rows = rows_of(data, "val")
    shown = Candidates(game.scene.images, game.scene.captions).keys[0]
    return bool(data.member[rows][data.candidates(rows, 64).keys.index(shown)])


def test_a_game_is_played_on_the_world_that_draws() -> None:
    setup = setup_of(DRAWS, BLACK, np.random.default_rng(0))
    assert (setup.target, setup.data) == ("icons-overfit", "icons-tune") and not setup.is_control
    game = HumanGame(setup, 3, is_secret=False, device="cpu")
    game.deal()
    style = game.scene.captions[0].rpartition(", ")[2]
    assert style in {each.style for each in SETS.values()}
    game.ask(setup.questions.index("text-to-image"))
    game.judge(0.7)
    assert game.rounds[0].member in (True, False)


def test_a_round_pays_for_what_it_asks_and_tells_the_truth(playing: HumanGame) -> None:
    first, second = playing.rounds
    assert first.guesses[YOU] == Guess(0.8, 6)
    assert first.reward(YOU) == pytest.approx(0.84 if first.member else -1.56)
    assert second.guesses[YOU] == Guess(0.5, 0) and second.reward(YOU) == 0
    assert second.member == label_of(playing)


@pytest.mark.slow
def test_opponents_judge_the_same_pictures_within_the_same_budget(
    playing: HumanGame, opponents: Opponents
) -> None:
    for one in playing.rounds:  # each is checked against its own deal by key, too
        assert set(one.guesses) == {YOU, *ABOUT}
        assert one.guesses[NEVER] == Guess(0.5, 0)
        assert one.guesses[BLIND].spent == 0 and 0 < one.guesses[BLIND].probability < 1
        assert one.guesses[ONE].spent == BUDGET == opponent_rows(SETUP, 2) / 2
    said = dict(playing.rounds[0].guesses)
    opponents.catch_up(playing)
    assert playing.rounds[0].guesses == said


@pytest.mark.slow
def test_known_pictures_are_none_of_those_that_are_dealt(opponents: Opponents) -> None:
    data = shared_data(SETUP.data)
    keys = [set(data.candidates(rows_of(data, part), 64).keys) for part in ("train", "val")]
    assert not keys[0] & keys[1]
    near, far = reference_scores(SETUP, "cpu").distances(SETUP.favourite)
    assert len(near) + len(far) == KNOWN and len(near) > 10 and len(far) > 10
    assert np.median(near) < np.median(far)


@pytest.mark.slow
def test_the_chart_counts_known_pictures_beside_yours(opponents: Opponents) -> None:
    game, known = begun(), reference_scores(SETUP, "cpu")
    assert chart(game, known) == ""
    game.ask(SETUP.favourite)
    assert "of 22 known members" in chart(game, known)


def test_what_cannot_be_done_is_said_and_costs_nothing() -> None:
    game = begun()
    with pytest.raises(ActionError, match="first"):
        game.deal()
    game.ask(2)
    game.ask(2)
    with pytest.raises(BudgetExhausted, match=r"costs 7, and 6 of the budget are left"):
        game.ask(2)
    with pytest.raises(ActionError, match="menu"):
        game.ask(99)
    for wrong in (None, float("nan"), -0.1, 1.1):
        with pytest.raises(ActionError, match="verdict"):
            game.judge(wrong)
    assert game.scene.left == 6 and not game.rounds
    game.judge(0.2)
    for late in (lambda: game.judge(0.2), lambda: game.ask(0)):
        with pytest.raises(ActionError, match="given"):
            late()
    assert len(game.rounds) == 1


def test_the_truth_is_not_in_what_is_shown_before_the_verdict() -> None:
    game = begun()
    assert game.scene.truth is None and truth(game) == ""
    game.judge(1.0)
    assert ("was in the training set" in truth(game)) == label_of(game)


def test_a_secret_target_is_named_after_enough_verdicts() -> None:
    game = begun(is_secret=True)
    for number in range(1, SECRET_ROUNDS + 1):
        game.judge(0.5)
        assert game.is_named == (number == SECRET_ROUNDS)
        assert ("has memorised" in truth(game)) == game.is_named
        game.deal()


def test_a_surprise_is_asked_about_the_same_pictures_whichever_it_is() -> None:
    tables = [setup_of(SURPRISE, GREY, np.random.default_rng(seed)) for seed in range(20)]
    assert {one.target for one in tables} == {"clipart-overfit", "clipart-null"}
    assert len({(one.data, one.reference, one.questions) for one in tables}) == 1
    with pytest.raises(UnknownName):
        setup_of("../etc", GREY, np.random.default_rng(0))


def rounds(*verdicts: tuple[float, bool]) -> list[Round]:
    return [Round(str(i), member, {YOU: Guess(p, 4)}) for i, (p, member) in enumerate(verdicts)]


def test_a_tally_counts_sides_and_has_intervals_only_where_they_mean_something() -> None:
    mine = tally(rounds((0.9, True), (0.2, True), (0.5, False)), YOU)
    assert mine is not None
    assert (mine.right, mine.decided, mine.undecided, mine.n) == (1, 2, 1, 3)
    assert mine.reward == pytest.approx((0.96 - 1.56 + 0) / 3)
    assert mine.reward_ci is None and mine.right_ci is not None
    assert mine.right_ci[0] < 0.05 and mine.right_ci[1] > 0.95
    many = tally(rounds(*[(0.9, True), (0.6, False)] * 6), YOU)
    assert many is not None and many.reward_ci is not None
    assert many.reward_ci[0] < many.reward < many.reward_ci[1]
    assert tally([], YOU) is None


def test_few_rounds_show_nothing_and_the_page_says_so() -> None:
    five = tally(rounds(*[(0.9, True)] * 4, (0.9, False)), YOU)
    assert five is not None
    assert chance(4, 5) == pytest.approx(6 / 32)
    assert caution(five).startswith("5 rounds tell nothing about skill")
    assert "at least 4 of 5 times in 19%" in caution(five)
    undecided = tally(rounds((0.5, True)), YOU)
    assert undecided is not None and "not taken a side" in caution(undecided)
    assert "is playing" in tallies(rounds((0.9, True)))


def test_captions_are_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    game = begun()
    hostile = Candidates(game.scene.images, ("<img src=x onerror=alert(1)>",))
    monkeypatch.setattr(game._env.game, "candidates", [hostile])
    assert "<img src=x" not in candidate(game.scene) and "&lt;img" in candidate(game.scene)


def test_games_are_few_for_one_few_for_all_and_the_oldest_make_room() -> None:
    now = [0.0]
    games = Games(of_one=3, of_all=5, clock=lambda: now[0])
    sessions: dict[str, Any] = {}
    for page in ("a1", "a2", "a3", "b1"):
        sessions[page] = object()
        games.add(page[0], page, sessions[page])
    assert games.get("a1") is sessions["a1"]  # touched, so that a2 is the oldest
    games.add("a", "a4", sessions["a1"])
    for gone in ("a2", None, "nobody"):
        with pytest.raises(ActionError, match="cleared away"):
            games.get(gone)
    games.add("c", "c1", sessions["b1"])
    games.add("d", "d1", sessions["b1"])  # too many in all: of whoever has most
    with pytest.raises(ActionError):
        games.get("a3")
    games.add("b", "b1", sessions["a1"])  # another game on the same page
    assert len(games) == 5 and games.get("b1") is sessions["a1"]
    now[0] = SESSION_SECONDS + 1.0
    with pytest.raises(ActionError):
        games.get("b1")
    assert len(games) == 0
