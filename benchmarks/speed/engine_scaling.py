"""What an engine's two processes reach, against two that are begun by hand.

    python benchmarks/speed/engine_scaling.py [--limit 150] [--rounds 2] [--attacks NAMES]

One run of the same attacks each time: one process alone, two with `--together`, and two that Ray
and submitit's local executor start (`pip install 'miagym[ray,slurm]'`). Times are wall times of the
whole command, imports and the engine's own start with them, some 12 s of a short run; the rounds
alternate. Every process has one thread, so that two of them have a core each.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMAND = [sys.executable, "-m", "miagym", "evaluate", "--target", "clipart-overfit"]
ATTACKS = "secmi,pia,sima,rediffuse"
WAYS: dict[str, list[list[str]]] = {
    "one process": [[]],
    "two, begun by hand": [["--together"], ["--together"]],
    "two, by Ray": [["--engine", "ray", "--jobs", "2"]],
    "two, by submitit": [["--engine", "slurm", "--jobs", "2"]],
}
"""Options of each process that is begun."""


def seconds(way: str, attacks: str, limit: int) -> float:
    """Wall time of one run, until the last of its processes has ended."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "run")
        asked = [*COMMAND, "--attacks", attacks, "--limit", str(limit), "--out", str(out)]
        env = {**os.environ, "OMP_NUM_THREADS": "1"}
        begun = time.perf_counter()
        both = [
            subprocess.Popen([*asked, *options], env=env, stdout=subprocess.DEVNULL)
            for options in WAYS[way]
        ]
        ends = [one.wait() for one in both]
        took = time.perf_counter() - begun
        assert not any(ends) and (out / "results.json").is_file(), (way, ends)
    return took


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--limit", type=int, default=150)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--attacks", default=ATTACKS)
    options = parser.parse_args()
    took: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(options.rounds):
        for way in WAYS:
            took[way].append(seconds(way, options.attacks, options.limit))
    by_hand = statistics.median(took["two, begun by hand"])
    for way, found in took.items():
        each = ", ".join(f"{one:.1f}" for one in found)
        print(f"{way}: {each} s; {by_hand / statistics.median(found):.2f} of two by hand")


if __name__ == "__main__":
    main()
