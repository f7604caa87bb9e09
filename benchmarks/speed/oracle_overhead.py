"""Rows per second through the oracle, against the bare UNet on equal batches.

    python benchmarks/speed/oracle_overhead.py

Prints the bare UNet's rows per second at batch 64 and the oracle's share of it, alternating the two
so that a drifting machine slows both. Nothing is cached: every row is asked once.
"""

from __future__ import annotations

import statistics
import time

import torch

from miagym.data.registry import load_data
from miagym.oracle import Oracle
from miagym.targets.registry import load_target

ROUNDS, BATCH = 9, 64

data = load_data("clipart")
candidates = data.candidates(data.rows("test", seed=0, limit=BATCH // 2), size=64)
target = load_target("clipart-realistic")
z0 = Oracle(target).encode(candidates)
target.predict_noise(z0, 0, candidates.captions)  # captions are embedded once, as in a real run

bare, asked = [], []
for round_ in range(ROUNDS):
    z = z0 + 0.01 * round_ * torch.randn(z0.shape, generator=torch.Generator().manual_seed(round_))
    start = time.perf_counter()
    target.predict_noise(z, 100, candidates.captions)
    middle = time.perf_counter()
    Oracle(target).predict_noise(candidates, z, 100)
    bare.append(middle - start)
    asked.append(time.perf_counter() - middle)

ratios = [b / a for b, a in zip(bare, asked, strict=True)]
print(f"bare UNet: {BATCH / statistics.median(bare):,.0f} rows/s at batch {BATCH}")
print(f"through the oracle: {statistics.median(ratios):.2f} of it (median of {ROUNDS})")
