"""Client of a host's REST face: each request has a name, so that sending it again costs nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx2

from miagym.errors import HostError

SECONDS = 120.0
"""To wait for a reply; a picture of a large model takes long on a busy host."""
TRIES, PAUSE = 5, 0.5
"""How often a request is sent where nobody answers, and the seconds between, doubled each time."""

MAX_QUESTIONS = 64
"""In one request, as hosts take them."""


class HostClient:
    """Client of one host with one key.

    Args:
        url: of the host, such as "http://127.0.0.1:8000".
        key: of the player.
        transport: how requests travel; by default over the network.

    Raises:
        HostError: from every method, with the host's own sentence, or if nobody answers there.
    """

    def __init__(self, url: str, key: str, transport: httpx2.BaseTransport | None = None) -> None:
        self.url = url.rstrip("/")
        headers = {"X-API-Key": key}
        self._http = httpx2.Client(
            base_url=self.url, headers=headers, timeout=SECONDS, transport=transport
        )

    def tasks(self) -> list[dict[str, Any]]:
        """What is played there."""
        return self._sent(lambda: self._http.get("/tasks"))

    def task(self, name: str) -> dict[str, Any]:
        """One task, with the sizes of its spaces."""
        return self._sent(lambda: self._http.get(f"/tasks/{name}"))

    def candidates(self, task: str) -> list[dict[str, Any]]:
        """Candidates of the walk, hand by hand."""
        return self._sent(lambda: self._http.get(f"/tasks/{task}/candidates"))

    def query(self, task: str, questions: list[tuple[str, str]]) -> dict[str, Any]:
        """Asks about candidates by name: pairs of a candidate and a question."""
        asked = [{"candidate": name, "question": question} for name, question in questions]
        return self._named(f"/tasks/{task}/query", {"questions": asked})

    def call(
        self, task: str, candidate: str, kind: str, prompt: str, **parts: Any
    ) -> dict[str, Any]:
        """Calls a service about a candidate; pictures and masks are PNG in base64.

        Args:
            task: a service.
            candidate: its name.
            kind: "text-to-image", "image-to-image" or "inpainting".
            prompt: any text.
            **parts: `picture`, `strength`, `mask`, `pictures`, `seed` and `guidance`, where the
                service takes them.
        """
        called = {"candidate": candidate, "kind": kind, "prompt": prompt, **parts}
        return self._named(f"/tasks/{task}/call", called)

    def reset(self, task: str) -> dict[str, Any]:
        """Begins the next hand."""
        return self._named(f"/tasks/{task}/reset", {})

    def step(self, task: str, action: dict[str, Any], begun: str | None = None) -> dict[str, Any]:
        """Plays an action of the environment.

        Args:
            task: its name.
            action: numbers and lists by name.
            begun: as the last `reset` told it; the host refuses if there was another since.
        """
        return self._named(f"/tasks/{task}/step", {"action": action, "begun": begun})

    def submit(self, task: str, scores: dict[str, float]) -> int:
        """Hands in scores by the candidates' names; returns the submission's number."""
        lines = ["ids,score", *(f"{name},{score!r}" for name, score in scores.items())]
        text = "\n".join(lines).encode("utf-8")
        return self._sent(lambda: self._http.post(f"/submit/{task}", content=text))["submission"]

    def leaderboard(self, task: str) -> list[dict[str, Any]]:
        """Standings with intervals."""
        return self._sent(lambda: self._http.get(f"/leaderboard/{task}"))

    def close(self) -> None:
        self._http.close()

    def _named(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Posts under a name that stays the same however often it has to be sent."""
        message = {"request_id": uuid4().hex, **body}
        return self._sent(lambda: self._http.post(path, json=message))

    def _sent(self, send: Callable[[], httpx2.Response]) -> Any:
        pause = PAUSE
        for left in reversed(range(TRIES)):
            try:
                reply = send()
            except httpx2.TransportError as error:
                if not left:
                    raise HostError(f"Nobody answers at {self.url} ({error}).") from error
            else:
                if reply.status_code < 400:
                    return reply.json()
                if reply.status_code not in (429, 500, 503) or not left or is_quota(reply):
                    raise HostError(said_by(reply), reply.status_code)
                pause = max(pause, float(reply.headers.get("Retry-After", 0)))
            time.sleep(pause)
            pause *= 2
        raise AssertionError("the last try returns or raises")


def is_quota(reply: httpx2.Response) -> bool:
    """Whether it is refused for today, and not for a second."""
    return reply.status_code == 429 and "Retry-After" not in reply.headers


def said_by(reply: httpx2.Response) -> str:
    """The host's sentence, or what came instead."""
    try:
        return str(reply.json()["error"])
    except (ValueError, KeyError, TypeError):
        return f"{reply.url} replied {reply.status_code}; is it a miagym host?"
