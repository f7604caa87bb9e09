"""What one run evaluates. A run folder holds exactly one of these, and refuses another."""

from __future__ import annotations

from dataclasses import dataclass

from miagym.data.labels import MemberValue

AUTO = "auto"
"""In the place of a name: what is known to belong to an embedded target, if anything is."""


@dataclass(frozen=True)
class Match:
    """A target against the data whose members it was trained on."""

    target: str
    data: str
    attacks: tuple[str, ...]
    reference: str | None = AUTO
    """The public base of a fine-tuned target; `AUTO` names one where an attack calibrates by it."""
    null: str | None = AUTO
    """A target that saw neither side, or both alike: the control where nothing is to be found."""
    shadows: tuple[str, ...] = ()
    """Models trained like the target on known pictures, for attacks that compare with them."""
    member_value: MemberValue | None = None
    """What stands for members in the data's column of labels, where it does not say so itself."""


@dataclass(frozen=True)
class Config:
    """All that decides the scores of a run, and how it is cut into chunks."""

    matches: tuple[Match, ...]
    seed: int = 0
    queries: int | None = None
    """Budget of one candidate; black-box attacks spend it all, what needs more is left out."""
    limit: int | None = None
    """At most so many members, and so many non-members, of the calibration and of the test part."""
    choose_on: int = 100
    """Members, and non-members, of the calibration part on which variants are compared."""
    learn_on: int = 2_000
    """Members, and non-members, of the calibration part that rules are fitted to."""
    null_on: int = 100
    """Members, and non-members, of the test part about which the null target is asked."""
    generated: int = 0
    """Non-members of the test part from whose captions the target generates pictures, to see how
    many of its own attacks would call members; 0 leaves that out."""
    paper: bool = False
    """Score every variant on the test part too, and run the paper's optimistic protocol there."""
    chunk: int = 256
    """Candidates scored by all attacks before their answers are forgotten."""
    batch_size: int = 64
    """Latents in one call of the target."""
    device: str = "auto"
    dtype: str = "auto"
    posterior: str = "mean"
    """What pictures are encoded to: the mean of the encoder's posterior, or a sample."""
