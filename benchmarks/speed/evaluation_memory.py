"""Do memory and time of an evaluation grow with the number of candidates?

    python benchmarks/speed/evaluation_memory.py
    python benchmarks/speed/evaluation_memory.py --dummy --candidates 2000 10000 100000

The same evaluation on random pictures, few and many; each in a process of its own, of which the
largest resident memory is taken. With `--dummy`, the target is one without a network, so that what
is measured is all the rest. Pictures themselves stay on disk; a third of them calibrates.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

PER_GROUP = 256
DUMMY_SIZE = 16
"""Side of the dummy target's pictures, in pixels."""

REMEMBERED = 16
"""Members that the dummy target has memorised."""

WORDS = ("red", "green", "old", "small", "house", "cat", "boat", "tree", "by", "night", "of", "the")


def pictures(n: int, size: int, seed: int) -> Iterator[bytes]:
    rng = np.random.default_rng(seed)
    for _ in range(n):
        coarse = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        out = io.BytesIO()
        Image.fromarray(coarse).resize((size, size)).save(out, "PNG")
        yield out.getvalue()


def write(path: Path, n: int, size: int) -> None:
    """A parquet of n candidates, members and non-members in turn."""
    rng = np.random.default_rng(n + 1)
    captions = [" ".join(rng.choice(WORDS, 6)) + f" {row}" for row in range(n)]
    columns = {
        "image": list(pictures(n, size, seed=n)),
        "member": [row % 2 == 0 for row in range(n)],
        "caption": captions,
    }
    pq.write_table(pa.table(columns), path, row_group_size=PER_GROUP)


def largest_resident() -> float:
    """MiB of this program; `ru_maxrss` would count what its parent had when it was forked."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def evaluated(data: str, out: str, attacks: str, dummy: bool) -> None:
    """The evaluation, in this process, of which it prints what it took."""
    import miagym
    from miagym.targets.dummy import DummyTarget

    target, known = "clipart-overfit", miagym.load_data(data)
    if dummy:
        members = np.flatnonzero(known.member)[:REMEMBERED]
        target = DummyTarget(known.candidates(members, DUMMY_SIZE))
    start = time.process_time()
    miagym.evaluate(target, known, attacks, null=None, reference=None, out=out)
    took = {
        "peak_mib": largest_resident(),
        "cpu_seconds": time.process_time() - start,
        "report_bytes": (Path(out) / "report.html").stat().st_size,
    }
    print(json.dumps(took))


def measured(n: int, folder: Path, attacks: str, dummy: bool) -> dict[str, float]:
    """CPU seconds, MiB and bytes that n candidates take, in a process of its own."""
    data = folder / f"{n}.parquet"
    write(data, n, DUMMY_SIZE if dummy else 64)
    arguments = [str(data), str(folder / str(n)), attacks, *(["dummy"] if dummy else [])]
    done = subprocess.run(
        [sys.executable, __file__, "--one", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        check=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--candidates", type=int, nargs="+", default=[1500, 3000, 6000, 12000])
    parser.add_argument("--attacks", default="sima")
    parser.add_argument("--dummy", action="store_true")
    parser.add_argument("--one", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        evaluated(*options.one[:3], dummy=len(options.one) > 3)
        sys.exit()
    with tempfile.TemporaryDirectory() as folder:
        for n in options.candidates:
            took = measured(n, Path(folder), options.attacks, options.dummy)
            peak, seconds, report = took.values()
            said = f"{peak:,.0f} MiB, {seconds:,.0f} CPU seconds, report {report / 1e6:.2f} MB"
            print(f"{n:7,} candidates: {said}", flush=True)
