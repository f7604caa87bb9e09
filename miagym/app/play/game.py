"""Game of one visitor: a picture, a budget, questions, a verdict, the truth; then the next one.

It runs on the environment `SingleEnv`, and lives on the server.
"""

from __future__ import annotations

import math
from threading import Lock

from miagym.app.play.rounds import SECRET_ROUNDS, YOU, Guess, Round
from miagym.app.play.setup import BUDGET, GameSetup
from miagym.envs.menu import Question
from miagym.envs.rendering.scene import Scene, scene_of
from miagym.envs.single import SingleEnv
from miagym.errors import ActionError, BudgetExhausted


class HumanGame:
    """The game of one visitor, from the first picture to the last.

    Args:
        setup: target, data, reference and access.
        seed: of the dealing; the same seed deals the same pictures, for whoever plays.
        is_secret: whether the target's name is told only after `SECRET_ROUNDS` verdicts.
        device: where targets are put.
    """

    def __init__(self, setup: GameSetup, seed: int, *, is_secret: bool, device: str) -> None:
        self.setup, self.seed = setup, seed
        self.rounds: list[Round] = []
        self._is_secret = is_secret
        self._env = SingleEnv(**setup.options(device))
        self._lock = Lock()

    @property
    def menu(self) -> tuple[Question, ...]:
        return self._env.settings.menu

    @property
    def is_named(self) -> bool:
        """Whether the visitor may know which target it is."""
        return not self._is_secret or len(self.rounds) >= SECRET_ROUNDS

    @property
    def was_secret(self) -> bool:
        return self._is_secret

    @property
    def has_begun(self) -> bool:
        return bool(self._env.game.begun[0])

    @property
    def scene(self) -> Scene:
        """What there is to see. The truth is in it only after the verdict."""
        return scene_of(self._env.game, 0)

    @property
    def is_over(self) -> bool:
        """Whether the verdict on the picture is given."""
        return bool(self._env.game.over[0])

    def check_deal(self) -> None:
        """Whether there is a next picture to deal.

        Raises:
            ActionError: if the verdict on this one is still to give, or no picture is left.
        """
        if self.has_begun and not self.is_over:
            raise ActionError("Give your verdict on this picture first.")
        if self.rounds and len(self.rounds) == len(self._env.game.world.split):
            raise ActionError(
                f"You have judged all {len(self.rounds)} pictures there are; begin another game."
            )

    def deal(self) -> None:
        """The next picture.

        Raises:
            ActionError: as `check_deal`.
        """
        with self._lock:
            self.check_deal()
            self._env.reset(seed=None if self.has_begun else self.seed)

    def price(self, question: int) -> int:
        """UNet rows of a question that can be asked now.

        Raises:
            ActionError: if there is no such question, or the verdict is given already.
            BudgetExhausted: if it costs more than is left.
        """
        if not 0 <= question < len(self.menu):
            raise ActionError("This question is not on the menu of this game.")
        if self.is_over:
            raise ActionError("Your verdict is given; nothing can be asked until the next picture.")
        price, left = self.menu[question].price, self.scene.left
        if price > left:
            are = "is" if left == 1 else "are"
            raise BudgetExhausted(
                f"This costs {price}, and {left} of the budget {are} left; ask something cheaper, "
                "or give your verdict."
            )
        return price

    def ask(self, question: int) -> None:
        """Asks, and pays.

        Raises:
            ActionError, BudgetExhausted: as `price`; nothing is charged.
        """
        with self._lock:
            self.price(question)
            self._env.step({"question": question, "probability": 0.5, "stop": 0})

    def judge(self, probability: float | None) -> None:
        """Ends the round with the visitor's verdict.

        Raises:
            ActionError: if it is given already, or is no probability.
        """
        with self._lock:
            if self.is_over:
                raise ActionError("Your verdict on this picture is given; deal the next one.")
            if probability is None or not (math.isfinite(probability) and 0 <= probability <= 1):
                raise ActionError("Expected a verdict from surely not to surely yes.")
            spent = BUDGET - self.scene.left
            self._env.step({"question": 0, "probability": probability, "stop": 1})
            hand, truth = self._env.game.candidates[0], self.scene.truth
            assert hand is not None and truth is not None
            said = {YOU: Guess(float(probability), spent)}
            self.rounds.append(Round(hand.keys[0], bool(truth[0]), said))
