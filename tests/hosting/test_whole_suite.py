"""A whole suite over HTTP, by a process with neither torch nor the package's models and pictures,
against the same agent in the process that has both."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from miagym.envs.pool import PoolSpaces
from miagym.hosting.board import board, standings
from miagym.hosting.host import Host
from miagym.hosting.records.ledger import Ledger
from miagym.hosting.suite import HostedTask, suite
from tests.hosting.serving import TASK, serving

AGENT = """
import numpy as np

def act(seen):
    \"\"\"Asks about whoever was asked least, while it can pay; then judges by what came.\"\"\"
    n, slots = len(seen["candidates"]), len(seen["answered"])
    told = seen["summary"].max(1)
    said = 1 / (1 + np.exp(-told @ np.cos(np.arange(told.shape[1]))))
    whom = np.argsort(seen["count"].sum(1), kind="stable")[:slots]
    ended = not seen["affordable"][0]
    whom = np.full(slots, n) if ended else np.resize(whom, slots)
    return {
        "candidate": whom, "question": np.zeros(slots, int), "probability": said,
        "stop": int(ended),
    }
"""
OUTSIDE = """
import sys
sys.modules["torch"] = sys.modules["diffusers"] = sys.modules["transformers"] = None

def watched(event, arguments):
    if event == "open" and "/miagym/assets/" in str(arguments[0]).replace("\\\\", "/"):
        raise PermissionError(arguments[0])

sys.addaudithook(watched)
import miagym

address, key, names = sys.argv[1:]
for name in names.split(","):
    env = miagym.RemoteEnv(address, key, name)
    for hand in range(int(env.client.task(name)["hands"])):
        seen, _ = env.reset()
        ended = False
        while not ended:
            seen, _, ended, cut, _ = env.step(act(seen))
            ended = ended or cut
print("played")
"""
SECRET = "0" * 64
"""So that both sides are dealt alike."""


def inside(host: Host, name: str) -> dict[str, float]:
    """What the same agent says in this process, in the game itself."""
    scope: dict[str, Any] = {}
    exec(AGENT, scope)
    table = host.table("agent", name)
    for seat in table.seats:
        rules, row = PoolSpaces(seat.game.settings), np.array([seat.row])
        while not seat.is_over:
            seen = {part: each[0] for part, each in rules.observe(seat.game, row).items()}
            action = {part: [value] for part, value in scope["act"](seen).items()}
            seat.game.play(row, rules.moves(rules.check(action, 1)))
    return table.verdicts()


def ledger(path: Path) -> Path:
    with Ledger(path) as made:
        assert made.fact("secret", SECRET) == SECRET
    return path


@pytest.mark.parametrize(
    "tasks",
    [
        pytest.param(
            (replace(TASK, candidates=2), replace(TASK, name="other", budget=18)),
            id="small",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            suite("black-2026"), id="black-2026", marks=[pytest.mark.slow, pytest.mark.long]
        ),
    ],
)
def test_it_gets_the_grade_that_it_gets_in_process(
    tasks: tuple[HostedTask, ...], tmp_path: Path
) -> None:
    with serving(ledger(tmp_path / "served"), *tasks) as hosted:
        names = ",".join(task.name for task in tasks)
        command = [
            sys.executable,
            "-c",
            AGENT + OUTSIDE,
            hosted.address,
            hosted.key("agent"),
            names,
        ]
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
        assert done.stdout == "played\n", done.stderr
        with Ledger(ledger(tmp_path / "inside")) as own:
            host = Host(tasks, own)
            for task in tasks:
                said = inside(host, task.name)
                (sent,) = hosted.host.desk(task.name).last()
                assert sent.scores == said and len(set(said.values())) > 2
                labels = host.deck(task.name).deal.labels(64)
                (graded,) = standings({"agent": labels.ordered(said)}, labels, {}, {})
                row = next(r for r in board(hosted.host, task.name) if r.player == "agent")
                assert (row.auc, row.auc_ci, row.tpr) == (graded.auc, graded.auc_ci, graded.tpr)
                assert row.brier_reward_ci == graded.brier_reward_ci
