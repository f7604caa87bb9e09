"""The page is there before the libraries of models are, which take seconds to import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
MODELS = {"torch", "diffusers", "transformers", "sklearn", "scipy.stats"}
STARTED = f"""
import sys
import app
print({MODELS} & sys.modules.keys() or "light")
"""
STUBS = """
import inspect, sys
from pathlib import Path
real, opened = inspect.getfile, set()
sys.addaudithook(
    lambda event, args: opened.add(Path(str(args[0])).name) if event == "open" else None
)
import app
print({"html.pyi", "image.pyi", "plot.pyi"} & opened or "none", inspect.getfile is real)
"""


def test_gradio_writes_no_stubs_of_what_the_page_is_made_of() -> None:
    command = [sys.executable, "-c", STUBS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "none True"


def test_the_page_is_built_without_what_only_models_need() -> None:
    command = [sys.executable, "-c", STARTED]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "light"
