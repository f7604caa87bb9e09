"""What is measured of attacks: a record for each row of results.json."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from miagym.results.estimate import Estimate, Interval

HELD_OUT = "held-out"
"""The protocol that a finding rests on: chosen on calibration data, measured on test data."""

Level = Literal["blind", "black", "grey", "white"]


class Record(BaseModel):
    """Immutable; what is written is what was given, so that absent fields stay absent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def as_json(self) -> dict[str, Any]:
        """Plain numbers, texts, lists and None."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


class Sample(Record):
    """Rows of each side that were drawn by the seed, and how many there were to draw from."""

    members: int
    nonmembers: int
    of_members: int
    of_nonmembers: int

    @classmethod
    def of(cls, drawn: NDArray[np.bool_], all_rows: NDArray[np.bool_]) -> Self | None:
        """From the labels of the drawn rows and of all rows; None if all were drawn."""
        if len(drawn) == len(all_rows):
            return None
        return cls(
            members=int(drawn.sum()),
            nonmembers=int((~drawn).sum()),
            of_members=int(all_rows.sum()),
            of_nonmembers=int((~all_rows).sum()),
        )

    def __str__(self) -> str:
        return (
            f"{self.members:,} of {self.of_members:,} members and {self.nonmembers:,} of "
            f"{self.of_nonmembers:,} non-members, drawn by the seed"
        )


class Detection(Record):
    """Members found at the highest threshold that keeps the false positive rate."""

    tpr: float
    """An `Estimate`: its interval is `ci`."""
    ci: Interval
    """95 % interval of the TPR."""
    fpr: float
    """The rate that was reached; with ties it is below the one that is allowed."""

    def model_post_init(self, context: Any) -> None:
        self.__dict__["tpr"] = Estimate(self.tpr, self.ci)  # pyright: ignore[reportIndexIssue]


class Measured(Record):
    """AUC, and TPR at low false positive rates, with 95 % intervals."""

    n_members: int
    n_nonmembers: int
    effective_members: float | None = None
    """How many independent members they are worth; absent where candidates come in no groups."""
    effective_nonmembers: float | None = None
    auc: float
    """An `Estimate`: its interval is `auc_ci`."""
    auc_ci: Interval
    tpr_at_fpr: dict[str, Detection | None]
    """By allowed FPR, as "0.01"; None where there are too few non-members."""

    @property
    def worth(self) -> tuple[float, float]:
        """How many independent members, and non-members, the candidates are worth."""
        return (
            self.effective_members or self.n_members,
            self.effective_nonmembers or self.n_nonmembers,
        )

    def model_post_init(self, context: Any) -> None:
        self.__dict__["auc"] = Estimate(self.auc, self.auc_ci)  # pyright: ignore[reportIndexIssue]


class BudgetPoint(Measured):
    """What an attack finds with so many questions."""

    queries: float | None = None
    """Mean per candidate, as are the rows."""
    unet_rows: float | None = None
    backward_rows: float | None = None


class AtThreshold(Record):
    """What a threshold does on the test part that was fixed on the calibration part."""

    n_members: int
    n_nonmembers: int
    threshold: float
    tpr: float
    tpr_ci: Interval
    fpr: float
    fpr_ci: Interval
    balanced_accuracy: float
    balanced_accuracy_ci: Interval


class Distance(Record):
    """First Wasserstein distance of the two score distributions."""

    value: float
    ci: Interval | None
    chance: float


class AttackRow(BudgetPoint):
    """One attack on the test part of one target and data set."""

    target: str | None
    data: str | None
    attack: str
    access: Level | None
    """None where a score file does not tell."""
    shadows: bool = False
    """Whether it compared with shadow models."""
    reference: bool = False
    """Whether its scores are calibrated by a public reference model."""
    learned: bool = False
    """Whether it was fitted to the calibration part."""
    at_threshold: dict[str, AtThreshold] | None = None
    """By "balanced" and "0.01"."""
    wasserstein: Distance | None = None
    seconds: float | None = None
    protocol: str
    chosen: str | None
    """The variant, as Python builds it."""
    curve: tuple[BudgetPoint, ...] = ()
    """After 1, 2, 4, ... queries, for attacks that can stop early."""
    failed_controls: tuple[str, ...] = ()
    same_as: str | None = None
    """An attack before it that gave the very same scores: another name for one statistic."""

    @property
    def blind(self) -> bool:
        """Whether it never sees the model, so that what it finds is in the split."""
        return self.access == "blind"

    @property
    def held_out(self) -> bool:
        """Whether nothing about it was chosen on the test part."""
        return self.protocol == HELD_OUT


class About(Record):
    """Which attack on which target and data set a record is of."""

    target: str | None
    data: str | None
    attack: str
