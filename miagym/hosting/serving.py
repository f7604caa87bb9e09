"""Serving a hosted game until it is stopped."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from importlib.util import find_spec
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from miagym.errors import HostError, option
from miagym.hosting.host import Host
from miagym.hosting.limits import MAX_BYTES
from miagym.hosting.records.ledger import Ledger
from miagym.hosting.server import make_app
from miagym.hosting.suite import HostedTask

TURN_SECONDS = 0.0005
"""After which the thread that computes lets others have a turn. Python's own 5 ms are waited for at
each step of a request that touches the disk, and it touches it some ten times."""


def serve_forever(
    tasks: Sequence[HostedTask],
    db: Path,
    phase: str,
    address: str,
    port: int,
    ready: Callable[[], None],
    openenv: bool = False,
    open_board: bool = False,
) -> None:
    """Serves tasks until it is stopped; the ledger goes on from where it was.

    Args:
        tasks: what is played.
        db: the ledger's file.
        phase: "dev" or "final".
        address: to listen on.
        port: to listen on.
        ready: is called once models are loaded and checked.
        openenv: whether to speak OpenEnv's protocol, too, over WebSockets.
        open_board: whether to show the leaderboard of `final`, too.

    Raises:
        HostError: if the address is taken, the ledger is none, or was begun with other models, or
            nothing here speaks WebSockets.
        MiagymError: if a task makes no game.
    """
    if openenv and find_spec("websockets") is None:
        raise HostError('OpenEnv is spoken over WebSockets: pip install "miagym[openenv]".')
    with closing(bound(address, port)) as door:
        app = make_app(Host(tasks, Ledger(db), phase), openenv, open_board)
        ready()
        serve(app, door)


def bound(address: str, port: int) -> socket.socket:
    """A socket of this address, taken before models are loaded; nobody is let in yet.

    Raises:
        HostError: if it cannot be had.
    """
    door = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    try:
        if sys.platform != "win32":  # there it would let two servers have one port
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((address, port))
    except OSError as error:
        door.close()
        raise HostError(
            f"Nothing can be served at {address}:{port} ({error.strerror or error}); choose "
            f"another {option('port')} or {option('address')}."
        ) from error
    return door


def serve(app: FastAPI, door: socket.socket) -> None:
    """Serves an application while models compute in threads beside it."""
    sys.setswitchinterval(TURN_SECONDS)
    config = uvicorn.Config(app, log_level="warning", server_header=False, ws_max_size=MAX_BYTES)
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[door])
