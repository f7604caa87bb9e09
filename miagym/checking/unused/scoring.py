"""Scores of both sides under one attack, chunk by chunk, so that thousands fit into memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from miagym.candidates import Candidates
from miagym.checking.survey import CHUNK
from miagym.checking.unused.sides import Side
from miagym.errors import DataError
from miagym.evaluation.protocol import Attack, LearnedAttack
from miagym.evaluation.signals import Signals

Scores = NDArray[np.float64]

ALONE = {"black": ("rediffuse",), "grey": ("sima",)}
"""What a check without members asks by default at each access level."""


def the_attack(signals: Signals) -> tuple[str, Attack]:
    """The one attack, fixed before any picture is scored.

    Raises:
        DataError: if there are several, of which one might be picked for its answer, or it has to
            learn from known members.
    """
    if len(signals.attacks) != 1:
        raise DataError(
            "A check by unused pictures asks one attack, fixed beforehand, since the best of "
            f"several would be picked for its answer; got {', '.join(signals.attacks)}."
        )
    ((name, attack),) = signals.attacks.items()
    if isinstance(attack, LearnedAttack):
        raise DataError(
            f"{name} learns from known members, and here none are known; name an attack that does "
            "not learn, such as sima."
        )
    return name, attack


def side_scores(
    signals: Signals, given: Side, unused: Side, captioned: bool, done: Callable[[], None]
) -> tuple[Scores, Scores]:
    """Scores of the pictures in question (n,) and of the unused ones (m,), high = member.

    Chunks mix both sides, so that nothing about a chunk tells them apart.

    Raises:
        MiagymError: if the attack cannot be run on this target.
    """
    _, attack = the_attack(signals)
    pictures = (*given.pictures, *unused.pictures)
    order = np.random.default_rng(signals.seed).permutation(len(pictures))
    scores = np.empty(len(pictures))
    size = signals.target.resolution
    for start in range(0, len(order), CHUNK):
        rows = order[start : start + CHUNK]
        chunk = [pictures[row] for row in rows]
        candidates = Candidates(
            np.stack([picture.open(size) for picture in chunk]),
            tuple(picture.caption if captioned else "" for picture in chunk),
        )
        scores[rows] = signals.of({"it": attack}, candidates)["it"][:, 0]
        done()
    return scores[: len(given)], scores[len(given) :]
