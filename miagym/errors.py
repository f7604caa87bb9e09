"""The errors that miagym raises on purpose: what was expected, what came, what to do.

All are a `MiagymError`, whose message is for the user. By what has to be mended:

- the question: `AccessDenied`, `BudgetExhausted`, `BudgetError`, `ActionError`, `RateLimitExceeded`
- a name or an option: `UnknownName`, `SettingsError`, `AttackError`
- the target: `TargetError`, and of these `MemoryRanOut`
- the data: `DataError`, and of these `NoCaption` and `TooFewToLearn`
- a run: `RunError`, `NotFitted`
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from numbers import Integral
from typing import Any

_COMMAND_LINES: list[object] = []
"""Command lines that are at work in this process, in whatever thread: none, or one."""


@contextmanager
def on_the_command_line() -> Iterator[None]:
    """Errors speak of options, and not of Python's keywords."""
    _COMMAND_LINES.append(None)
    try:
        yield
    finally:
        _COMMAND_LINES.pop()


def told(command_line: str, python: str) -> str:
    """Advice as the caller can follow it."""
    return command_line if _COMMAND_LINES else python


def option(name: str, value: object = None, *, python: str | None = None) -> str:
    """An option in an error: `--out` on the command line, `out=` in Python.

    Args:
        name: the keyword; the option is spelled with hyphens.
        value: what to give.
        python: where the keyword is called otherwise.
    """
    flag = f"--{name.replace('_', '-')}"
    if value is None:
        return told(flag, python or f"{name}=...")
    return told(f"{flag} {value}", f"{python or f'{name}='}{value!r}")


class MiagymError(Exception):
    """Base of all errors of miagym; the command line prints its message and exits with code 2."""


class AccessDenied(MiagymError):
    """Raised for a question that the oracle's access level forbids; nothing was charged."""


class BudgetExhausted(MiagymError):
    """Raised for a question that the budget does not cover; nothing was charged or computed."""


class BudgetError(MiagymError):
    """Raised for a budget that can never pay for anything, or is no number of queries."""


class TargetError(MiagymError):
    """Raised for a target that cannot be loaded, or cannot answer this kind of question."""


class MemoryRanOut(TargetError):
    """Raised where a device has not enough memory for a target's answer to a single row."""


class DataError(MiagymError):
    """Raised for candidates that are missing, unreadable or one-sided."""


class NoCaption(DataError):
    """Raised for candidates without captions by an attack that needs them."""


class TooFewToLearn(DataError):
    """Raised for too few members, or non-members, for an attack to learn from."""


class AttackError(MiagymError):
    """Raised for hyperparameters that make no attack."""


class SettingsError(MiagymError):
    """Raised for options outside the allowed ones, which the message names."""


class UnknownOption(SettingsError, TypeError):
    """Raised for an option that there is not; a TypeError as well, as Python's own would be."""


class ActionError(MiagymError):
    """Raised for an action outside the action space; nothing was charged."""


class RateLimitExceeded(MiagymError):
    """Raised once a visitor of the page has used up an allowance; it says when there is more."""


class RunError(MiagymError):
    """Raised for a run folder with another run in it, or for a run that cannot be made."""


class TooFewShadows(TargetError):
    """Raised where fewer shadow models are there than a method needs."""


class NotFitted(MiagymError):
    """Raised by an attack that is asked for scores before it was fitted to calibration data."""


class FittedElsewhere(MiagymError):
    """Raised by an attack that was fitted to a model that answers in another shape."""


class UnknownName(MiagymError):
    """Raised for a name that no registry knows; the message suggests the nearest ones."""

    def __init__(self, kind: str, name: str, known: Iterable[str], hint: str = "") -> None:
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.4)
        suggestion = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(names)}."
        super().__init__(f"No {kind} is called {name!r}; {suggestion}{' ' + hint if hint else ''}")


class HostError(MiagymError):
    """Raised by a hosted game: a ledger, key, request or submission that is not as it should be.

    Args:
        message: what players may read; it names nothing that they are not told anyway.
        status: HTTP's number for it.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class TooManyRequests(HostError):
    """Raised where a player asks a host too often.

    Args:
        message: what the player may read.
        seconds: until there is room for one more.
    """

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message, 429)
        self.seconds = seconds


def check_whole(least: int, **numbers: Any) -> None:
    """Refuses what is no whole number, or too small a one; None is none that was given.

    Args:
        least: the smallest that there may be.
        numbers: by name.

    Raises:
        SettingsError: naming the first.
    """
    for name, number in numbers.items():
        is_whole = isinstance(number, Integral) and not isinstance(number, bool)
        if number is not None and not (is_whole and int(number) >= least):
            given = told(f"{option(name)} {number}", f"{name}={number!r}")
            raise SettingsError(f"Expected a whole number from {least} on, got {given}.")
