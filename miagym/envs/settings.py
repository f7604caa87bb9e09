"""Settings of an environment: target, data, access, menu and budget."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

from miagym.data.dataset import Dataset
from miagym.embedded.pairings import check_reference, pairing
from miagym.envs.answers.file import table_of
from miagym.envs.answers.table import AnswerTable
from miagym.envs.grading.played import played_by
from miagym.envs.grading.verdicts import VerdictScope
from miagym.envs.menu import PICTURES, Question, menu
from miagym.envs.options import check_kinds, check_options, check_whole_numbers, is_target
from miagym.envs.statistics import STATISTICS
from miagym.errors import BudgetError, SettingsError
from miagym.oracle.access import Access
from miagym.targets.registry import target_resolution

if TYPE_CHECKING:  # a game that is played from a table needs no torch
    from miagym.envs.family.family import Family
    from miagym.targets.base import Target

TRAIN, VAL, TEST = SPLITS = ("train", "val", "test")
OWN, SHARED, ROWS = "own", "shared", "UNet rows"
LEVELS = (Access.BLACK, Access.GREY, Access.WHITE)


@dataclass(frozen=True, eq=False)
class Settings:
    """Settings that are fixed when an environment is made. Names are loaded at the first reset.

    Raises:
        SettingsError: if a value is none of those allowed.
        BudgetError: if the budget does not buy a single answer.
        UnknownName: if there is no such target, data set or question.
    """

    target: str | Target = "clipart-overfit"
    """Who is asked: an embedded target, a folder, a hub id, or a loaded target."""
    data: str | Dataset | None = None
    """About whom: a data set's name, or a loaded one; by default what the target goes with."""
    reference: str | Target | None = None
    """A public model that is asked the same beside, for nothing; it doubles the statistics."""
    reference_noise: str = OWN
    """Of the reference's pictures: "own", since no service tells its noise, or "shared". What an
    agent noises itself, as for losses, is the same for both."""
    access: str = "black"
    """What may be asked: "black", "grey" or "white"."""
    split: str = TRAIN
    """Which candidates: "train", "val", or "test", where nothing tells the label."""
    budget: int = 30
    """What an episode may spend, in UNet rows; a backward row counts as two."""
    questions: Sequence[str] | None = None
    """The menu, as in `menu.menu`; by default all that the access level allows."""
    steps: int = 10
    """DDIM steps of a whole text to image; a variation runs its share."""
    guidance_scale: float = 1.0
    """Classifier-free guidance of pictures; 1 is off, anything else doubles their cost."""
    family: Family | None = None
    """Targets, of which one is drawn at each reset; `target` is then the first of them."""
    defence: str = ""
    """What is done to pictures, also the reference's, such as "jpeg:80+resize:0.75"."""
    candidates: int = 1
    """Candidates in an episode."""
    slots: int = 1
    """Questions in a step."""
    price: float = 0.1
    """What spending the whole budget takes off the return."""
    noise_seed: int = 0
    """Of the oracle's noise."""
    draws: int | None = None
    """Noises that a question about a candidate has, which come round again after so many answers;
    by default more than anybody asks. An episode begins at any of them."""
    answers: AnswerTable | None = None
    """Answers in the place of target and reference, which then need not be there."""
    max_steps: int | None = None
    """Steps until an episode without a verdict is cut off; by default one more than the budget."""
    device: str = "auto"
    """Where targets loaded by name are put."""
    batch_size: int = 64
    """Rows in one call of the target."""
    hands: ClassVar[bool] = False
    """Whether a verdict is one on all candidates of an episode."""

    @classmethod
    def of(cls, options: Mapping[str, Any], known: type, **defaults: Any) -> Self:
        """Settings from an environment's options.

        Args:
            options: what `gym.make` was given.
            known: the typed dictionary that names what there is.
            **defaults: of options that have other defaults there.

        Raises:
            UnknownOption: if there is an option that no setting bears.
        """
        check_options(options, known)
        merged: dict[str, Any] = {**defaults, **options}
        if merged.get("answers") is not None:
            table = table_of(merged["answers"])
            merged = {**table.options, **merged, "answers": table}
        return cls(**merged)

    def __post_init__(self) -> None:
        check_kinds(self)
        if self.access not in map(str, LEVELS):
            raise SettingsError(
                f"Expected access {_either(map(str, LEVELS))}, got {self.access!r}."
            )
        if self.split not in SPLITS:
            raise SettingsError(f"Expected split {_either(SPLITS)}, got {self.split!r}.")
        if self.reference_noise not in (OWN, SHARED):
            raise SettingsError(
                f"Expected reference_noise {OWN!r} or {SHARED!r}, got {self.reference_noise!r}."
            )
        check_whole_numbers(self)
        for name in ("price", "guidance_scale"):
            value = getattr(self, name)
            if not isinstance(value, Real) or not 0 <= float(value) < float("inf"):
                raise SettingsError(f"Expected a {name} of 0 or more, got {value!r}.")
        if is_target(self.target):
            self.check_gradients(self.target)
        cheapest = min(self.menu, key=lambda question: question.price)
        if cheapest.price > self.budget:
            raise BudgetError(
                f"A budget of {self.budget} {self.unit} buys no answer: the cheapest question, "
                f"{cheapest.name}, costs {cheapest.price}. Raise the budget."
            )
        _ = self.resolution, self.data_name  # refuses bad names now
        if self.answers is not None:
            self.answers.check_fits(self)
        if isinstance(self.reference, str):
            for one in self.family.targets if self.family else (_name(self.target),):
                check_reference(self.reference, one, self.about["data"])

    def check_gradients(self, target: Target) -> None:
        """Refuses white access to a target that cannot serve it.

        Raises:
            SettingsError: naming the levels that it can.
        """
        if self.level == Access.WHITE and not target.has_gradients:
            raise SettingsError(
                f"{target.name} gives no gradients, so it cannot be asked with white access; "
                f"expected access {_either(map(str, LEVELS[:-1]))}."
            )

    @cached_property
    def level(self) -> Access:
        return Access[self.access.upper()]

    @cached_property
    def menu(self) -> tuple[Question, ...]:
        """The questions that an action can name."""
        return menu(self.questions, self.level, self.steps, self.guidance_scale)

    @property
    def unit(self) -> str:
        """What budgets and prices are counted in."""
        return ROWS

    @cached_property
    def resolution(self) -> int:
        """Side of the pictures in pixels."""
        if self.answers is not None:
            return self.answers.record.size
        if is_target(self.target):
            return self.target.resolution
        assert isinstance(self.target, str)
        return target_resolution(self.target)

    @cached_property
    def data_name(self) -> str | Dataset:
        if self.data is not None:
            return self.data
        pair = pairing(self.target) if isinstance(self.target, str) else None
        if pair is None:
            raise SettingsError(
                f"No data set belongs to the target {_name(self.target)}; name the pictures it is "
                "asked about with data=."
            )
        return pair.data

    @property
    def about(self) -> VerdictScope:
        """What verdicts are about, and under which rules they are given."""
        data, by_name = self.data_name, isinstance(self.data_name, str)
        return VerdictScope(
            data=data.name if isinstance(data, Dataset) else data,
            split=self.split,
            size=self.resolution,
            by_name=by_name,
            family=None if self.family is None else self.family.given,
            hands=self.hands,
            played=played_by(self),
        )

    @property
    def subject(self) -> str:
        """Name of the target, or of the family."""
        return _name(self.target) if self.family is None else self.family.name

    @property
    def terms(self) -> list[str]:
        """Rules that no other setting tells, in words."""
        terms = [f"pictures by {self.defence}"] if self.defence else []
        return terms if self.draws is None else [*terms, f"{self.draws} draws of noise"]

    @property
    def answer_side(self) -> int:
        """Side of the pictures that answer in pixels; 0 where there are none."""
        without = self.answers is not None and not self.answers.record.pictures
        asks = any(one.kind in PICTURES for one in self.menu)
        return self.resolution if asks and not without else 0

    @property
    def statistics(self) -> int:
        """Number of statistics that an answer comes with."""
        return len(STATISTICS) * (1 if self.reference is None else 2)

    @property
    def step_limit(self) -> int:
        return self.budget + 1 if self.max_steps is None else self.max_steps

    @property
    def max_answers(self) -> int:
        """Largest number of answers that the budget buys."""
        return self.budget // min(question.price for question in self.menu)


def _name(target: str | Target) -> str:
    return target if isinstance(target, str) else target.name


def _either(values: Iterable[object]) -> str:
    *first, last = (repr(value) for value in values)
    return f"{', '.join(first)} or {last}" if first else last
