"""A real server on 127.0.0.1 with a small task about the embedded target."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from miagym.hosting.host import Host
from miagym.hosting.records.keys import add_player
from miagym.hosting.records.ledger import Ledger
from miagym.hosting.server import make_app
from miagym.hosting.suite import HostedTask

TASK = HostedTask(
    "small",
    "A small task.",
    ("clipart-overfit",),
    "clipart-tune",
    ("variation@0.3",),
    "clipart-realistic",
    budget=9,
    candidates=4,
    slots=2,
    hands=3,
    walks=(2, 1),
    submissions_a_day=(2, 1),
)


@dataclass(frozen=True)
class Hosted:
    """A server, and whoever runs it."""

    address: str
    app: FastAPI
    host: Host
    ledger: Ledger

    def key(self, name: str) -> str:
        return add_player(self.ledger, name)


@contextmanager
def serving(path: Path, *tasks: HostedTask, phase: str = "dev") -> Iterator[Hosted]:
    ledger = Ledger(path)
    host = Host(tasks or (TASK,), ledger, phase)
    app = make_app(host)
    config = uvicorn.Config(app, port=0, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "it could not start"
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Hosted(f"http://127.0.0.1:{port}", app, host, ledger)
    finally:
        server.should_exit = True
        thread.join()
        ledger.close()
