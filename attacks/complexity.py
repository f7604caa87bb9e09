"""Complexity: a picture of much detail is hard for every model, so its score is divided by it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.linear_model import LogisticRegression

from attacks.base import Attack, LearnedAttack, Scores
from attacks.learning.rules import Classifier, Rule
from attacks.wrapped import Rescored
from miagym.oracle import Access, AttackError, Candidates, Oracle


def compressed_sizes(candidates: Candidates) -> NDArray[np.float64]:
    """Bytes of each picture as a PNG (n,)."""

    def size(image: NDArray[np.uint8]) -> int:
        file = io.BytesIO()
        Image.fromarray(image).save(file, "PNG")
        return file.tell()

    return np.array([size(image) for image in candidates.images], dtype=np.float64)


@dataclass(frozen=True)
class BlindComplexity(LearnedAttack):
    """What the compressed size alone tells: the blind row of `Complexity`.

    Ours. Feature: log of the bytes of the picture as a PNG. Score: a logistic regression's.

    Costs nothing.
    """

    access = Access.BLIND

    def features(self, oracle: Oracle, candidates: Candidates) -> NDArray[np.float64]:
        return np.log(compressed_sizes(candidates))[:, None]

    def new_rule(self) -> Rule:
        return Classifier.of(LogisticRegression())


@dataclass(frozen=True)
class Complexity(Rescored):
    """Any attack's score divided by the compressed size of the picture.

    Rao and Moyer 2026, arXiv 2603.13421 (T_mc_cal, for rectified flow). Faithful: bytes of the
    picture as a PNG. The denominator sees no model: where the two sides differ in it, it finds
    members by itself, and `blind-complexity` stands in every table beside this.

    Score: s(x) / C(x), in units of the attack's score a kilobyte.

    Costs what the attack does.

    Args:
        attack: whose scores are divided: a distance with a minus sign.
    """

    paper = "Rao and Moyer 2026, arXiv 2603.13421"

    def __post_init__(self) -> None:
        if self.attack.access == Access.BLIND:
            raise AttackError(
                f"{type(self.attack).__name__} asks no model, so that there is nothing to divide; "
                "use +complexity on an attack that does."
            )

    @property
    def beside(self) -> Mapping[str, Attack]:
        return {**self.attack.beside, "blind-complexity": BlindComplexity()}

    def anytime(self, oracle: Oracle, candidates: Candidates) -> dict[int, Scores]:
        size = compressed_sizes(candidates) / 1000
        own = self.attack.anytime(oracle, candidates)
        return {queries: scores / size for queries, scores in own.items()}
