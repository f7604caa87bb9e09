"""The oracle: what may be asked of a target, what it costs, and who has been charged.

Attacks import this package and nothing else of miagym. What needs numpy or torch is imported when
it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from miagym.errors import (
    AccessDenied,
    AttackError,
    BudgetExhausted,
    DataError,
    FittedElsewhere,
    MiagymError,
    NoCaption,
    NotFitted,
    TargetError,
    TooFewShadows,
    TooFewToLearn,
    UnknownName,
)
from miagym.oracle.access import Access

if TYPE_CHECKING:
    from miagym.candidates import Candidates
    from miagym.oracle.budget import Budget, Cost, Meter
    from miagym.oracle.cache import Cache
    from miagym.oracle.dry_run import check_cost, check_repr, metered_cost
    from miagym.oracle.oracle import FINAL, Oracle
    from miagym.oracle.shadows import Shadows

__all__ = [
    "FINAL",
    "Access",
    "AccessDenied",
    "AttackError",
    "Budget",
    "BudgetExhausted",
    "Cache",
    "Candidates",
    "Cost",
    "DataError",
    "FittedElsewhere",
    "Meter",
    "MiagymError",
    "NoCaption",
    "NotFitted",
    "Oracle",
    "Shadows",
    "TargetError",
    "TooFewShadows",
    "TooFewToLearn",
    "UnknownName",
    "check_cost",
    "check_repr",
    "metered_cost",
]

_LAZY = {
    "miagym.candidates": ("Candidates",),
    "miagym.oracle.budget": ("Budget", "Cost", "Meter"),
    "miagym.oracle.cache": ("Cache",),
    "miagym.oracle.dry_run": ("check_cost", "check_repr", "metered_cost"),
    "miagym.oracle.oracle": ("FINAL", "Oracle"),
    "miagym.oracle.shadows": ("Shadows",),
}


def __getattr__(name: str) -> object:
    for module, names in _LAZY.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
