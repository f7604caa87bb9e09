"""REST face of a hosted game, whose sentences name nothing but what the player knows."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from miagym import __version__
from miagym.envs.service.rate_limit import Bucket
from miagym.errors import HostError, MiagymError, TooManyRequests
from miagym.hosting.board import Boards
from miagym.hosting.doors import BROKEN, admitted
from miagym.hosting.host import Host
from miagym.hosting.limits import A_SECOND, AT_ONCE, MAX_BYTES, BodyLimit
from miagym.hosting.messages import Call, Query, Reset, Step, described
from miagym.hosting.openenv.face import make_face
from miagym.hosting.suite import HostedTask

NOT_THERE = "There is nothing here; GET /docs lists what there is."
UNREADABLE = "Expected a body of JSON."


def player(
    request: Request,
    x_api_key: Annotated[str | None, Header()] = None,
    authorization: Annotated[str | None, Header()] = None,
) -> str:
    """Name of the player whose key a request bears.

    Raises:
        HostError: if it bears none, or one that opens nothing.
        TooManyRequests: if it asks too often.
    """
    state, address = request.app.state, request.client.host if request.client else ""
    return admitted(state.host.ledger, state.bucket, x_api_key, authorization, address)


Player = Annotated[str, Depends(player)]


def make_app(host: Host, openenv: bool = False, open_board: bool = False) -> FastAPI:
    """The server's application.

    Args:
        host: whose tasks are played.
        openenv: whether they are played through OpenEnv's protocol, too.
        open_board: whether the leaderboard of `final` is shown, too.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        """However the server is told to stop, the ledger's one file then holds everything."""
        yield
        await run_in_threadpool(host.ledger.merge)

    app = FastAPI(title="miagym host", version=__version__, redoc_url=None, lifespan=lifespan)
    app.state.host, app.state.bucket = host, Bucket(A_SECOND, AT_ONCE)
    boards = Boards(host, open_board)
    # Else the rest of the body would be read, and thrown away, for as long as somebody sends it.
    hang_up = {"Connection": "close"}
    too_large = _sentence(413, f"Expected a body of up to {MAX_BYTES:,} bytes.", **hang_up)
    app.add_middleware(BodyLimit, refuse=too_large)
    _say_errors(app)

    @app.get("/health")
    def health() -> dict[str, str]:
        """Whether the server is up, its version and its phase."""
        return {"status": "ok", "version": __version__, "phase": host.phase}

    @app.get("/tasks")
    def tasks() -> list[dict[str, Any]]:
        """What is played here."""
        return [_told(host, task) for task in host.tasks.values()]

    @app.get("/tasks/{task}")
    def one_task(task: str) -> dict[str, Any]:
        """One task, with the sizes of its spaces."""
        return _told(host, host.task(task))

    @app.get("/tasks/{task}/candidates")
    def candidates(task: str, who: Player) -> list[dict[str, Any]]:
        """Candidates of the player's walk, hand by hand; pictures are PNG in base64."""
        return host.table(who, task).candidates

    @app.post("/tasks/{task}/query")
    def query(task: str, message: Query, who: Player) -> dict[str, Any]:
        """Asks about any candidates of the walk; each question is charged to its hand."""
        return host.play(who, task, message)

    @app.post("/tasks/{task}/call")
    def call(task: str, message: Call, who: Player) -> dict[str, Any]:
        """Calls a service about a candidate of the walk; pictures are PNG in base64."""
        return host.play(who, task, message)

    @app.post("/tasks/{task}/reset")
    def reset(task: str, message: Reset, who: Player) -> dict[str, Any]:
        """Begins the next hand, as `miagym.RemoteEnv` does."""
        return host.play(who, task, message)

    @app.post("/tasks/{task}/step")
    def step(task: str, message: Step, who: Player) -> dict[str, Any]:
        """Plays an action of the environment."""
        return host.play(who, task, message)

    @app.post("/submit/{task}")
    async def submit(task: str, request: Request, who: Player) -> dict[str, int]:
        """Takes `ids,score` lines as the body, one for each candidate of the walk."""
        text = (await request.body()).decode("utf-8-sig", errors="replace")
        return {"submission": await run_in_threadpool(host.submit, who, task, text)}

    @app.get("/submissions/{number}")
    def submission(number: int, who: Player) -> dict[str, Any]:
        """A submission of one's own: when it came, and whether it is the one that counts."""
        for name in host.tasks:
            mine = host.desk(name).receipts(who)
            for one in mine:
                if one.number == number:
                    counts = one == mine[-1]
                    return {"task": name, "kind": one.kind, "at": one.at, "counts": counts}
        raise HostError("There is no such submission of yours.", 404)

    @app.get("/leaderboard/{task}")
    def leaderboard(task: str) -> list[dict[str, Any]]:
        """Standings with intervals; equal ranks are not told apart. Of `final`, once it is open."""
        return boards.rows(task)

    if openenv:
        for one in host.tasks.values():
            face = make_face(host, one, app.state.bucket, _told(host, one))
            app.mount(f"/openenv/{one.name}", face)
    return app


def _told(host: Host, task: HostedTask) -> dict[str, Any]:
    return described(task, host.phase, host.deck(task.name).settings)


def _sentence(status: int, message: str, **headers: str) -> JSONResponse:
    message = message.encode("utf-8", "backslashreplace").decode("utf-8")  # it may quote anything
    return JSONResponse({"error": message}, status, headers)


def _say_errors(app: FastAPI) -> None:
    """Has every error said in one sentence, and in no case how the server is made."""

    def handle(kind: type[Exception], reply: Callable[[Any], Response]) -> None:
        async def handler(request: Request, error: Exception) -> Response:
            return reply(error)

        app.add_exception_handler(kind, handler)

    handle(HostError, lambda error: _sentence(error.status, str(error)))
    handle(MiagymError, lambda error: _sentence(400, str(error)))
    handle(RequestValidationError, lambda error: _sentence(422, _what_is_wrong(error)))
    handle(HTTPException, _no_route)
    handle(TooManyRequests, _too_many)
    handle(Exception, lambda error: _sentence(500, BROKEN))


def _no_route(error: HTTPException) -> Response:
    return _sentence(error.status_code, UNREADABLE if error.status_code == 400 else NOT_THERE)


def _too_many(error: TooManyRequests) -> Response:
    seconds = str(math.ceil(error.seconds))
    return _sentence(error.status, str(error), **{"Retry-After": seconds})


def _what_is_wrong(error: RequestValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:]) or "the body"
    return f"{where[:80]}: {first['msg']}."
