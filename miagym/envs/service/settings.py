"""Settings of a service: which calls it takes, what they cost, how its pictures arrive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypedDict

from miagym.data.dataset import Dataset
from miagym.envs.menu import Question
from miagym.envs.options import check_options
from miagym.envs.service.prompt_filter import PromptFilter
from miagym.envs.service.rate_limit import check_rate
from miagym.envs.service.tariff import Tariff
from miagym.envs.settings import Settings
from miagym.errors import SettingsError
from miagym.oracle.costs import generation_cost, guidance_rows, variation_cost
from miagym.remote.services import IMAGE_TO_IMAGE, INPAINTING, TEXT_TO_IMAGE, Service
from miagym.targets.base import Target
from miagym.targets.sizes import variation_steps

MAX_PICTURES = 16
"""Pictures in one call."""


@dataclass(frozen=True)
class ServiceOffer(Question):
    """Kind of call that a service takes; its price is that of one picture at its cheapest."""

    tariff: Tariff = field(kw_only=True)

    @property
    def price(self) -> int:
        return self.tariff.price(self.cost.unet_rows, 1)


class ServiceOptions(TypedDict, total=False):
    """Options of `gym.make("miagym/Service-v0", ...)`; `ServiceSettings` says what each means."""

    service: str
    tariff: Tariff | str
    pictures: int
    jpeg: int | None
    answer_size: int | None
    prompt_filter: PromptFilter | None
    calls_a_minute: int | None
    target: str | Target
    data: str | Dataset | None
    split: str
    budget: int
    steps: int
    guidance_scale: float
    price: float
    noise_seed: int
    max_steps: int | None
    device: str
    batch_size: int


@dataclass(frozen=True, eq=False)
class ServiceSettings(Settings):
    """Settings of a service. One candidate an episode; black-box access; no reference beside.

    Raises:
        SettingsError: if a value is none of those allowed.
        UnknownName: if there is no such tariff.
    """

    service: str = Service.IMAGE_TO_IMAGE
    """Which calls it takes: "prompt-only", "image-to-image", "inpainting" or "full"."""
    tariff: Tariff | str = "rows"
    """What calls cost: "rows", "pictures", "calls", or a `Tariff`. Budgets are counted in it."""
    jpeg: int | None = None
    """Quality of the JPEG as which pictures arrive, from 1 to 95; by default they are exact."""
    answer_size: int | None = None
    """Side of the pictures that arrive, in pixels; by default the model's own."""
    prompt_filter: PromptFilter | None = None
    """Which prompts are refused; by default none."""
    calls_a_minute: int | None = None
    """How often an episode may call; a step then takes as long as the service makes one wait."""

    @classmethod
    def given(cls, options: ServiceOptions) -> ServiceSettings:
        """Settings from an environment's options.

        Raises:
            UnknownOption: if there is an option that a service has not.
        """
        check_options(options, ServiceOptions)
        merged: dict[str, Any] = {**options}
        pictures = merged.pop("pictures", 1)
        if not isinstance(pictures, int) or not 1 <= pictures <= MAX_PICTURES:
            raise SettingsError(
                f"Expected from 1 to {MAX_PICTURES} pictures in a call, got {pictures!r}."
            )
        return cls(**merged, slots=pictures)

    def __post_init__(self) -> None:
        if self.service not in list(Service):
            allowed = ", ".join(repr(str(one)) for one in Service)
            raise SettingsError(f"Expected a service {allowed}; got {self.service!r}.")
        for name, most in (("jpeg", 95), ("answer_size", 4096)):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or not 1 <= value <= most):
                raise SettingsError(
                    f"Expected a whole number from 1 to {most} for {name}, or None; got {value!r}."
                )
        if not isinstance(self.prompt_filter, PromptFilter | None):
            raise SettingsError(
                f"Expected PromptFilter([...]) as prompt_filter, or None; got "
                f"{self.prompt_filter!r}."
            )
        check_rate(self.calls_a_minute)
        if self.kind.takes_guidance and self.guidance_scale != 1:
            raise SettingsError(
                f"The service {self.service} takes guidance with each call; leave out "
                "guidance_scale."
            )
        _ = self.prices  # a tariff that there is not is refused now
        super().__post_init__()

    @cached_property
    def kind(self) -> Service:
        return Service(self.service)

    @cached_property
    def prices(self) -> Tariff:
        return Tariff.named(self.tariff)

    @property
    def unit(self) -> str:
        return self.prices.unit

    @cached_property
    def menu(self) -> tuple[Question, ...]:
        """The kinds of calls; what takes an upload is cheapest where it runs one step."""
        least = variation_cost(1 / self.steps, self.steps, self.guidance_scale)
        costs = {
            TEXT_TO_IMAGE: generation_cost(self.steps, self.guidance_scale),
            IMAGE_TO_IMAGE: least,
            INPAINTING: least,
        }
        calls: Sequence[str] = self.kind.calls
        return tuple(ServiceOffer(kind, None, costs[kind], tariff=self.prices) for kind in calls)

    def price_of(
        self, kind: str, strength: float, pictures: int, guidance: float | None = None
    ) -> int:
        """Price of a call of a kind, in the tariff's coin; by default with the service's guidance.

        Args:
            kind: as in `Call`.
            strength: without meaning in a text to image.
            pictures: how many the call brings.
            guidance: where the caller chooses it.
        """
        rows = self.menu[self.kind.calls.index(kind)].cost.unet_rows
        if kind != TEXT_TO_IMAGE:
            rows *= variation_steps(strength, self.steps)
        if guidance is not None:
            rows *= guidance_rows(guidance)
        return self.prices.price(rows, pictures)

    @property
    def answer_side(self) -> int:
        return self.resolution if self.answer_size is None else self.answer_size

    @property
    def step_limit(self) -> int:
        """By default one step more than calls can be paid."""
        return self.max_answers + 1 if self.max_steps is None else self.max_steps

    @property
    def terms(self) -> list[str]:
        """Calls and prices, how pictures arrive, what is refused, and how often one may call."""
        arrive = "exact" if self.jpeg is None else f"JPEG {self.jpeg}"
        pictures = f"up to {self.slots} pictures a call, {arrive}, {self.answer_side} pixels a side"
        terms = [str(self.service), str(self.prices), pictures]
        if self.prompt_filter is not None:
            terms.append(str(self.prompt_filter))
        if self.calls_a_minute is not None:
            terms.append(f"{self.calls_a_minute} calls a minute")
        return terms
