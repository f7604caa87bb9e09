"""Settings of an audit: a family of targets in the place of one, and one verdict on a hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypedDict

from miagym.data.dataset import Dataset
from miagym.envs.family.family import family_options
from miagym.envs.options import check_options
from miagym.envs.settings import Settings
from miagym.errors import SettingsError
from miagym.targets.base import Target

FAMILY, HAND, SLOTS, BUDGET = "clipart-population", 4, 4, 48


class AuditOptions(TypedDict, total=False):
    """Options of `gym.make("miagym/Audit-v0", ...)`; `Settings` says what each means."""

    family: str | Sequence[str]
    data: str | Dataset | None
    candidates: int
    slots: int
    reference: str | Target | None
    reference_noise: str
    access: str
    split: str
    budget: int
    questions: Sequence[str] | None
    steps: int
    guidance_scale: float
    price: float
    noise_seed: int
    max_steps: int | None
    device: str
    batch_size: int


@dataclass(frozen=True, eq=False)
class AuditSettings(Settings):
    """Settings of an audit. `candidates` is the number of pictures in a hand.

    Raises:
        SettingsError: if a value is none of those allowed, or there is no family.
    """

    hands: ClassVar[bool] = True

    @classmethod
    def given(cls, options: AuditOptions) -> AuditSettings:
        """Settings from an environment's options, by default of 4 pictures and 48 UNet rows.

        Raises:
            UnknownOption: if there is an option that an audit has not.
            SettingsError, BudgetError, UnknownName: if options make no audit.
        """
        check_options(options, AuditOptions)
        defaults: dict[str, Any] = {"candidates": HAND, "slots": SLOTS, "budget": BUDGET}
        return cls(**defaults | family_options({"family": FAMILY, **options}))

    def __post_init__(self) -> None:
        if self.family is None:
            raise SettingsError(
                "An audit is about a family of targets, and got family=None; leave it out for "
                f"{FAMILY}."
            )
        super().__post_init__()

    @property
    def terms(self) -> list[str]:
        return [*super().terms, f"one verdict on {self.candidates} pictures of one hand"]
