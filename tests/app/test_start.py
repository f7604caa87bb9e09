"""The page is there before the libraries of models are, which take seconds to import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODELS = {"torch", "diffusers", "transformers", "sklearn", "scipy.stats"}
STARTED = f"""
import sys
import app
print({MODELS} & sys.modules.keys() or "light")
"""


def test_the_page_is_built_without_what_only_models_need() -> None:
    command = [sys.executable, "-c", STARTED]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "light"
