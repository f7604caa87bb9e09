"""Settings of an audit: a family of targets in the place of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypedDict

from miagym.envs.audit.family import Family
from miagym.envs.grading.played import Played
from miagym.envs.grading.verdicts import VerdictScope
from miagym.envs.options import check_options
from miagym.envs.settings import Settings
from miagym.targets.base import Target

HAND, SLOTS, BUDGET = 4, 4, 48


class AuditOptions(TypedDict, total=False):
    """Options of `gym.make("miagym/Audit-v0", ...)`; `Settings` says what each means."""

    family: str
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
        SettingsError: if a value is none of those allowed, or the family is no population.
    """

    family: str = "clipart-population"
    """Of which models one is drawn at each reset: a population's name, or its folder."""

    @classmethod
    def given(cls, options: AuditOptions) -> AuditSettings:
        """Settings from an environment's options.

        Raises:
            UnknownOption: if there is an option that an audit has not.
            SettingsError: if the family is none.
        """
        check_options(options, AuditOptions)
        name = options.get("family", cls.family)
        first = Family.named(name).names[0]
        given: dict[str, Any] = {
            "candidates": HAND,
            "slots": SLOTS,
            "budget": BUDGET,
            **options,
            "family": name,
            "target": first,
            "data": first,
        }
        return cls(**given)

    @cached_property
    def models(self) -> Family:
        """The family itself."""
        return Family.named(self.family)

    @property
    def about(self) -> VerdictScope:
        return VerdictScope(**{**super().about, "data": self.models.name})

    @property
    def _played(self) -> Played:
        terms = f"one verdict on {self.candidates} pictures of one hand"
        return replace(super()._played, target=self.models.name, terms=terms)
