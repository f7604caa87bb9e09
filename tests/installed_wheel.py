"""`make dist`: a wheel, installed into a fresh environment outside of the checkout, runs the demo.

It lacks no file that git knows in the packages, and needs no more than its own requirements.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parents[1]
PACKAGES = ("miagym", "attacks")
NOT_SHIPPED = {"attacks/README.md"}
"""For readers of the repository."""


def check_files(wheel: Path) -> None:
    """Every file of the packages is in the wheel."""
    listed = subprocess.run(
        ["git", "ls-files", *PACKAGES], cwd=ROOT, check=True, capture_output=True, text=True
    )
    with ZipFile(wheel) as archive:
        missing = set(listed.stdout.splitlines()) - set(archive.namelist()) - NOT_SHIPPED
    assert not missing, f"{wheel.name} lacks {', '.join(sorted(missing))}."


def install(wheel: Path, environment: Path) -> None:
    """Makes an environment that holds the wheel and what it requires, as the Makefile does."""
    venv.create(environment, with_pip=True)
    python, pinned = environment / "bin/python", ["-c", ROOT / "constraints.txt"]
    pip = [python, "-m", "pip", "install", "--quiet", "--no-compile"]
    subprocess.run([*pip, "torch", *pinned], check=True)
    uv = [Path(sys.executable).parent / "uv", "pip", "install", "--quiet", "--python", python]
    if subprocess.run([*uv, wheel, *pinned], env=os.environ | {"UV_SYSTEM_CERTS": "1"}).returncode:
        subprocess.run([*pip, wheel, *pinned], check=True)


def check_runs(environment: Path, folder: Path) -> None:
    """The commands run from the installed package, in a folder without any checkout."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    env |= {"HF_HUB_OFFLINE": "1", "XDG_CACHE_HOME": str(folder / "cache")}

    def run(*command: str) -> str:
        path = environment / "bin" / command[0]
        return subprocess.run(
            [path, *command[1:]], cwd=folder, env=env, check=True, stdout=subprocess.PIPE, text=True
        ).stdout

    for package in PACKAGES:
        place = Path(run("python", "-c", f"import {package}; print({package}.__file__)").strip())
        assert place.is_relative_to(environment), f"{package} came from {place}."
    assert "evaluate" in run("miagym", "--help")
    assert "pia" in run("python", "-m", "miagym", "attacks")
    print(run("miagym", "demo", "--limit", "20", "--no-app"))
    results = json.loads((folder / "runs/demo/results.json").read_text())
    assert {row["target"] for row in results["rows"]} == {"clipart-overfit", "clipart-realistic"}
    assert (folder / "runs/demo/report.html").stat().st_size > 100_000


def main() -> None:
    """Takes the wheel's path."""
    wheel = Path(sys.argv[1]).resolve()
    check_files(wheel)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder).resolve()
        install(wheel, place / "environment")
        (place / "elsewhere").mkdir()
        check_runs(place / "environment", place / "elsewhere")
    print(f"{wheel.name} runs.")


if __name__ == "__main__":
    main()
