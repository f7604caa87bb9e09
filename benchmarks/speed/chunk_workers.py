"""Chunks side by side on single cores, against all cores on one chunk after another.

    python benchmarks/speed/chunk_workers.py

Prints the ratio of wall times of one denoising workload, alternating the two.
"""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import torch

from miagym.data.registry import load_data
from miagym.evaluation.workers import chunk_workers
from miagym.oracle import Oracle
from miagym.targets.registry import load_target

ROUNDS, CHUNKS, CHUNK = 5, 4, 64

data = load_data("clipart")
candidates = data.candidates(data.rows("test", seed=0, limit=CHUNKS * CHUNK // 2), size=64)
chunks = list(candidates.chunks(CHUNK))
target = load_target("clipart-realistic")


def work(chunk):
    return Oracle(target).vary(chunk, strength=0.3, steps=10, guidance_scale=1.0)


def seconds(pool: ThreadPoolExecutor | None) -> float:
    start = time.perf_counter()
    list(map(work, chunks) if pool is None else pool.map(work, chunks))
    return time.perf_counter() - start


work(chunks[0])
together, apart = [], []
for _ in range(ROUNDS):
    together.append(seconds(None))
    with chunk_workers(target) as workers:
        apart.append(seconds(workers))
ratio = statistics.median(a / b for a, b in zip(together, apart, strict=True))
print(f"{torch.get_num_threads()} cores: chunks side by side are {ratio:.2f} times as fast")
