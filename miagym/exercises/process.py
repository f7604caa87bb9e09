"""Run of a command under a limit of time, in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO

MAX_SAID = 64_000
"""Bytes of standard error that are read, from its end: an endless loop may have filled it."""
QUIET = {
    "HF_HUB_OFFLINE": "1",
    "MPLBACKEND": "Agg",
    "PYTHONUTF8": "1",  # else a "≤" that is printed fails where the terminal is not in UTF-8
}


def run_limited(command: list[str], folder: Path, limit: float) -> tuple[int | None, str]:
    """Runs a command without input or output; it ends, with all that it started, by the limit.

    Args:
        command: a program and its arguments.
        folder: where it runs.
        limit: seconds.

    Returns:
        Exit code, None if it had to be stopped, and the last line on standard error.
    """
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | QUIET,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,  # a group of its own; Windows has none, and ignores it
        )
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            code = None
        finally:  # Ctrl-C too
            _end(process)
        return code, last_line(errors)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends a process, and what it started and left behind."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):  # nobody is left in the group
            os.killpg(process.pid, signal.SIGKILL)
    elif process.poll() is None:
        with suppress(OSError):  # Windows, which knows children by their parent only
            subprocess.run(
                ["taskkill", "/F", "/T", "/PID", str(process.pid)], capture_output=True, check=False
            )
        process.kill()
    process.wait()


def last_line(errors: IO[bytes]) -> str:
    size = errors.seek(0, os.SEEK_END)
    errors.seek(max(0, size - MAX_SAID))
    lines = errors.read().decode(errors="replace").split("\n")
    return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "")
