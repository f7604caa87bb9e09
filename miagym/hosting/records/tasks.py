"""Tasks as a ledger keeps them: what is served from it once is served by the same rules again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from miagym.envs.service.prompt_filter import PromptFilter
from miagym.envs.service.tariff import Tariff
from miagym.errors import HostError, UnknownName
from miagym.hosting.records.ledger import Ledger
from miagym.hosting.suite import HostedTask

OF_TASK = "task "
"""How the name of a fact about a task begins."""
DIGEST = "digest"
"""Of the task's data, beside its own fields."""


def keep_task(ledger: Ledger, task: HostedTask, data: str) -> None:
    """Writes down what a task is; players who began under its rules end under them.

    Args:
        ledger: who keeps it.
        task: what is served.
        data: digest of its pictures, labels and split.

    Raises:
        HostError: if the ledger began with other rules, or with other data.
    """
    text = ledger.fact(OF_TASK + task.name, json.dumps({**asdict(task), DIGEST: data}))
    kept = _task(text)
    names = [one.name for one in fields(task) if one.name != "about"]
    differ = [name for name in names if getattr(kept, name) != getattr(task, name)]
    if json.loads(text)[DIGEST] != data:
        differ.append("what the data hold")
    if differ:
        raise HostError(
            f"{ledger.path} began with another task {task.name} (they differ in "
            f"{' and '.join(differ)}), and what was played would not fit; serve it as it was, or "
            "start a new ledger."
        )


def find_task(ledger: Ledger, name: str, suite: Sequence[HostedTask]) -> HostedTask:
    """The task of this name that was served from a ledger, or else the suite's.

    Raises:
        UnknownName: if there is none.
    """
    served = (_task(text) for text in ledger.facts(OF_TASK))
    known = {task.name: task for task in (*suite, *served)}
    if name not in known:
        raise UnknownName("task", name, known)
    return known[name]


def _task(text: str) -> HostedTask:
    """The task that a fact tells of."""
    content: dict[str, Any] = json.loads(text)
    del content[DIGEST]
    for name, value in content.items():
        content[name] = tuple(value) if isinstance(value, list) else value
    if isinstance(content["tariff"], dict):
        content["tariff"] = Tariff(**content["tariff"])
    if content["prompt_filter"] is not None:
        content["prompt_filter"] = PromptFilter(**content["prompt_filter"])
    return HostedTask(**content)
