"""OpenEnv face of one hosted task, in production mode: a WebSocket, and what describes it.

It speaks the protocol of OpenEnv 0.10 and needs none of its code: there a connection is a fresh
environment with a fresh budget, and nobody is asked for a key.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from starlette.concurrency import run_in_threadpool

from miagym import __version__
from miagym.envs.service.rate_limit import Bucket
from miagym.errors import HostError, TooManyRequests
from miagym.hosting.doors import admitted
from miagym.hosting.host import Host
from miagym.hosting.limits import MAX_BYTES, TOGETHER, Together
from miagym.hosting.openenv.schemas import schemas
from miagym.hosting.openenv.session import Code, Session, failed
from miagym.hosting.suite import HostedTask

NO_TOOLS = -32601
"""JSON-RPC's code of a method that there is not."""
FULL = f"{TOGETHER} connections with this key are open; close one."


def make_face(host: Host, task: HostedTask, bucket: Bucket, told: dict[str, Any]) -> FastAPI:
    """The application that is mounted at `/openenv/{task}`.

    Args:
        host: whose task it is.
        task: which.
        bucket: that counts the requests of all faces.
        told: of the task, as players are told.
    """
    face = FastAPI(title=f"miagym {task.name}", version=__version__, docs_url=None, redoc_url=None)
    described, opened = schemas(told), Together(FULL)

    @face.get("/health")
    def health() -> dict[str, str]:
        """Whether the server is up."""
        return {"status": "healthy"}

    @face.get("/metadata")
    def metadata() -> dict[str, str]:
        """Name and description of the task."""
        return {"name": task.name, "description": task.about, "version": __version__}

    @face.get("/schema")
    def schema() -> dict[str, Any]:
        """JSON schemas of actions, observations and state."""
        return described

    @face.post("/mcp")
    def mcp() -> dict[str, Any]:
        """Says that there are no tools."""
        error = {"code": NO_TOOLS, "message": "There are no tools here; play over /ws."}
        return {"jsonrpc": "2.0", "id": None, "error": error}

    @face.websocket("/ws")
    async def play(socket: WebSocket) -> None:
        await socket.accept()
        headers, address = socket.headers, socket.client.host if socket.client else ""

        def who() -> str:
            key, bearer = headers.get("x-api-key"), headers.get("authorization")
            return admitted(host.ledger, bucket, key, bearer, address)

        try:
            player = await run_in_threadpool(who)
        except HostError as error:
            await socket.send_json(failed(str(error), Code.SESSION_ERROR))
            await socket.close()
            return
        try:
            with opened.one_more(player):
                await _converse(socket, Session(host, task.name, who))
        except TooManyRequests as error:
            await socket.send_json(failed(str(error), Code.CAPACITY_REACHED))
            await socket.close()

    return face


async def _converse(socket: WebSocket, session: Session) -> None:
    """Answers message after message, until either side ends it."""
    try:
        while True:
            received = await socket.receive()
            if received["type"] == "websocket.disconnect":
                return
            raw = received.get("text")
            if raw is None or len(raw) > MAX_BYTES:
                said = f"Expected a text of up to {MAX_BYTES:,} bytes."
                await socket.send_json(failed(said, Code.SESSION_ERROR))
                break
            reply = await run_in_threadpool(session.reply, raw)
            if reply is None:
                break
            await socket.send_json(reply)
        await socket.close()
    except WebSocketDisconnect:
        return
