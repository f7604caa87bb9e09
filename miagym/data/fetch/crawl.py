"""Concurrent requests to many hosts, with limits in all and for each host."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from miagym.data.fetch.request import FetchOutcome, FetchStatus, Politeness, client, request

MAX_SILENT = 5
"""Links in a row without an answer, after which a host is left alone until the next time."""

Keep = Callable[[str, bytes], FetchOutcome]
"""Keeps what came for a link, and says whether it is a picture; called in a thread."""

Done = Callable[[str, FetchOutcome], None]
"""Called with each link when its outcome is known."""


@dataclass
class HostQueue:
    """Links of one host, and its back-off state."""

    links: deque[str] = field(default_factory=deque)
    resume_at: float = 0
    silent: int = 0
    left_alone: str = ""


def crawl(links: Iterable[str], keep: Keep, done: Done, politeness: Politeness) -> None:
    """Requests every link until each has an outcome.

    Raises:
        OSError: if something cannot be kept, a full disk say.
    """
    try:
        asyncio.run(_Crawl(keep, done, politeness).run(links))
    except ExceptionGroup as group:
        raise group.exceptions[0] from None


class _Crawl:
    def __init__(self, keep: Keep, done: Done, politeness: Politeness) -> None:
        self._keep, self._done, self._politeness = keep, done, politeness
        self._free = asyncio.Semaphore(politeness.connections)
        self._web = client(politeness)

    async def run(self, links: Iterable[str]) -> None:
        hosts: dict[str, HostQueue] = {}
        for link in links:
            hosts.setdefault(_host(link), HostQueue()).links.append(link)
        # Name servers are asked in threads too, and silent ones would hold up the few by default.
        threads = ThreadPoolExecutor(self._politeness.connections)
        asyncio.get_running_loop().set_default_executor(threads)
        async with self._web, asyncio.TaskGroup() as tasks:
            for host in hosts.values():
                for _ in range(min(self._politeness.per_host, len(host.links))):
                    tasks.create_task(self._lane(host))

    async def _lane(self, host: HostQueue) -> None:
        while host.links:
            link = host.links.popleft()
            self._done(link, await self._outcome(host, link))

    async def _outcome(self, host: HostQueue, link: str) -> FetchOutcome:
        """Asks until there is an answer, waiting as the host wishes."""
        outcome = FetchOutcome(FetchStatus.LATER)
        for attempt in range(self._politeness.tries):
            if host.left_alone:
                return FetchOutcome(FetchStatus.LATER, host.left_alone)
            await self._pause(host)
            async with self._free:
                answer = await request(self._web, link, self._politeness)
                outcome = answer.outcome
                if outcome.kind is FetchStatus.FETCHED:
                    outcome = await asyncio.to_thread(self._keep, link, answer.data)
            if outcome.kind is not FetchStatus.LATER:
                host.silent = 0
                return outcome
            wait = self._politeness.backoff * 2**attempt if answer.wait is None else answer.wait
            if wait > self._politeness.max_wait:
                host.left_alone = f"{outcome.why}, and told to wait longer"
                return outcome
            host.resume_at = max(host.resume_at, asyncio.get_running_loop().time() + wait)
        host.silent += 1
        if host.silent >= MAX_SILENT:
            host.left_alone = f"{outcome.why}, like the links before it"
        return outcome

    async def _pause(self, host: HostQueue) -> None:
        now = asyncio.get_running_loop().time
        while host.resume_at > now():
            await asyncio.sleep(host.resume_at - now())


def _host(link: str) -> str:
    try:
        return urlsplit(link).hostname or ""
    except ValueError:
        return ""
