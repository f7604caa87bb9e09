"""What a step is made of: moves, slots and results."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PRIOR = 0.5
"""Probability of membership before anything was said: half of the candidates are members."""


@dataclass(frozen=True)
class Moves:
    """Actions of k episodes in a step."""

    candidate: NDArray[np.int64]
    """Whom each slot asks about (k, slots); n leaves it empty."""
    question: NDArray[np.int64]
    """What it asks (k, slots), an index of the menu."""
    probability: NDArray[np.float64]
    """Of membership (k, n): the verdict, should the episode end with this step."""
    stop: NDArray[np.bool_]
    """Whether it does (k,); then nothing is asked or charged."""


@dataclass(frozen=True)
class StepResult:
    """Rewards and ends of k episodes after a step."""

    reward: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]


@dataclass(frozen=True)
class Slot:
    """Question in one slot of a step, and its answer."""

    candidate: int
    question: int
    values: NDArray[np.float32] | None = None
    """Statistics (F,); None if the budget did not cover the question."""
    image: NDArray[np.uint8] | None = None
    """The picture (size, size, 3), of a question that asks for one."""
    price: int | None = None
    """What it costs, where the menu does not say it."""
    is_filtered: bool = False
    """Whether a service's filter has refused it."""


@dataclass(frozen=True)
class PaidQuestion:
    """Question that was paid: who asks, in which slot, about whom, what, with which noise."""

    episode: int
    slot: int
    candidate: int
    question: int
    draw: int
    earlier: int = 0
    """Answers to the same question about the same candidate before it, in its episode."""
    model: int = 0
    """Number of the target of its episode within the split, where a family is played."""

    @property
    def what(self) -> tuple[int, int, int]:
        return self.episode, self.candidate, self.question


@dataclass(frozen=True)
class StepAnswers:
    """Statistics and pictures that answer k questions."""

    values: NDArray[np.float32]
    """Statistics (k, F)."""
    images: list[NDArray[np.uint8] | None]
    """Pictures (size, size, 3), of questions that ask for pictures."""
