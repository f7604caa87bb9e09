"""Does the memory of an evaluation grow with the number of candidates?

    python benchmarks/evaluation_memory.py

The same evaluation on random pictures, few and many; each in a process of its own, of which the
largest resident memory is taken. A score takes some 10 bytes of it. The audit keeps 10 to 20 KB for
each picture, of at most 20,000 a side, and matrices of its caption patterns, 4,003 at most (120 MiB
each). Pictures themselves stay on disk.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

CALIBRATION = 40
PER_GROUP = 256
RUN = (
    "import resource, sys; from miagym.cli import main\n"
    "try: main()\n"
    "finally: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
)


def pictures(n: int, seed: int) -> Iterator[bytes]:
    rng = np.random.default_rng(seed)
    for _ in range(n):
        coarse = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        out = io.BytesIO()
        Image.fromarray(coarse).resize((64, 64)).save(out, "PNG")
        yield out.getvalue()


def write(path: Path, n: int) -> None:
    """A parquet of n members and n non-members to test, and a few to calibrate."""
    total = 2 * (n + CALIBRATION)
    part = ["calibration"] * (2 * CALIBRATION) + ["test"] * (2 * n)
    columns = {
        "image": list(pictures(total, seed=n)),
        "member": [row % 2 == 0 for row in range(total)],
        "caption": [f"picture {row}" for row in range(total)],
        "part": part,
    }
    pq.write_table(pa.table(columns), path, row_group_size=PER_GROUP)


def peak(n: int, folder: Path) -> float:
    """MiB."""
    data = folder / f"{n}.parquet"
    write(data, n)
    arguments = ["evaluate", "--target", "clipart-overfit", "--data", str(data), "--null", "-"]
    arguments += ["--attacks", "sima,pia", "--out", str(folder / str(n))]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return int(done.stderr.splitlines()[-1]) / 1024


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--candidates", type=int, nargs="+", default=[500, 1000, 2000, 4000])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for n in options.candidates:
            print(f"{n:6,} + {n:,} candidates: {peak(n, Path(folder)):,.0f} MiB at most")
