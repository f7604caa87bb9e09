"""What the play tab shows of a game, as HTML: candidate, budget, answers, truth, tally."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from miagym.app.html import render
from miagym.app.play.rounds import ABOUT, SECRET_ROUNDS, YOU, Round
from miagym.app.play.setup import BUDGET, WORDS
from miagym.app.play.tally import Tally, caution, tally
from miagym.remote.pictures import as_png

if TYPE_CHECKING:
    from miagym.app.play.game import HumanGame
    from miagym.envs.rendering.scene import Scene
    from miagym.envs.state.moves import Slot


def heading(game: HumanGame) -> Markup:
    """Which game this is, in one line."""
    number = len(game.rounds) + (not game.is_over)
    return render("play/heading.html", setup=game.setup, number=number, is_named=game.is_named)


def candidate(scene: Scene) -> Markup:
    """The picture in question and its caption."""
    image, caption = _png(scene.images[0]), scene.captions[0]
    return render("play/candidate.html", image=image, caption=caption)


def budget(scene: Scene) -> Markup:
    """What is left, as cells and in words."""
    return render(
        "play/budget.html",
        left=scene.left,
        budget=BUDGET,
        spent=BUDGET - scene.left,
        is_over=scene.is_over,
        is_enough=scene.left >= scene.cheapest.price,
    )


def answers(scene: Scene) -> Markup:
    """Every answer in a row, the latest first."""
    given = [_answer(scene, n, slot) for n, slot in enumerate(scene.history or [], start=1)]
    return render("play/answers.html", answers=given[::-1])


def _answer(scene: Scene, number: int, slot: Slot) -> tuple[int, str, str | None, str, str | None]:
    """Number, question, picture, distance, and the distance to the public model's answer."""
    own, *public = (f"{distance:.3f}" for distance in scene.distances(slot))
    image = None if slot.image is None else _png(slot.image)
    words = WORDS[scene.question(slot).name]
    return number, words, image, own, public[0] if public else None


def truth(game: HumanGame) -> Markup:
    """The label and the reward, after the verdict; nothing before it.

    What a secret target turns out to be comes after `SECRET_ROUNDS` verdicts.
    """
    if not game.is_over or not game.rounds:
        return Markup()
    last = game.rounds[-1]
    return render(
        "play/truth.html",
        member=last.member,
        said=last.guesses[YOU].probability,
        reward=signed(last.reward(YOU)),
        rounds_left=0 if game.is_named else SECRET_ROUNDS - len(game.rounds),
        was_secret=game.was_secret,
        is_control=game.setup.is_control,
    )


def tallies(rounds: Sequence[Round]) -> Markup:
    """The visitor beside the agents, on the same pictures with the same budget."""
    mine = tally(rounds, YOU)
    if mine is None:
        return Markup()
    players = [(name, _cells(tally(rounds, name))) for name in (YOU, *ABOUT)]
    return render("play/tally.html", players=players, caution=caution(mine), about=ABOUT)


def _cells(one: Tally | None) -> list[tuple[str, str]]:
    """Numbers of a player with their intervals; none before it has played."""
    if one is None:
        return []
    right = "none", ""
    if one.right_ci is not None:
        share = (100 * one.right_ci[0], 100 * one.right_ci[1])
        right = f"{one.right} of {one.decided}", _interval(share, "{:.0f}".format) + "%"
    return [
        (str(one.n), ""),
        (signed(one.reward), _interval(one.reward_ci, signed)),
        right,
        (str(one.undecided), ""),
        (f"{one.spent:.0f}", ""),
    ]


def _interval(ends: tuple[float, float] | None, written: Callable[[float], str]) -> str:
    return "" if ends is None else f"[{written(ends[0])}, {written(ends[1])}]"


def signed(reward: float) -> str:
    """A reward with its sign, a true minus."""
    rounded = round(reward, 2) + 0.0  # no minus before a zero
    return f"{rounded:+.2f}".replace("-", "−")


def _png(pixels: NDArray[np.uint8]) -> str:
    """Pixels (h, w, 3) as a data URL: no file is left anywhere."""
    return "data:image/png;base64," + as_png(pixels)
