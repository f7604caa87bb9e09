"""Serving a hosted game until it is stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import uvicorn

from miagym.hosting.host import Host
from miagym.hosting.records.ledger import Ledger
from miagym.hosting.server import make_app
from miagym.hosting.suite import HostedTask


def serve_forever(
    tasks: Sequence[HostedTask],
    db: Path,
    phase: str,
    address: str,
    port: int,
    ready: Callable[[], None],
) -> None:
    """Serves tasks until it is stopped; the ledger goes on from where it was.

    Args:
        tasks: what is played.
        db: the ledger's file.
        phase: "dev" or "final".
        address: to listen on.
        port: to listen on.
        ready: is called once models are loaded and checked.

    Raises:
        HostError: if the ledger is none, or was begun with other models.
        MiagymError: if a task makes no game.
    """
    ledger = Ledger(db)
    app = make_app(Host(tasks, ledger, phase))
    ready()
    uvicorn.run(app, host=address, port=port, log_level="warning", server_header=False)
