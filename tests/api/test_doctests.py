"""The examples in the docstrings of the front door print what they say."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

MODULES = (
    "miagym",
    "miagym.api.audit",
    "miagym.api.check",
    pytest.param("miagym.api.evaluate", marks=pytest.mark.slow),
    "miagym.api.score",
    "miagym.results.estimate",
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found = doctest.testmod(import_module(name))
    assert found.attempted > 0 and found.failed == 0
