"""What one run evaluates. A run folder holds exactly one of these, and refuses another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from miagym.data.labels import MemberValue
from miagym.errors import RunError, check_whole

if TYPE_CHECKING:
    from miagym.data.dataset import Dataset
    from miagym.evaluation.protocol import Attack
    from miagym.targets.base import Target

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
    other_generator: str | None = None
    """A different model, about which the test part is asked too: what an attack finds there, it
    finds by the split."""
    shadows: tuple[str, ...] = ()
    """Models trained like the target on known pictures, for attacks that compare with them."""
    member_value: MemberValue | None = None
    """What stands for members in the data's column of labels, where it does not say so itself."""


OWN_PICTURES = 20
"""Enough to see that attacks take a model's own pictures for members, for 800 rows of a UNet."""


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
    generated: int | None = None
    """Non-members of the test part from whose captions the target generates pictures, to see how
    many of its own attacks would call members; None: `OWN_PICTURES` where it is told anything."""
    paper: bool = False
    """Score every variant on the test part too, and run the paper's optimistic protocol there."""
    chunk: int = 256
    """Candidates scored by all attacks before their answers are forgotten."""
    batch_size: int = 64
    """Latents in one call of the target."""
    device: str = "auto"
    dtype: str = "auto"
    compiled: bool = False
    """Whether the models' denoisers are compiled by torch."""
    defence: str = ""
    """What is done to the target's pictures before a black box hands them out; see `Defence`."""
    posterior: str = "mean"
    """What pictures are encoded to: the mean of the encoder's posterior, or a sample."""
    keep_latents: str | None = None
    """Folder that keeps what pictures are encoded to, for runs of other attacks; see `KeptLatents`.
    It leaves scores as they are, and is no part of what a run is."""

    def __post_init__(self) -> None:
        check_whole(0, seed=self.seed, generated=self.generated)
        check_whole(1, limit=self.limit, chunk=self.chunk, batch_size=self.batch_size)

    def own_pictures(self, is_told: bool) -> int:
        """How many pictures a target generates, which is told captions or classes, or nothing."""
        if self.generated is None:
            return OWN_PICTURES if is_told else 0
        return self.generated

    def as_json(self) -> dict[str, Any]:
        """All that decides scores, as plain numbers, texts, lists and None."""
        content = asdict(self)
        del content["keep_latents"]
        return content


@dataclass(frozen=True, eq=False)
class Objects:
    """What the names in a `Config` stand for.

    Args:
        attacks: by name, blind ones among them: without their rows there is no table.
        targets: by name; others are loaded by their names.
        data: by name; others are loaded by their names.

    Raises:
        RunError: if no attack is blind.
    """

    attacks: Mapping[str, Attack]
    targets: Mapping[str, Target] = field(default_factory=dict)
    data: Mapping[str, Dataset] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.blind:
            raise RunError(
                "No blind attack was given; expected at least one, since no result stands without "
                "the row of an attack that never sees the model."
            )

    @property
    def blind(self) -> list[str]:
        """Names of the attacks that never see a model."""
        from miagym.oracle import Access

        return [name for name, a in self.attacks.items() if a.access == Access.BLIND]

    def target(self, name: str, config: Config) -> Target:
        """A target by its name, loaded as configured unless it was given."""
        from miagym.targets.registry import load_target

        how = {"device": config.device, "dtype": config.dtype, "compiled": config.compiled}
        return self.targets.get(name) or load_target(name, **how)
