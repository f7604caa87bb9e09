"""Folder of a fetch: a file for each picture, and a status line for each link that was asked.

A picture is there whole or not at all, and a line that was cut off by a kill is skipped; so a
killed fetch goes on where it was.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import sys
from pathlib import Path

from miagym.atomic import replacing
from miagym.data.fetch.request import FetchOutcome, FetchStatus
from miagym.data.images import read_picture
from miagym.errors import DataError

STATUS = "status.jsonl"
PICTURES = "images"

TAKEN = (errno.EACCES, errno.EAGAIN, errno.EDEADLK, errno.EWOULDBLOCK)
"""What systems say of a file that another process has locked."""


class FetchFolder:
    """Folder that one fetch at a time may write to.

    Raises:
        DataError: if another fetch is at work in it.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._lock = (folder / ".lock").open("w", encoding="utf-8")
        try:
            _lock(self._lock.fileno())
        except OSError as error:
            if error.errno not in TAKEN:
                raise
            self._lock.close()
            raise DataError(f"Another fetch is at work in {folder}; wait for it.") from error
        self._outcomes = _read_status(folder / STATUS)
        self._status = os.open(folder / STATUS, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        _end_line(self._status)

    def close(self) -> None:
        """Releases the lock, so that another fetch may write to the folder."""
        os.close(self._status)
        self._lock.close()

    def path(self, link: str) -> Path:
        """Path of a link's picture, relative to the folder."""
        key = _key(link)
        return Path(PICTURES) / key[:2] / key

    def outcome(self, link: str) -> FetchOutcome | None:
        """Outcome of a link, if it was asked; a picture counts even if its line got lost."""
        if (self.folder / self.path(link)).is_file():
            return FetchOutcome(FetchStatus.FETCHED)
        outcome = self._outcomes.get(_key(link))
        return None if outcome is None or outcome.kind is FetchStatus.FETCHED else outcome

    def keep(self, link: str, data: bytes) -> FetchOutcome:
        """Keeps a picture as it came, if it can be read."""
        try:
            read_picture(data)
        except DataError as error:
            return FetchOutcome(FetchStatus.UNREADABLE, str(error))
        with replacing(self.folder / self.path(link)) as partial:
            partial.write_bytes(data)
        return FetchOutcome(FetchStatus.FETCHED)

    def note(self, link: str, outcome: FetchOutcome) -> None:
        """Appends the outcome of a link."""
        self._outcomes[_key(link)] = outcome
        line = {"key": _key(link), "kind": outcome.kind, "why": outcome.why, "url": link}
        os.write(self._status, (json.dumps(line) + "\n").encode())


def _lock(file: int) -> None:
    """Locks a file until it is closed; an `OSError` of `TAKEN` says that another process has."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _key(link: str) -> str:
    return hashlib.blake2b(link.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _read_status(path: Path) -> dict[str, FetchOutcome]:
    outcomes: dict[str, FetchOutcome] = {}
    if not path.is_file():
        return outcomes
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                read = json.loads(line)
                outcomes[read["key"]] = FetchOutcome(FetchStatus(read["kind"]), read["why"])
            except (ValueError, KeyError, TypeError):
                continue  # cut off by a kill: the link is asked again
    return outcomes


def _end_line(status: int) -> None:
    """Ends a line that was cut off, so that the next one is not lost with it."""
    size = os.fstat(status).st_size
    if size and os.pread(status, 1, size - 1) != b"\n":
        os.write(status, b"\n")
