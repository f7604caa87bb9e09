"""A command under a limit of time, on any system."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from miagym.exercises.process import run_limited

ENDLESS = "import time\nwhile True: time.sleep(0.1)"


def python(source: str, folder: Path, limit: float = 60) -> tuple[int | None, str]:
    return run_limited([sys.executable, "-c", source], folder, limit)


def gone(pid: int) -> bool:
    """Whether a process has ended, within a moment."""
    for _ in range(50):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        state = Path(f"/proc/{pid}/stat")
        if state.exists() and ") Z" in state.read_text():  # nobody has asked for its exit code
            return True
        time.sleep(0.1)
    return False


def test_exit_code_and_last_line_come_back(tmp_path: Path) -> None:
    source = "import os, sys; print(os.getcwd(), file=sys.stderr); sys.exit(3)"
    assert python(source, tmp_path) == (3, str(tmp_path.resolve()))


@pytest.mark.parametrize("windows", [False, True])
def test_an_endless_command_is_stopped_with_and_without_groups(
    windows: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if windows:
        monkeypatch.delattr(os, "killpg", raising=False)
    began = time.monotonic()
    source = f"import os; open('pid', 'w').write(str(os.getpid()))\n{ENDLESS}"
    code, _ = python(source, tmp_path, limit=1)
    assert code is None and time.monotonic() - began < 30
    assert gone(int((tmp_path / "pid").read_text()))


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="no groups of processes here")
def test_what_a_command_leaves_running_ends_with_it(tmp_path: Path) -> None:
    source = f"""
import subprocess, sys
left = subprocess.Popen([sys.executable, "-c", {ENDLESS!r}])
open("pid", "w").write(str(left.pid))
"""
    assert python(source, tmp_path)[0] == 0
    assert gone(int((tmp_path / "pid").read_text()))


def test_only_the_end_of_much_is_read(tmp_path: Path) -> None:
    source = "import sys; sys.stderr.write('x' * 3_000_000 + '\\nthe end\\n\\n')"
    assert python(source, tmp_path) == (0, "the end")


def test_unicode_can_be_printed_whatever_the_locale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}.items():
        monkeypatch.setenv(name, value)
    assert python("print('FPR ≤ ½')", tmp_path)[0] == 0
