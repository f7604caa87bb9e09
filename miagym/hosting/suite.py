"""Tasks that a host serves: a service, a family of targets, candidates and a budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from miagym.envs.menu import PICTURES
from miagym.envs.service.prompt_filter import PromptFilter
from miagym.envs.service.rate_limit import check_rate
from miagym.envs.service.tariff import Tariff
from miagym.errors import HostError, UnknownName, option

DEV, FINAL = "dev", "final"
PHASES = (DEV, FINAL)
"""Each on a half of the test candidates that no player of the other has met."""

IMAGE_TO_IMAGE = ("variation@0.3", "variation@0.6")
FULL = ("text-to-image", *IMAGE_TO_IMAGE)

FORBIDDEN = ("alcohol", "beer", "blood", "gun", "nude", "weapon", "weapons", "wine")
"""Words that a shop refuses; some captions have one, and are to be reworded."""


@dataclass(frozen=True)
class HostedTask:
    """Task of a suite: hands of candidates, each about one target that the player is not told."""

    name: str
    about: str
    """A sentence for players."""
    targets: tuple[str, ...]
    """Family; each hand is about one of them."""
    data: str
    questions: tuple[str, ...]
    """The menu; pictures only, since a service answers with nothing else."""
    reference: str | None = None
    """A public model whose pictures are told beside, for nothing."""
    budget: int = 60
    """Of a hand, in the tariff's coin; a menu is priced in UNet rows."""
    candidates: int = 16
    slots: int = 4
    steps: int = 10
    hands: int = 16
    walks: tuple[int, int] = (5, 1)
    """How often a player may walk through the deck, in `dev` and in `final`."""
    submissions_a_day: tuple[int, int] = (20, 2)
    service: str = ""
    """Instead of a menu the calls of a service, as `Service` names it; hands of one candidate."""
    jpeg: int | None = None
    """Quality of the JPEG as which a service's pictures arrive; by default they are exact."""
    answer_size: int | None = None
    """Side of a service's pictures, in pixels; by default the model's own."""
    defence: str = ""
    """What is done to the pictures of a menu, and the reference's, as "jpeg:80+resize:0.75"."""
    tariff: Tariff | str = "rows"
    """What a service's calls cost: a name of `TARIFFS`, or a price list."""
    prompt_filter: PromptFilter | None = None
    """Which prompts a service refuses; players are told that there is one, and not its words."""
    calls_a_minute: int | None = None
    """How often a key may ask: calls, queries and steps that are no verdict."""
    population: str = ""
    """Name or folder, instead of targets and data: each model knows pictures of its own, so that
    intervals are over models, too, and phases differ in models."""

    def __post_init__(self) -> None:
        check_rate(self.calls_a_minute)
        if self.service and (self.questions or self.reference or self.candidates != 1):
            raise HostError(
                f"The task {self.name} is a service, with hands of one candidate, and neither "
                "questions nor a reference beside it."
            )
        if not self.service and (self.jpeg or self.answer_size):
            raise HostError(
                f"The task {self.name} has a menu, whose pictures keep their size; jpeg and "
                'answer_size are a service\'s: name a defence as in "jpeg:80+resize:0.75".'
            )
        if self.population and (self.service or self.targets or self.data):
            raise HostError(
                f"The task {self.name} is about a population, which brings models and pictures of "
                "its own and is asked by a menu: leave targets, data and service out."
            )
        if self.service and self.defence:
            raise HostError(
                f"The task {self.name} is a service, whose pictures arrive by jpeg and "
                "answer_size; a defence is a menu's."
            )
        if not self.service and (self.tariff != "rows" or self.prompt_filter):
            raise HostError(
                f"The task {self.name} has a menu, which is priced in UNet rows and takes no "
                "prompts; a tariff and a filter are a service's."
            )

    @property
    def prices(self) -> Tariff:
        """What calls cost.

        Raises:
            UnknownName: if there is no such tariff.
        """
        return Tariff.named(self.tariff)

    def in_phase(self, phase: str, of: tuple[int, int]) -> int:
        """The number of a phase, of one for each.

        Raises:
            HostError: if there is no such phase.
        """
        if phase not in PHASES:
            raise HostError(f"Expected a phase {' or '.join(PHASES)}, got {phase!r}.")
        return of[PHASES.index(phase)]


