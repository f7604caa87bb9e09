"""What makes a run this run: configuration, data, models, code, versions, commit."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from miagym import __version__
from miagym.evaluation.code.digests import attack_digests, engine_digest

if TYPE_CHECKING:
    from miagym.evaluation.config import Config
    from miagym.evaluation.experiment import Experiment

LIBRARIES = ("torch", "diffusers", "transformers", "numpy", "scikit-learn")


def identity(config: Config, runs: Sequence[Experiment], command: str) -> dict[str, Any]:
    """The content of run.json: nothing in it changes from one run of a command to the next."""
    models: dict[str, str] = {}
    targets: dict[str, dict[str, str]] = {}
    for run in runs:
        for name, model in run.models().items():
            models[name], targets[name] = model.fingerprint, dict(model.provenance)
        if len(runs) > 1:
            run.release()  # so that those of one match at a time are in memory
    return {
        "schema": 2,
        "command": command,
        "config": config.as_json(),
        "data": {run.match.data: run.data.digest for run in runs},
        "models": dict(sorted(models.items())),
        "targets": dict(sorted(targets.items())),
        "attacks": [
            {name: [repr(v) for v in attack.variants()] for name, attack in run.attacks.items()}
            for run in runs
        ],
        "code": [attack_digests(run.attacks) for run in runs],
        "engine": engine_digest(),
        "versions": versions(),
        "git_commit": git_commit(),
    }


def versions() -> dict[str, str]:
    """Versions of Python, miagym and the libraries that decide numbers."""
    return {
        "python": sys.version.split()[0],
        "miagym": __version__,
        **{name: version(name) for name in LIBRARIES},
    }


def git_commit() -> str | None:
    """The commit of the checkout that this code runs from, or None outside of one."""
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()
