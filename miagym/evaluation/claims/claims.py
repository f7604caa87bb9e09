"""Claims with a lease: exclusively created files that their holders keep fresh.

A claim is a file `NAME.0`, which only one process can create. Whoever finds it dead creates
`NAME.1`, which again only one can: nothing is ever taken away, so that nothing can be taken away
from the wrong one. The highest number holds.

Dead is what a process of this machine holds that has ended, and what any process holds that has
not been heard of for a lease. Time is what the folder's file system says it is, never the clock of
a machine: a holder touches its claims, and whoever doubts one touches a file of its own beside it.
"""

from __future__ import annotations

import errno
import json
import os
import threading
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Self

from miagym.errors import RunError
from miagym.evaluation.claims.process import Process

LEASE = 60.0
"""Seconds without a sign of life after which a claim of another machine's process is dead."""

BEATS = 6
"""Signs of life in one lease."""

AT_WORK = "at-work"
"""Name of the file of a process, beside its claims; its token follows."""

CANNOT = (errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)
"""Errors of a file system that knows no exclusive creation."""


class NotExclusive(RunError):
    """Raised for a folder in which two processes can create the same file."""


class Claims:
    """The claims of one process in a folder that others may use, too. A context manager.

    Args:
        folder: made if it does not exist.
        lease: seconds; all processes should have the same.

    Raises:
        NotExclusive: on entering, if the file system has no exclusive creation.
    """

    def __init__(self, folder: Path, lease: float | None = None) -> None:
        self.process = Process.this()
        self._folder = folder
        self._lease = LEASE if lease is None else lease
        self._own = folder / f"{AT_WORK}-{self.process.token}"
        self._held: dict[str, Path] = {}
        self._stop = threading.Event()
        self._beating = threading.Thread(target=self._beat, name="claims", daemon=True)

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            if not self._create(self._own) or self._create(self._own):
                raise OSError(errno.ENOTSUP, "created twice")
        except OSError as error:
            self._own.unlink(missing_ok=True)
            self._leave()
            if error.errno not in CANNOT:
                raise
            raise NotExclusive(
                f"{self._folder.parent} lies on a file system on which two processes can create "
                "the same file, so that they cannot share work there; expected exclusive creation. "
                "Run one process, or shards in folders of their own."
            ) from error
        self._beating.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._beating.join()
        with suppress(OSError):  # what cannot be removed is dead once this process is
            for name in list(self._held):
                self.release(name)
            for path in [path for path in self._folder.iterdir() if self._is_dead(path)]:
                path.unlink(missing_ok=True)
            self._own.unlink(missing_ok=True)
        self._leave()

    def take(self, name: str) -> bool:
        """Claims something; False if a living process holds it."""
        number = 0
        while True:
            path, above = self._path(name, number), self._path(name, number + 1)
            if self._create(path):
                if not above.exists():
                    break
                path.unlink(missing_ok=True)  # it is a gap below what somebody holds, or has held
            elif not self._is_dead(path):
                return False
            number += 1
        if number and not self._is_dead(self._path(name, number - 1)):
            path.unlink(missing_ok=True)  # somebody was quicker, and has let go of it meanwhile
            return False
        self._held[name] = path
        return True

    def holds(self, name: str) -> bool:
        """Whether a claim that was taken is still this process's own."""
        path = self._held[name]
        above = self._path(name, int(path.suffix[1:]) + 1)
        return not above.exists() and self._holder(path) == self.process

    def release(self, name: str) -> None:
        """Lets go of what this process has claimed, and of what the dead held before it."""
        path = self._held.pop(name)
        for number in range(int(path.suffix[1:]) + 1):
            self._path(name, number).unlink(missing_ok=True)

    def others(self) -> list[Process]:
        """Other living processes at work here."""
        files = self._folder.glob(f"{AT_WORK}-*")
        living = (path for path in files if path != self._own and not self._is_dead(path))
        return [process for path in living if (process := self._holder(path)) is not None]

    def _create(self, path: Path) -> bool:
        try:
            with path.open("x", encoding="utf-8") as file:
                json.dump(asdict(self.process), file)
        except FileExistsError:
            return False
        except OSError:
            if path != self._own:
                path.unlink(missing_ok=True)  # a full disk leaves an empty file
            raise
        return True

    def _path(self, name: str, number: int) -> Path:
        return self._folder / f"{name}.{number}"

    def _holder(self, path: Path) -> Process | None:
        """Who wrote a file; None if it is gone, or not wholly written."""
        try:
            return Process(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def _is_dead(self, path: Path) -> bool:
        """Whether a file is there whose process is gone, or was not heard of for a lease."""
        holder = self._holder(path)
        if holder is not None and holder.gone:
            return True
        if holder is not None and holder.token == self.process.token:
            return False
        try:
            with path.open("rb") as file:  # to open it asks a file server what is new
                touched = os.fstat(file.fileno()).st_mtime
        except OSError:
            return False
        return self._now() - touched > self._lease

    def _now(self) -> float:
        """The time of the file system."""
        os.utime(self._own)
        return self._own.stat().st_mtime

    def _beat(self) -> None:
        while not self._stop.wait(self._lease / BEATS):
            for path in [self._own, *self._held.copy().values()]:
                with suppress(OSError):  # it was given up for dead: `holds` says so
                    os.utime(path)

    def _leave(self) -> None:
        with suppress(OSError):  # others are still there
            self._folder.rmdir()


class Unshared(Claims):
    """Claims of a process that works alone, where no file can be created exclusively."""

    def __init__(self) -> None:
        super().__init__(Path())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def take(self, name: str) -> bool:
        return True

    def holds(self, name: str) -> bool:
        return True

    def release(self, name: str) -> None:
        pass

    def others(self) -> list[Process]:
        return []
