"""Options of `gym.make("miagym/Single-v0", ...)` and of pools; `Settings` says what each means."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeGuard

from miagym.data.dataset import Dataset
from miagym.envs.answers.table import AnswerTable
from miagym.errors import BudgetError, SettingsError, UnknownOption

if TYPE_CHECKING:
    from miagym.envs.settings import Settings
    from miagym.targets.base import Target


OR_NONE = ("max_steps", "draws")
"""Whole numbers that need not be there."""


class Options(TypedDict, total=False):
    """Options of one candidate's environment."""

    target: str | Target
    data: str | Dataset | None
    reference: str | Target | None
    reference_noise: str
    access: str
    split: str
    budget: int
    questions: Sequence[str] | None
    steps: int
    guidance_scale: float
    defence: str
    price: float
    noise_seed: int
    draws: int | None
    answers: str | Path | AnswerTable | None
    max_steps: int | None
    device: str
    batch_size: int


class PoolOptions(Options, total=False):
    """Further options of `gym.make("miagym/Pool-v0", ...)`."""

    candidates: int
    slots: int
    family: str | Sequence[str] | None


def check_options(given: Iterable[str], known: type) -> None:
    """Checks that there are such options.

    Args:
        given: names of options.
        known: the typed dictionary that names what there is.

    Raises:
        UnknownOption: naming the first that there is not, as Python does for arguments.
    """
    names = known.__annotations__
    if unknown := sorted(set(given) - names.keys()):
        raise UnknownOption(
            f"This environment got an unexpected keyword argument {unknown[0]!r}; its options are "
            f"{', '.join(names)}."
        )


def check_kinds(settings: Settings) -> None:
    """Checks of which kind the settings are that are no numbers.

    Raises:
        SettingsError: if one is of another.
    """
    kinds = {
        "data": (str | Dataset | None, "a name or a loaded data set"),
        "questions": (Sequence | None, "a list of names"),
        "noise_seed": (Integral, "a whole number"),
        "defence": (str, "a text such as 'jpeg:80'"),
        "answers": (AnswerTable | None, "a table of answers or its file"),
    }
    for name, (kind, expected) in kinds.items():
        if not isinstance(value := getattr(settings, name), kind):
            raise SettingsError(f"Expected {expected} for {name}, got {value!r}.")
    if isinstance(settings.family, Sequence):  # as an option is written, and nothing has read it
        raise SettingsError(
            "Expected a single target here, got family: targets are drawn from one in "
            "miagym/Pool-v0 and miagym/Audit-v0; leave family out."
        )
    for name in ("target", "reference"):
        value = getattr(settings, name)
        if name == "reference" and value is None:
            continue
        if not (isinstance(value, str) or is_target(value)):
            raise SettingsError(f"Expected a name or a loaded target for {name}, got {value!r}.")
    if settings.defence and settings.answers is None:  # a table's was judged when it was made
        from miagym.oracle.defences import Defence

        Defence.named(settings.defence)


def check_whole_numbers(settings: Settings) -> None:
    """Checks that budget, sizes and limits are whole numbers from 1.

    Raises:
        SettingsError: if one is not.
        BudgetError: if it is the budget.
    """
    for name in ("budget", "steps", "candidates", "slots", "batch_size", *OR_NONE):
        value = getattr(settings, name)
        if not (value is None and name in OR_NONE):
            _check_whole(name, value)


def _check_whole(name: str, value: Any) -> None:
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not whole or int(value) < 1:
        hint = " UNet rows: it buys no answer" if name == "budget" and whole else ""
        error = BudgetError if name == "budget" else SettingsError
        raise error(f"Expected a whole number from 1 for {name}, got {value!r}{hint}.")


def is_target(value: object) -> TypeGuard[Target]:
    """Whether it is a loaded target: in a process without torch there is none."""
    if "miagym.targets.base" not in sys.modules:
        return False
    # Imported, which waits where another thread has only begun to import it.
    from miagym.targets.base import Target

    return isinstance(value, Target)
