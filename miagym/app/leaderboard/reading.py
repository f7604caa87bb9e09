"""Reads a host's tasks and standings, which it does not trust: neither in time, size nor content.

It is not `miagym.remote.HostClient`, which waits minutes and tries again, as a player wants it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from urllib.parse import quote

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from miagym.errors import HostError

if TYPE_CHECKING:
    import httpx2

SECONDS = 6.0
"""For all that is asked at once, however slowly it arrives."""
MAX_BYTES = 1_000_000
MAX_TASKS, MAX_ROWS = 100, 2_000
NOBODY = "The host does not answer now; press Refresh to ask again."
LATE = (
    f"The host did not answer within {SECONDS:g} seconds. It measures anew after a submission; "
    "press Refresh in a moment."
)
CLOSED = "The leaderboard of this phase is closed; it is shown once whoever runs the host opens it."
NONSENSE = "What answers is no miagym host, or one of another version; tell whoever runs this page."


def _printable(text: str) -> str:
    """Without signs that hide others or turn the direction of reading."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


Name = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_printable)]
Share = Annotated[float, Field(ge=0, le=1)]
Shares = tuple[Share, Share]
Count = Annotated[int, Field(ge=0, le=10**15)]


class Told(BaseModel):
    """Part of a reply; what a host of another version says beside it is passed over."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class Task(Told):
    """A task, as the tab offers it."""

    task: Annotated[str, Field(min_length=1, max_length=64)]
    about: Annotated[str, Field(max_length=1_000), AfterValidator(_printable)] = ""
    phase: Name


class Row(Told):
    """A row of a leaderboard, as `miagym.hosting.board.Standing` sends it."""

    rank: Count
    player: Name
    is_blind: bool
    auc: Share
    auc_ci: Shares
    tpr: Share | None
    tpr_ci: Shares | None
    brier_reward: float | None
    brier_reward_ci: tuple[float, float] | None
    intervals_over: Name = "pictures"
    spent: Count
    submissions: Count


@dataclass(frozen=True)
class Board:
    """The standings of one task, among all that are played there."""

    tasks: tuple[Task, ...]
    task: Task
    rows: tuple[Row, ...]


TASKS = TypeAdapter(Annotated[list[Task], Field(min_length=1, max_length=MAX_TASKS)])
ROWS = TypeAdapter(Annotated[list[Row], Field(max_length=MAX_ROWS)])
T = TypeVar("T")


async def read_board(address: str, asked: Any = None, seconds: float = SECONDS) -> Board:
    """The standings of a task; of the first one if the host has none of that name.

    Args:
        address: of the host.
        asked: what a visitor chose, or sent.
        seconds: after which it is given up.

    Raises:
        HostError: with a sentence for visitors, which never says where the host is.
    """
    import httpx2

    try:
        async with httpx2.AsyncClient(timeout=seconds) as http:
            return await asyncio.wait_for(_read(http, address, asked), seconds)
    except (TimeoutError, httpx2.TimeoutException) as error:
        raise HostError(LATE, 504) from error
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
        raise HostError(NOBODY, 502) from error


async def _read(http: httpx2.AsyncClient, address: str, asked: Any) -> Board:
    tasks = await _told(http, f"{address}/tasks", TASKS)
    task = next((one for one in tasks if one.task == asked), tasks[0])
    rows = await _told(http, f"{address}/leaderboard/{quote(task.task, safe='')}", ROWS)
    return Board(tuple(tasks), task, tuple(rows))


async def _told(http: httpx2.AsyncClient, url: str, kind: TypeAdapter[T]) -> T:
    # What comes compressed anyhow is not unpacked, and so is no JSON: little could become much.
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    body = bytearray()
    async with http.stream("GET", url, headers=headers) as reply:
        if reply.status_code >= 500:
            raise HostError(NOBODY, 502)
        if reply.status_code == 403:
            raise HostError(CLOSED, 403)
        if reply.status_code != 200:
            raise HostError(NONSENSE, 502)
        async for chunk in reply.aiter_raw():
            body += chunk
            if len(body) > MAX_BYTES:
                raise HostError(NONSENSE, 502)
    try:
        return kind.validate_json(bytes(body))
    except ValidationError as error:
        raise HostError(NONSENSE, 502) from error
