"""Gymnasium environments: membership inference under a query budget.

`import miagym` registers `miagym/Single-v0` (one candidate: ask, ask, ..., verdict) and
`miagym/Pool-v0` (n candidates, one budget), `miagym/Service-v0` (own prompts and uploads, a price
list) and `miagym/Audit-v0` (one verdict on a set). `docs/play/environment.md` is the guide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from miagym.envs.audit.grading import grade_audit as grade_audit
    from miagym.envs.bridge import oracle_from_env as oracle_from_env
    from miagym.envs.family.grading import FamilyGrade as FamilyGrade
    from miagym.envs.family.grading import grade_family as grade_family
    from miagym.envs.grading.grade import Grade as Grade
    from miagym.envs.grading.grade import grade as grade
    from miagym.envs.grading.verdicts import Verdicts as Verdicts

ENVIRONMENTS = {
    "miagym/Single-v0": ("miagym.envs.single:SingleEnv", "miagym.envs.single:SingleVectorEnv"),
    "miagym/Pool-v0": ("miagym.envs.pool:PoolEnv", "miagym.envs.pool:PoolVectorEnv"),
}
"""What is registered: the class of one environment, and of many at once."""

SERVICES = {
    "miagym/Service-v0": (
        "miagym.envs.service.env:ServiceEnv",
        "miagym.envs.service.env:ServiceVectorEnv",
    ),
}
"""Black boxes as services have them: own prompts and uploads in the place of a menu."""

AUDITS = {
    "miagym/Audit-v0": ("miagym.envs.audit.env:AuditEnv", "miagym.envs.audit.env:AuditVectorEnv"),
}
"""One verdict on a set, about a target of a family."""

REMOTE = "miagym/Remote-v0"
"""A task of a host, which plays elsewhere."""

_ELSEWHERE = {
    "oracle_from_env": "miagym.envs.bridge",
    "Verdicts": "miagym.envs.grading.verdicts",
    "Grade": "miagym.envs.grading.grade",
    "grade": "miagym.envs.grading.grade",
    "FamilyGrade": "miagym.envs.family.grading",
    "grade_family": "miagym.envs.family.grading",
    "grade_audit": "miagym.envs.audit.grading",
}
"""Imported when asked for, so that `import miagym` needs no torch."""


_REGISTERED = ENVIRONMENTS | SERVICES | AUDITS


def register() -> None:
    """Registers the environments with Gymnasium; `import miagym` sees to it."""
    import gymnasium as gym  # whose import calls this, also in the middle of importing this package

    for name, (entry_point, vector_entry_point) in _REGISTERED.items():
        if name not in gym.registry:
            gym.register(name, entry_point=entry_point, vector_entry_point=vector_entry_point)
    if REMOTE not in gym.registry:  # what it answers depends on a host
        gym.register(REMOTE, entry_point="miagym.remote.env:RemoteEnv", nondeterministic=True)


def __getattr__(name: str) -> object:
    if name not in _ELSEWHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_ELSEWHERE[name]), name)
