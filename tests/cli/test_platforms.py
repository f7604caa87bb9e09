"""What another system lacks is not needed: POSIX modules at import, a locale of UTF-8."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
POSIX = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "termios", "tty"}
WITHOUT = """
import builtins, importlib, pkgutil, sys
POSIX = set(sys.argv[1:])
as_it_is = builtins.__import__

def hiding(name, globals=None, *rest, **more):
    ours = (globals or {}).get("__name__", "").partition(".")[0] in ("miagym", "attacks")
    if ours and name.partition(".")[0] in POSIX:
        raise ImportError(f"{globals['__name__']} needs {name}")
    return as_it_is(name, globals, *rest, **more)

builtins.__import__ = hiding
import attacks, miagym
walked = [pkgutil.walk_packages(p.__path__, p.__name__ + ".") for p in (miagym, attacks)]
found = [module.name for modules in walked for module in modules]
for name in found:
    if not name.endswith("__main__"):
        try:
            importlib.import_module(name)
        except ImportError as error:
            if any(missing in str(error) for missing in ("stable_baselines3", "lingua", "kaleido")):
                continue
            raise
print(len(found))
"""


def imported_at_once(tree: ast.Module) -> set[str]:
    """Names of what a module imports as it is imported, but for what functions import later."""
    found, waiting = set(), [*tree.body]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += ast.iter_child_nodes(node)
    return found


def test_posix_modules_are_imported_late() -> None:
    files = [path for name in ("miagym", "attacks") for path in (ROOT / name).rglob("*.py")]
    for path in files:
        found = imported_at_once(ast.parse(path.read_text(encoding="utf-8")))
        assert not found & POSIX, f"{path} needs {found & POSIX} to be imported"


@pytest.mark.slow
def test_no_module_needs_a_posix_module_to_be_imported() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, *POSIX],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 400


@pytest.mark.long
@pytest.mark.slow
def test_commands_under_a_c_locale(pipelines: dict[str, Path], tmp_path: Path) -> None:
    """Where Python takes files and terminals for ASCII unless it is told otherwise."""
    folder = tmp_path / "runs"
    target = ["--target", str(pipelines["epsilon"]), "--data", "clipart-tune", "--limit", "10"]
    run = [str(folder / run) for run in ("one", "two")]
    commands = [
        ["attacks"],
        ["attacks", "--json"],
        ["data", "show", "clipart-tune"],
        ["evaluate", *target, "--attacks", "sima", "--out", run[0]],
        ["evaluate", *target, "--attacks", "sima", "--out", run[0], "--progress", "json"],
        ["diff", *run],
        ["audit", "clipart-tune"],
        ["evaluate", *target, "--attacks", "secmy", "--out", run[0]],
        ["diff", run[0], "Läufe"],
    ]
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "OMP_NUM_THREADS": "1"}
    for arguments in commands:
        if arguments == ["diff", *run]:
            shutil.copytree(run[0], run[1])
        done = subprocess.run(
            [sys.executable, "-m", "miagym", *arguments],
            cwd=tmp_path,
            env=os.environ | locale | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
        )
        said = done.stdout + done.stderr
        assert done.returncode == (2 if {"secmy", "Läufe"} & {*arguments} else 0), said
        if "Läufe" in arguments:
            assert b"set PYTHONUTF8=1" in said
        assert b"Traceback" not in said and b"UnicodeEncodeError" not in said
    assert json.loads((Path(run[0]) / "results.json").read_text(encoding="utf-8"))["rows"]
