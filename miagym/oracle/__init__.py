"""The one door to a target: what may be asked, what it costs, and who has been charged.

Attacks import this package and nothing else of miagym.
"""

from miagym.candidates import Candidates
from miagym.errors import (
    AccessDenied,
    AttackError,
    BudgetExhausted,
    DataError,
    MiagymError,
    NoCaption,
    NotFitted,
    TargetError,
    TooFewToLearn,
    UnknownName,
)
from miagym.oracle.access import Access
from miagym.oracle.base import generation_cost, guidance_rows, variation_cost
from miagym.oracle.budget import Budget, Cost, Meter
from miagym.oracle.cache import Cache
from miagym.oracle.oracle import Oracle
from miagym.oracle.white_box import BACKWARD
from miagym.targets.base import FINAL

__all__ = [
    "BACKWARD",
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
    "Meter",
    "MiagymError",
    "NoCaption",
    "NotFitted",
    "Oracle",
    "TargetError",
    "TooFewToLearn",
    "UnknownName",
    "generation_cost",
    "guidance_rows",
    "variation_cost",
]
