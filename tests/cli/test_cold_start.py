"""What needs no model is answered before libraries of models are imported, which takes seconds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HEAVY = {"torch", "diffusers", "transformers", "sklearn", "scipy", "pandas"}
EXAMPLE = Path("miagym/assets/examples/clipart-overfit-116.webp").resolve()
TYPED = f"""
import sys
from miagym.cli import main
try:
    main()
finally:
    print({HEAVY} & sys.modules.keys() or "light")
"""


def typed(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a fresh process, which ends by saying what heavy libraries it has imported."""
    command = [sys.executable, "-c", TYPED, *map(str, words)]
    return subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", env=os.environ | environment
    )


def refused(*words: object) -> tuple[str, str]:
    """What a command says that fails, and which heavy libraries it has imported."""
    done = typed(*words)
    assert done.returncode == 2, done.stderr
    return done.stderr, done.stdout.strip()


def slow(words: list[str], why: str) -> Any:
    return pytest.param(words, why, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["nowhere.png"], "nowhere.png is not there"),
        ([__file__], "is no readable JPEG, PNG, WebP or GIF"),
        slow(["nowhere.png", "--out", "new-folder"], "nowhere.png is not there"),
        slow(["nowhere.png", "--unused", EXAMPLE], "nowhere.png is not there"),
        slow([EXAMPLE, "--target", "clipart-overfitt"], "No target is called 'clipart-overfitt'"),
        slow([EXAMPLE, "--alpha", "2"], "Expected an alpha between 0 and 1"),
    ],
)
def test_a_check_is_refused_before_anything_heavy_is_imported(words: list[str], why: str) -> None:
    said, imported = refused("check", "--target", "clipart-overfit", *words)
    assert why in said
    assert imported == "light"


@pytest.mark.slow
def test_one_readable_picture_among_others_is_enough_to_go_on() -> None:
    said, imported = refused(
        "check", "nowhere.png", EXAMPLE, "--target", "clipart-overfit", "--attacks", "no-such"
    )
    assert "no-such" in said and "nowhere.png" not in said
    assert imported != "light"


@pytest.mark.slow
def test_an_embedded_target_is_calibrated_already(tmp_path: Path) -> None:
    done = typed(
        "check", EXAMPLE, "--target", "clipart-overfit", "--json", XDG_CACHE_HOME=str(tmp_path)
    )
    assert done.returncode == 0, done.stderr
    assert '"verdict": "member-like"' in done.stdout
    assert not list(tmp_path.iterdir()), "it has calibrated anew"
