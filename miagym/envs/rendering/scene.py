"""Scene: all that a rendered episode shows, as text or as a picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from miagym.envs.game import Game
from miagym.envs.menu import PICTURES, Question
from miagym.envs.settings import ROWS, Settings
from miagym.envs.state.history import History
from miagym.envs.state.moves import Slot
from miagym.envs.statistics import STATISTICS
from miagym.metrics.brier import brier_reward, on_the_right_side

DISTANCE = STATISTICS.index("root mean d²")
"""The statistic that is shown where there is room for one."""


@dataclass(frozen=True, eq=False)
class Scene:
    """State of one episode, as it is shown."""

    settings: Settings
    step: int
    images: NDArray[np.uint8]
    """The candidates (n, size, size, 3)."""
    captions: tuple[str, ...]
    belief: NDArray[np.float64]
    """The probability last said of each (n,)."""
    answers: NDArray[np.int64]
    """How many each has had (n,)."""
    left: int
    """UNet rows."""
    last: dict[int, Slot]
    """What was asked last, by slot."""
    history: list[Slot] | None
    """Every answer, where there is one candidate only."""
    is_over: bool
    truth: NDArray[np.bool_] | None
    """Who is a member (n,), once the verdict is given, and never on `test`."""

    def question(self, slot: Slot) -> Question:
        return self.settings.menu[slot.question]

    def price(self, slot: Slot) -> str:
        """What a question costs, in words."""
        price = self.question(slot).price if slot.price is None else slot.price
        unit = self.settings.unit
        return rows_in_words(price) if unit == ROWS else f"{price} {unit}"

    def refusal(self, slot: Slot) -> str:
        """Why there is no answer."""
        if slot.is_filtered:
            return "refused by the filter"
        return f"refused: it costs {self.price(slot)}"

    def distances(self, slot: Slot) -> tuple[float, ...]:
        """How far an answer is from the candidate, and after it the reference model's, if any."""
        assert slot.values is not None
        return tuple(slot.values[DISTANCE :: len(STATISTICS)].tolist())

    @property
    def cheapest(self) -> Question:
        return min(self.settings.menu, key=lambda question: question.price)

    @property
    def title(self) -> tuple[str, ...]:
        """Who is asked, how, on which split, and for how long already."""
        access = f"{self.settings.access} access"
        return self.settings.subject, access, self.settings.split, f"step {self.step}"

    @property
    def buys(self) -> str:
        """What the rest of the budget buys, in words."""
        name, price = self.cheapest.name, self.cheapest.price
        if self.left < price:
            return f"buys nothing more: {name} costs {price}"
        return f"buys {self.left // price} more {name}"

    @property
    def verdict(self) -> tuple[str, ...]:
        """How the episode ended, in a few short lines; none while it goes on."""
        if not self.is_over:
            return ()
        one = len(self.belief) == 1
        said = f"Verdict: {belief_in_words(self.belief[0])}" if one else "Verdict given"
        if self.truth is None:
            return said, "Graded afterwards"
        reward = f"reward {brier_reward(self.belief, self.truth.astype(int)):+.2f}"
        if one:
            return said, f"Truth: {'member' if self.truth[0] else 'not a member'}, {reward}"
        right = on_the_right_side(self.belief, self.truth).sum()
        return said, f"Right on {right:g} of {len(self.belief)}, {reward}"


def scene_of(game: Game, episode: int) -> Scene:
    """Scene of one episode of a game that has begun."""
    is_over, member = bool(game.over[episode]), game.members[episode]
    return Scene(
        settings=game.settings,
        step=int(game.steps[episode]),
        images=game.images[episode],
        captions=game.dealt(episode).captions,
        belief=game.probability[episode],
        answers=game.count[episode].sum(axis=1),
        left=int(game.accounts.left[episode]),
        last=game.last[episode],
        history=None if game.history is None else _answers(game.history, episode, game.settings),
        is_over=is_over,
        truth=member.astype(bool) if is_over and member is not None else None,
    )


def belief_in_words(probability: float) -> str:
    """Probability of membership in words, with the side that it speaks for."""
    side = "undecided" if probability == 0.5 else "member" if probability > 0.5 else "not a member"
    return f"{probability:.2f}, {side}"


def rows_in_words(price: int) -> str:
    """Price of a question in words."""
    return "1 row" if price == 1 else f"{price} rows"


def _answers(history: History, episode: int, settings: Settings) -> list[Slot]:
    count = int((history.questions[episode] >= 0).sum())
    return [
        Slot(
            candidate=0,
            question=int(question),
            values=history.values[episode, i],
            image=history.images[episode, i] if settings.menu[question].kind in PICTURES else None,
        )
        for i, question in enumerate(history.questions[episode, :count])
    ]
