"""Cores of a machine, dealt among chunks that are scored side by side."""

from __future__ import annotations

import pytest
import torch

from miagym.evaluation.workers import MAX_WORKERS, chunk_workers
from miagym.targets.dummy import DummyTarget


@pytest.mark.parametrize(("chunks", "at_once"), [(1, 1), (2, 2), (99, MAX_WORKERS)])
def test_no_core_is_idle_however_many_chunks_there_are(
    chunks: int, at_once: int, dummy: DummyTarget
) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        with chunk_workers(dummy, chunks) as pool:
            threads = [pool.submit(torch.get_num_threads).result() for _ in range(at_once)]
            assert pool._max_workers == at_once
            assert set(threads) == {4 // at_once}
        assert torch.get_num_threads() == 4
    finally:
        torch.set_num_threads(before)
