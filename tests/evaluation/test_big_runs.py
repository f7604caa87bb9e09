"""What the guide on big runs shows is what happens."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


def shown(number: int) -> str:
    """A block of commands of the guide."""
    guide = (ROOT / "docs" / "evaluate" / "big-runs.md").read_text(encoding="utf-8")
    return re.findall(r"```sh\n(.*?)```", guide, re.DOTALL)[number]


def in_a_shell(commands: str, folder: Path) -> str:
    """What these commands print, where `miagym` is that of this checkout."""
    binaries = folder / "bin"
    binaries.mkdir(exist_ok=True)
    command = binaries / "miagym"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m miagym "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    paths = {"PYTHONPATH": str(ROOT), "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", "-e", "-c", commands],
        cwd=folder,
        env=os.environ | paths | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=500,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.long
@pytest.mark.slow
def test_several_processes_as_shown(tmp_path: Path) -> None:
    for number, out in enumerate(("big", "together", "array")):
        in_a_shell(shown(number), tmp_path)
        assert (tmp_path / "runs" / out / "results.json").is_file()
    in_a_shell(shown(4), tmp_path)
    compared = "miagym diff runs/big runs/together && miagym diff runs/big runs/array"
    compared += " && miagym diff runs/big runs/merged"
    assert in_a_shell(compared, tmp_path).count("Nothing that made them differs") == 3


@pytest.mark.long
@pytest.mark.slow
def test_seeds_as_shown(tmp_path: Path) -> None:
    in_a_shell(shown(5), tmp_path)
    assert (tmp_path / "runs" / "seeds" / "pooled.json").is_file()


@pytest.mark.long
@pytest.mark.slow
def test_engines_as_shown(tmp_path: Path) -> None:
    in_a_shell(shown(3), tmp_path)
    compared = "miagym diff runs/ray runs/slurm"
    assert "Nothing that made them differs" in in_a_shell(compared, tmp_path)
