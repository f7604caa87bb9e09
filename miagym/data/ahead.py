"""Pictures of what comes next, read and decoded while the networks are at work on this."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock

from miagym.data.dataset import Loaded

Load = Callable[[str], Loaded]


class Ahead:
    """Loads chunks of pictures, and begins in a thread with the one that comes next.

    It never is more than a chunk ahead, so that memory does not grow with the number of chunks.

    Args:
        load: reads and decodes the pictures of a chunk, by its name.
        chunks: names, in the order in which they are worked on.
        is_left: whether a chunk is still to be done; others may have done it.
        thread: where it begins.
    """

    def __init__(
        self,
        load: Load,
        chunks: Sequence[str],
        is_left: Callable[[str], bool],
        thread: ThreadPoolExecutor,
    ) -> None:
        self._load, self._chunks, self._is_left, self._thread = load, chunks, is_left, thread
        self._place = {chunk: place for place, chunk in enumerate(chunks)}
        self._begun: dict[str, Future[Loaded]] = {}
        self._lock = Lock()

    def load(self, chunk: str) -> Loaded:
        """The pictures of a chunk, which may be there already; workers may call it side by side."""
        with self._lock:
            begun = self._begun.pop(chunk, None)
            place = self._place[chunk]
            self._forget_before(place)
            if not self._begun:
                self._begin_after(place)
        return self._load(chunk) if begun is None else begun.result()

    def _forget_before(self, place: int) -> None:
        """Other processes have taken these; a worker that is slow loads its own once more."""
        for name in [name for name in self._begun if self._place[name] < place]:
            self._begun.pop(name).cancel()

    def _begin_after(self, place: int) -> None:
        following = next((c for c in self._chunks[place + 1 :] if self._is_left(c)), None)
        if following is not None:
            self._begun[following] = self._thread.submit(self._load, following)


@contextmanager
def loading_ahead(
    load: Load, chunks: Sequence[str], is_left: Callable[[str], bool]
) -> Iterator[Ahead]:
    """Context with its thread, which ends with it."""
    thread = ThreadPoolExecutor(1, thread_name_prefix="decoding ahead")
    try:
        yield Ahead(load, chunks, is_left, thread)
    finally:
        thread.shutdown(wait=True, cancel_futures=True)
