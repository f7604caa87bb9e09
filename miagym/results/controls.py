"""What stands behind the rows: controls, other models, protocols and comparisons."""

from __future__ import annotations

from miagym.results.estimate import Interval
from miagym.results.records import About, Record


class Control(About):
    """A measurement where nothing is to be found; see `metrics.controls`."""

    control: str
    n_members: int
    n_nonmembers: int
    repetitions: int
    auc: float
    auc_ci: Interval
    coverage: float | None
    p_value: float | None
    passed: bool


class Spread(Record):
    """Over random draws."""

    mean: float
    std: float


class Outcome(Record):
    """What one protocol reports."""

    chosen: str
    auc: Spread
    tpr: Spread | None


class Optimism(About):
    """The paper's protocol (optimistic) beside held-out choices; see `metrics.optimism`."""

    part: str
    n_members: int
    n_nonmembers: int
    draws: int
    drawn: int
    variants: int
    paper: Outcome
    held_out: Outcome


class Difference(Record):
    """Of two attacks on the same candidates."""

    difference: float
    ci: Interval
    p: float


class OnOther(About):
    """What the same scores find of the same candidates when a different generator is asked.

    It has learnt other things than the target, so that what is found there too is found by the
    split, not by what the target remembers.
    """

    other: str
    """The generator."""
    auc: float
    auc_ci: Interval
    more: Difference
    """AUC on the target less that on the other, paired."""
    p_holm: float
    """Of `more`, corrected for all attacks of the match that ask a model."""
    there: bool
    """Whether the AUC on the other is above one half, as one of so many."""


class GeneratedShare(About):
    """How many pictures that the target itself generated an attack would call members.

    They were in no training set, so that whatever it calls a member is not one.
    """

    at: str
    """The threshold, fixed on the calibration part: "balanced", or "0.01" for that FPR."""
    n: int
    share: float
    ci: Interval
    """Clopper-Pearson, 95 %."""


class Comparison(About):
    """An attack against another; see `metrics.comparisons.comparison`."""

    against: str
    kind: str
    n_members: int
    n_nonmembers: int
    auc: Difference
    tpr_at_fpr: dict[str, Difference | None]
    p_holm: float
    compared: int
