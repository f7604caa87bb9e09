"""The command line, run in this process."""

from __future__ import annotations

import sys

import pytest

from miagym.cli import main


def run(*arguments: object, code: int = 0) -> None:
    """Runs `miagym` with these arguments; the exit code is part of what is asserted."""
    before, sys.argv = sys.argv, ["miagym", *map(str, arguments)]
    try:
        with pytest.raises(SystemExit) as stopped:
            main()
    finally:
        sys.argv = before
    assert stopped.value.code in ((0, None) if code == 0 else (code,))
