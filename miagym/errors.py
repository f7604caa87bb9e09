"""The errors that miagym raises on purpose: what was expected, what came, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class MiagymError(Exception):
    """Any error of ours. The command line prints its message and exits with code 2."""


class AccessDenied(MiagymError):
    """The oracle's access level forbids this question."""


class BudgetExhausted(MiagymError):
    """The budget does not cover this question; nothing was charged and nothing was computed."""


class BudgetError(MiagymError):
    """A budget that can never pay for anything, or is no number of queries."""


class TargetError(MiagymError):
    """A target that cannot be loaded, or cannot answer this kind of question."""


class DataError(MiagymError):
    """Candidates that are missing, unreadable or one-sided."""


class NoCaption(DataError):
    """Candidates without captions, asked about by an attack that needs them."""


class TooFewToLearn(DataError):
    """A calibration part without enough members, or non-members, for an attack to learn from."""


class AttackError(MiagymError):
    """Hyperparameters that make no attack."""


class SettingsError(MiagymError):
    """Options that make no environment; the message names the allowed ones."""


class ActionError(MiagymError):
    """An action outside the action space; nothing was charged."""


class RateLimitExceeded(MiagymError):
    """A visitor of the page has used up an allowance; the message says when there is more."""


class RunError(MiagymError):
    """A run folder that holds something else than the run that was asked for."""


class NotFitted(MiagymError):
    """An attack that has to learn from calibration data was asked for scores before it did."""


class UnknownName(MiagymError):
    """A name that no registry knows; the message suggests the nearest ones."""

    def __init__(self, kind: str, name: str, known: Iterable[str], hint: str = "") -> None:
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.4)
        suggestion = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(names)}."
        super().__init__(f"No {kind} is called {name!r}; {suggestion}{' ' + hint if hint else ''}")
