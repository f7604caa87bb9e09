"""Threads that score chunks side by side."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch

from miagym.targets.base import Target

MOST_WORKERS = 4
"""Each worker keeps the answers of a whole chunk in memory."""


@contextmanager
def chunk_workers(target: Target) -> Iterator[ThreadPoolExecutor]:
    """A pool in which chunks of a target are scored; an interrupt drops what has not begun.

    A GPU serves one chunk at a time. On a CPU, a few chunks side by side, on some cores each, beat
    all cores on one small batch, since the networks release Python's lock; what that gains is
    measured by `benchmarks/chunk_workers.py`. Scores do not depend on it.
    """
    cores = torch.get_num_threads()
    workers = min(cores, MOST_WORKERS) if target.device.type == "cpu" else 1
    share = max(1, cores // workers)
    pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(share,))
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        torch.set_num_threads(cores)
