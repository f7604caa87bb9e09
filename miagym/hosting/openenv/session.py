"""One OpenEnv connection to a hosted task: messages in, replies out.

A connection owns nothing. The hand, its budget and its noise are the key's, so that a new
connection goes on where the last one was; seeds and episode ids of clients are taken and unused.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from miagym.errors import MiagymError
from miagym.hosting.doors import BROKEN
from miagym.hosting.host import Host
from miagym.hosting.messages import RequestId, Reset, Step

Reply = dict[str, Any]


class Code(StrEnum):
    """Codes of errors that clients know."""

    INVALID_JSON = "INVALID_JSON"
    VALIDATION_ERROR = "VALIDATION_ERROR"
    EXECUTION_ERROR = "EXECUTION_ERROR"
    CAPACITY_REACHED = "CAPACITY_REACHED"
    SESSION_ERROR = "SESSION_ERROR"


class Asked(BaseModel):
    """What of a message's data is not for the game: a name that makes sending it again safe."""

    model_config = ConfigDict(extra="ignore")

    request_id: RequestId = Field(default_factory=lambda: uuid4().hex)


class ResetMessage(BaseModel):
    """Begins the next hand; `seed` and `episode_id` are the client's, and say nothing here."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["reset"]
    data: dict[str, Any] = Field(default_factory=dict)


class StepMessage(BaseModel):
    """An action, with `metadata` beside its parts."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["step"]
    data: dict[str, Any]


class StateMessage(BaseModel):
    """Asks where one is."""

    type: Literal["state"]


class CloseMessage(BaseModel):
    """Ends the connection, and not the hand."""

    type: Literal["close"]


Incoming = Annotated[
    ResetMessage | StepMessage | StateMessage | CloseMessage, Field(discriminator="type")
]
INCOMING: TypeAdapter[Incoming] = TypeAdapter(Incoming)
UNREADABLE = "Expected a message of type reset, step, state or close, with its data."


class Session:
    """A connection.

    Args:
        host: whose task is played.
        task: its name.
        admitted: finds whose key the connection bears, at every message.
    """

    def __init__(self, host: Host, task: str, admitted: Callable[[], str]) -> None:
        self._host, self._task, self._admitted = host, task, admitted
        self._begun: str | None = None
        """The hand that this connection is about, so that one that another begins is told apart."""

    def reply(self, raw: str) -> Reply | None:
        """Answers a message; None ends the connection."""
        try:
            message = INCOMING.validate_json(raw)
            return None if isinstance(message, CloseMessage) else self._played(message)
        except ValidationError as error:
            broken = any(one["type"] == "json_invalid" for one in error.errors())
            return failed(UNREADABLE, Code.INVALID_JSON if broken else Code.VALIDATION_ERROR)
        except MiagymError as error:
            return failed(str(error), Code.EXECUTION_ERROR)
        except Exception:
            return failed(BROKEN, Code.EXECUTION_ERROR)

    def _played(self, message: ResetMessage | StepMessage | StateMessage) -> Reply:
        player = self._admitted()
        if isinstance(message, ResetMessage):
            return self._reset(player, message.data)
        if isinstance(message, StepMessage):
            return self._step(player, dict(message.data))
        return {"type": "state", "data": self._state(player)}

    def _reset(self, player: str, data: dict[str, Any]) -> Reply:
        asked = Asked.model_validate(data)
        told = self._host.play(player, self._task, Reset(request_id=asked.request_id))
        if told["hand"] is None:  # the walk has ended with the hand that was given up
            told = self._host.play(player, self._task, Reset(request_id=uuid4().hex))
        self._begun, changing = told.pop("begun"), told.pop("observation")
        return _observed({**told, **changing}, done=False)

    def _step(self, player: str, action: dict[str, Any]) -> Reply:
        metadata = action.pop("metadata", {})
        asked = Asked.model_validate(metadata if isinstance(metadata, dict) else {})
        if self._begun is None:
            self._begun = self._host.table(player, self._task).begun or None
        step = Step(request_id=asked.request_id, action=action, begun=self._begun)
        told = self._host.play(player, self._task, step)
        ended = told["terminated"] or told["truncated"]
        return _observed(told["observation"], ended, truncated=told["truncated"])

    def _state(self, player: str) -> dict[str, Any]:
        table = self._host.table(player, self._task)
        with table.lock:
            if table.current < 0:
                return {"episode_id": None, "step_count": 0, "hand": None}
            seat = table.seats[table.current]
            steps = int(seat.game.steps[seat.row])
            return {"episode_id": table.begun, "step_count": steps, "hand": table.current}


def failed(message: str, code: Code) -> Reply:
    """An error, in a sentence that names nothing but what the player knows."""
    return {"type": "error", "data": {"message": message, "code": code.value}}


def _observed(observation: dict[str, Any], done: bool, **metadata: Any) -> Reply:
    """An observation; nothing is paid in play, since the verdicts are graded on the board."""
    return {
        "type": "observation",
        "data": {"observation": observation, "reward": None, "done": done, "metadata": metadata},
    }
