"""Game setup: the target, the public model beside it, and the questions that may be asked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from miagym.envs.options import Options
from miagym.errors import UnknownName

BUDGET = 20
"""UNet rows for each picture: two pictures from the caption, or ten slight variations."""
STEPS = 10
"""DDIM steps of a whole text to image."""
SPLIT = "val"
"""Pictures that are dealt; those of known membership are from "train", and never the same."""

KNOWN = 48
"""Pictures of known membership that are asked what the visitor asks."""

OVERFIT, DRAWS, REALISTIC, SURPRISE = "overfit", "draws", "realistic", "surprise"
CHOICES = (OVERFIT, DRAWS, REALISTIC, SURPRISE)
BLACK, GREY = "black", "grey"
PICTURES = ("variation@0.2", "variation@0.4", "variation@0.7", "text-to-image")
NUMBERS = ("sima@60", "loss@200", "pia@200")
MENU = {BLACK: PICTURES, GREY: (*PICTURES, *NUMBERS)}
"""Names of questions; a menu begins with all of the smaller one."""

WORDS = {
    "variation@0.2": "Vary slightly",
    "variation@0.4": "Vary halfway",
    "variation@0.7": "Vary strongly",
    "text-to-image": "Draw caption",
    "sima@60": "Noise seen in it",
    "loss@200": "Error on added noise",
    "pia@200": "Error on its own noise",
}
"""Questions as the visitor reads them."""


@dataclass(frozen=True)
class GameSetup:
    """Target, data, reference and access of a game."""

    target: str
    data: str
    """Whose members are asked about."""
    reference: str | None
    """A public model that answers the same beside, for nothing."""
    access: str

    @property
    def models(self) -> int:
        """How many answer each question."""
        return 1 if self.reference is None else 2

    @property
    def is_control(self) -> bool:
        """Whether the target has seen neither side of the data."""
        return self.target == "clipart-null"

    @property
    def questions(self) -> tuple[str, ...]:
        return MENU[self.access]

    @property
    def favourite(self) -> int:
        """The question that an agent puts which knows one only; chosen on the split "train"."""
        return self.questions.index("sima@60" if self.access == GREY else "variation@0.2")

    def options(self, device: str, split: str = SPLIT, budget: int = BUDGET) -> Options:
        """Of an environment; by default as the visitor plays it."""
        return Options(
            target=self.target,
            data=self.data,
            reference=self.reference,
            access=self.access,
            questions=self.questions,
            steps=STEPS,
            device=device,
            split=split,
            budget=budget,
        )


def setup_of(choice: str, access: str, rng: np.random.Generator) -> GameSetup:
    """The setup that a visitor chose.

    A surprise is the overfit target or one that saw neither side, asked about the same pictures
    with the same public model beside: only the answers can tell which.

    Raises:
        UnknownName: if there is no such choice.
    """
    if access not in MENU:
        raise UnknownName("access level", access, MENU)
    if choice == REALISTIC:
        return GameSetup("clipart-realistic", "clipart", None, access)
    if choice == DRAWS:
        return GameSetup("icons-overfit", "icons-tune", "icons-realistic", access)
    if choice not in CHOICES:
        raise UnknownName("target", choice, CHOICES)
    is_control = choice == SURPRISE and rng.random() < 0.5
    target = "clipart-null" if is_control else "clipart-overfit"
    return GameSetup(target, "clipart-tune", "clipart-realistic", access)


def opponent_rows(setup: GameSetup, price: int) -> int:
    """UNet rows that the agents compute in one round, if their one question has this price."""
    return BUDGET // price * price * setup.models
