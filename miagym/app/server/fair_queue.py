"""Gradio's queue, made fair: few waiting events for each visitor, and visitors take turns."""

from __future__ import annotations

from typing import Any

import fastapi
import gradio as gr
from gradio.data_classes import PredictBodyInternal
from gradio.queueing import Event, Queue

from miagym.app.server.client_id import client_id
from miagym.app.server.turns import Turns, check_waiting
from miagym.errors import RateLimitExceeded

MAX_EVENTS = 128
"""Events that wait in all, each with up to 2 MB of JSON."""
TOO_MANY_REQUESTS, UNAVAILABLE = 429, 503
BUSY = "The page is busy: too many visitors are waiting. Nothing was done; try again in a minute."


class FairQueue(Queue):
    """Refuses what is too much before it waits, and serves those who wait by turns.

    Gradio's own is one line of all visitors, first come, first served; a quick one fills it.

    Args:
        page: whose events they are; its queue is replaced.
        max_waiting: events that one visitor may have waiting; None for no limit.
    """

    def __init__(self, page: gr.Blocks, max_waiting: int | None) -> None:
        super().__init__(
            live_updates=True,
            concurrency_count=page.max_threads,
            update_intervals=1,
            max_size=None,
            blocks=page,
            default_concurrency_limit=page._queue.default_concurrency_limit,
        )
        self._max_waiting, self._turns = max_waiting, Turns()

    async def push(
        self, body: PredictBodyInternal, request: fastapi.Request, username: str | None
    ) -> Any:
        if len(self) >= MAX_EVENTS:
            raise fastapi.HTTPException(UNAVAILABLE, BUSY)
        waiting = [
            client_id(event.request)
            for queue in self.event_queue_per_concurrency_id.values()
            for event in queue.queue
        ]
        try:
            check_waiting(client_id(request), waiting, self._max_waiting)
        except RateLimitExceeded as error:
            raise fastapi.HTTPException(TOO_MANY_REQUESTS, str(error)) from None
        return await super().push(body, request, username)

    def get_events(self) -> tuple[list[Event], bool, str] | None:
        """The next event of each line is that of the visitor whose turn it is."""
        for queue in self.event_queue_per_concurrency_id.values():
            if len(queue.queue) > 1:
                chosen = self._turns.first([client_id(event.request) for event in queue.queue])
                queue.queue.insert(0, queue.queue.pop(chosen))
        found = super().get_events()
        if found is not None:
            self._turns.serve(client_id(found[0][0].request))
        return found

    def compute_analytics_summary(self, records: Any) -> dict[str, Any]:
        """Nobody reads it, and Gradio computes it anew after each event."""
        del records
        return {"functions": {}}