def _black_2026() -> tuple[HostedTask, ...]:
    base, data = "clipart-realistic", "clipart-tune"
    overfit = "clipart-overfit"
    return (
        HostedTask(
            "overfit-30",
            "A fine-tune that has overfitted, beside its base; most candidates get one answer.",
            (overfit,), data, IMAGE_TO_IMAGE, base, budget=30,
        ),
        HostedTask(
            "overfit-60",
            "A fine-tune that has overfitted, beside its base.",
            (overfit,), data, IMAGE_TO_IMAGE, base,
        ),
        HostedTask(
            "mixed-60",
            "Checkpoints of a fine-tune, early and late; nobody says which a hand is about.",
            (f"{overfit}@40", f"{overfit}@80", overfit), data, IMAGE_TO_IMAGE, base,
        ),
        HostedTask(
            "alone-60",
            "The same fine-tune as a service gives it: no public model beside.",
            (overfit,), data, FULL,
        ),
        HostedTask(
            "population-120",
            "Models of a population, each tuned on pictures of its own; one hand is about one.",
            (), "", IMAGE_TO_IMAGE, base, 120, candidates=10, population="clipart-population",
        ),
        HostedTask(
            "null-60",
            "A control: the model saw none of the candidates, on which nothing is to be found.",
            ("clipart-null",), data, IMAGE_TO_IMAGE, base,
        ),
    )  # fmt: skip


def _services_2026() -> tuple[HostedTask, ...]:
    def task(service: str, about: str, **options: Any) -> HostedTask:
        return HostedTask(
            f"{service}-24", about, ("clipart-overfit",), "clipart-tune", (), None,
            24, candidates=1, slots=2, hands=128, service=service, **options,
        )  # fmt: skip

    return (
        task("prompt-only", "An overfit fine-tune that follows prompts of yours."),
        task("image-to-image", "An overfit fine-tune that varies pictures of yours."),
        task(
            "full",
            "An overfit fine-tune that takes prompts, pictures, masks and seeds; answers are JPEG.",
            jpeg=90,
        ),
        HostedTask(
            "shop-40",
            "The same as it would be sold: cents, a filter that charges, a rate, worse JPEG.",
            ("clipart-overfit",), "clipart-tune", (), None, 40, candidates=1, slots=2, hands=128,
            service="full", jpeg=80, tariff=Tariff(call=1, picture=4, unit="cents"),
            prompt_filter=PromptFilter(FORBIDDEN, charged=True), calls_a_minute=60,
        ),
    )  # fmt: skip


SUITES = {"black-2026": _black_2026(), "services-2026": _services_2026()}
"""Suites by name."""


def suite(name: str) -> tuple[HostedTask, ...]:
    """Finds a suite by its name.

    Raises:
        UnknownName: if there is none.
    """
    if name not in SUITES:
        raise UnknownName("suite", name, SUITES)
    return SUITES[name]


def own_task(
    targets: Sequence[str],
    data: str | None,
    reference: str | None,
    questions: Sequence[str],
    budget: int,
    hands: int,
    service: str = "",
    population: str = "",
) -> HostedTask:
    """A task about models of the operator's own: a menu of questions, or a service.

    Raises:
        HostError: if no data are named, or some beside a population, or the menu asks for other
            than pictures.
    """
    if data is None and not population:
        raise HostError(
            f"Expected {option('data')} beside {option('target')}: pictures with labels, which "
            "stay here."
        )
    about = "Models of this host's own."
    if service:
        return HostedTask(
            "own", about, tuple(targets), data or "", (), reference, budget, candidates=1, slots=1,
            hands=hands, service=service, population=population,
        )  # fmt: skip
    if others := [one for one in questions if one.partition("@")[0] not in PICTURES]:
        raise HostError(
            f"A host answers with pictures only; {', '.join(others)} asks for more. Expected "
            f"{' or '.join(PICTURES)}, the latter with a strength as in variation@0.3."
        )
    return HostedTask(
        "own", about, tuple(targets), data or "", tuple(questions), reference, budget, hands=hands,
        population=population,
    )  # fmt: skip
