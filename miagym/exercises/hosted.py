"""A host of one's own on 127.0.0.1, started and stopped by a command, as a teacher's is."""

from __future__ import annotations

import atexit
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Self

import httpx2

from miagym.errors import RunError
from miagym.exercises.process import QUIET, last_line

ADDRESS, TASK = "127.0.0.1", "own"
SECONDS, PAUSE = 180.0, 0.2
"""For which a host may take to load its models, and between two looks whether it has."""
OVERFIT = (
    *("--target", "clipart-overfit", "--data", "clipart-tune"),
    *("--reference", "clipart-realistic", "--budget", "60", "--hands", "2"),
)
"""A task about the overfit model beside its base, with two hands of 16 pictures."""


class LocalHost:
    """A `miagym host` in a process of its own; it ends with this one, or by `close`.

    Args:
        folder: where its ledger is.
        options: of `miagym host`, what it serves.

    Raises:
        RunError: if it does not come up.
    """

    def __init__(self, folder: Path | str, options: tuple[str, ...] = OVERFIT) -> None:
        self._db = str(Path(folder).resolve() / "host.sqlite")
        port = _free_port()
        self.url = f"http://{ADDRESS}:{port}"
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115, it lives as long as this
        serve = ("--db", self._db, "--address", ADDRESS, "--port", str(port), *options)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "miagym", "host", *serve],
            env=os.environ | QUIET,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
        )
        atexit.register(self.close)
        self._wait()

    def key(self, player: str) -> str:
        """Adds a player, and returns the key.

        Raises:
            RunError: if the name is taken.
        """
        command = [sys.executable, "-m", "miagym", "host", "add", player, "--db", self._db]
        made = subprocess.run(
            [*command, "--json"],
            env=os.environ | QUIET,
            capture_output=True,
            text=True,
            encoding="utf-8",
        )
        if made.returncode:
            raise RunError(f"No key for {player}: {made.stderr.strip()}")
        return str(json.loads(made.stdout)[player])

    def close(self) -> None:
        """Stops the host; its ledger stays."""
        atexit.unregister(self.close)
        self._process.kill()
        self._process.wait()
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _wait(self) -> None:
        until = time.monotonic() + SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            try:
                if httpx2.get(f"{self.url}/health").status_code == 200:
                    return
            except httpx2.TransportError:
                time.sleep(PAUSE)
        said = last_line(self._errors) or f"nothing came within {SECONDS:g} seconds"
        self.close()
        raise RunError(f"The host did not come up: {said}")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind((ADDRESS, 0))
        return int(one.getsockname()[1])
