"""What somebody states about scores: can it be true, and do these scores bear it out?"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from miagym.errors import DataError, option
from miagym.metrics.auc import Interval

SLACK = 1e-12
MAX_DIGITS = 100
"""After the point, or before it: 10 to the power of many more is no float."""


@dataclass(frozen=True)
class Stated:
    """A number in [0, 1] as it was written: 0.76 is anything that rounds to it."""

    value: float
    text: str
    half_unit: float
    """Half a unit of its last digit."""

    @classmethod
    def of(cls, text: str, name: str) -> Stated:
        """Reads `0.025` or `2.5%`.

        Raises:
            DataError: if it is no number in [0, 1].
        """
        bare = text.strip().removesuffix("%").strip()
        percent = text.strip() != bare
        try:
            number = Decimal(bare)
        except InvalidOperation as error:
            raise DataError(
                f"Expected a number for {name}, as 0.025 or 2.5%, got {text}."
            ) from error
        exponent = number.as_tuple().exponent
        if isinstance(exponent, int) and abs(exponent) > MAX_DIGITS:
            raise DataError(
                f"Expected {name} with at most {MAX_DIGITS} digits, as 0.025 or 2.5%, got {text}."
            )
        scale = 0.01 if percent else 1.0
        if not isinstance(exponent, int) or not 0 <= float(number) * scale <= 1:
            raise DataError(f"Expected {name} between 0 and 1, got {text}.")
        return cls(float(number) * scale, text.strip(), 0.5 * 10.0**exponent * scale)

    @property
    def ends(self) -> Interval:
        """All that rounds to it."""
        return max(0.0, self.value - self.half_unit), min(1.0, self.value + self.half_unit)


@dataclass(frozen=True)
class Statement:
    """What is stated about an attack; None for what is not."""

    auc: Stated | None = None
    tpr: Stated | None = None
    fpr: Stated | None = None
    """At which the TPR is."""

    @classmethod
    def of(cls, auc: str | None, tpr: str | None, fpr: str | None) -> Statement:
        """Reads three options.

        Raises:
            DataError: if one is no number in [0, 1], or a TPR is stated without an FPR strictly
                between 0 and 1, or an FPR without a TPR.
        """
        if (tpr is None) != (fpr is None):
            raise DataError(
                f"A TPR means something at an FPR: give {_named('tpr')} and {_named('fpr')}."
            )
        options = {"auc": auc, "tpr": tpr, "fpr": fpr}
        read = {
            name: Stated.of(text, _named(name))
            for name, text in options.items()
            if text is not None
        }
        if "fpr" in read and not 0 < read["fpr"].value < 1:
            raise DataError(f"Expected {_named('fpr')} strictly between 0 and 1, got {fpr}.")
        return cls(**read)

    @property
    def impossible(self) -> str | None:
        """Why AUC and TPR cannot both be true, or None if they can."""
        if self.auc is None or self.tpr is None or self.fpr is None:
            return None
        z = self.fpr.value
        low, high = auc_bounds(self.tpr.ends, z)
        if self.auc.ends[1] >= low - SLACK and self.auc.ends[0] <= high + SLACK:
            return None
        return (
            f"An AUC of {self.auc.text} and a TPR of {self.tpr.text} at an FPR of {self.fpr.text} "
            f"cannot both be true of the same scores: that point leaves an AUC between {low:.4g} "
            f"and {high:.4g}."
        )


def auc_bounds(tpr: Interval, fpr: float) -> Interval:
    """The least and the largest AUC of any scores whose best TPR at FPR <= z lies in an interval.

    With y the TPR, a ROC curve rises from (0, 0) to (1, 1) and never falls, and nothing more is
    asked of it (no concavity), so

        y (1 - z)  <=  AUC  <=  1 - z (1 - y) / 2.

    Least: nothing is found before z, and nothing more than y after it. Largest: all beyond z is
    found at once. If no score is shared between the sides, the curve stays at y until z, and the
    area is z y + (1 - z) = 1 - z (1 - y). Ties are what halves the last term: one group of tied
    scores that takes the FPR from 0 to just above z, and the TPR from y to 1, counts as a slope,
    and no threshold cuts it, so y is still the best TPR at FPR <= z.

    Args:
        tpr: between which ends y lies; the bounds hold for all of it.
        fpr: z, in (0, 1).
    """
    return tpr[0] * (1 - fpr), 1 - fpr * (1 - tpr[1]) / 2


def _named(number: str) -> str:
    return option(f"stated_{number}", python=f"{number}=...")
