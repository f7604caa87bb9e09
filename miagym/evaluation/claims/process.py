"""A process, as others see it: where it runs, since when, and whether it is gone."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Self
from uuid import uuid4


@dataclass(frozen=True)
class Process:
    """A process that works on a run.

    Args:
        host: name of its machine, for people.
        machine: tells machines, their boots and their containers apart.
        pid: its number there.
        started: when it was started, in ticks since the boot; empty where that is not known.
        token: of this one opening of a run, since a process may open several.
    """

    host: str
    machine: str
    pid: int
    started: str
    token: str

    @classmethod
    def this(cls) -> Self:
        pid = os.getpid()
        return cls(platform.node(), _machine(), pid, _state(pid)[1], uuid4().hex[:12])

    @property
    def gone(self) -> bool:
        """Whether it is known to have ended; of another machine's nothing is known."""
        if self.machine != _machine() or os.name != "posix":
            return False  # elsewhere, `os.kill` would end the process instead of asking for it
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:  # it is there, and somebody else's
            return False
        state, started = _state(self.pid)
        return state in ("Z", "X") or bool(started and self.started and started != self.started)

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


@lru_cache(maxsize=1)
def _machine() -> str:
    """Name, boot and process namespace: where one number is one process."""
    boot, namespace = "", ""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:  # no Linux
        pass
    return "/".join((platform.node(), boot, namespace))


def _state(pid: int) -> tuple[str, str]:
    """State and start of a process of this machine; empty where there is no /proc."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "", ""
    fields = told.rpartition(")")[2].split()  # the name before it may hold anything
    return fields[0], fields[19]
