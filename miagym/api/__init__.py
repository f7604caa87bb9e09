"""The front door: names and objects in, typed results out. Command line and page call nothing else.

It alone knows the registry of attacks.
"""

from miagym.api.audit import audit
from miagym.api.check import check, make_checker
from miagym.api.evaluate import evaluate, run_config
from miagym.api.names import attacks_of, blind_attacks, loaded_data, loaded_target
from miagym.api.results import AuditReport, Check, Result, ScoreReport
from miagym.api.run import Run
from miagym.api.score import score

__all__ = [
    "AuditReport",
    "Check",
    "Result",
    "Run",
    "ScoreReport",
    "attacks_of",
    "audit",
    "blind_attacks",
    "check",
    "evaluate",
    "loaded_data",
    "loaded_target",
    "make_checker",
    "run_config",
    "score",
]
