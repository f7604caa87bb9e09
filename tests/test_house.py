"""The house stays one that a newcomer finds their way in."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAX_LINES, MAX_FILES = 250, 16


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    """Files of the repository that are there, from its root."""
    if not (ROOT / ".git").exists():
        pytest.skip("no repository: what belongs to it can't be told from what was made")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, encoding="utf-8"
    ).stdout
    return [Path(name) for name in listed.split("\0") if name and (ROOT / name).exists()]


def test_no_file_is_long(tracked: list[Path]) -> None:
    sources = [p for p in tracked if p.suffix in {".py", ".js", ".css"} and p.parts[0] != "tests"]
    lines = {str(p): len((ROOT / p).read_text("utf-8").splitlines()) for p in sources}
    assert len(lines) > 500
    assert {name: n for name, n in lines.items() if n > MAX_LINES} == {}


def test_no_folder_is_crowded(tracked: list[Path]) -> None:
    files = Counter(str(path.parent) for path in tracked)
    assert {folder: n for folder, n in files.items() if n > MAX_FILES} == {}
