"""What each process of an engine does: it joins the run, and works on it until it is finished."""

from __future__ import annotations

import os
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from miagym.api.run_config import run_config
from miagym.errors import MiagymError, RunError, on_the_command_line, option, told
from miagym.evaluation.config import Config, Objects
from miagym.evaluation.opening import Join


@dataclass(frozen=True)
class EngineWork:
    """A run as it is handed to another process, and called there.

    Args:
        config: what to run.
        objects: attacks by name, and what is not to be loaded by its name.
        out: the run folder, which all processes see.
        command: what gives the same numbers again.
        folder: where relative names of targets and data begin.
        typed: whether errors speak of options.
        deadline: seconds that a chunk may take.
    """

    config: Config
    objects: Objects
    out: Path
    command: str
    folder: Path
    typed: bool
    deadline: float | None = None

    @classmethod
    def here(
        cls,
        config: Config,
        objects: Objects,
        out: str | Path | None,
        command: str,
        deadline: float | None,
    ) -> Self:
        """The same as if it were run in this process.

        Raises:
            RunError: if no folder is named.
        """
        if out is None:
            raise RunError(f"An engine needs a run folder that all its jobs see: {option('out')}.")
        folder, typed = Path(out).resolve(), bool(told("options", ""))
        return cls(config, objects, folder, command, Path.cwd(), typed, deadline)

    def __call__(self) -> str | None:
        """Works on the run until it is finished; returns why it cannot be run, if it cannot."""
        os.chdir(self.folder)
        try:
            with on_the_command_line() if self.typed else nullcontext():
                run_config(
                    self.config,
                    self.objects,
                    self.out,
                    self.command,
                    join=Join.BEGIN,
                    deadline=self.deadline,
                )
        except MiagymError as error:
            return str(error)
        return None
