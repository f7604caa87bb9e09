"""Several threads of a process load models at the same time, as the page and its games do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch

from miagym.targets.registry import load_target

THREADS, LOADS = 3, 6


def test_models_that_are_loaded_at_once_are_whole(pipelines: dict[str, Path]) -> None:
    folder = str(pipelines["epsilon"])
    z, captions = torch.ones(1, 4, 8, 8), ["a cat"]
    alone = load_target(folder).predict_noise(z, 100, captions)
    with ThreadPoolExecutor(THREADS) as pool:
        for target in pool.map(lambda _: load_target(folder), range(LOADS)):
            assert torch.equal(target.predict_noise(z, 100, captions), alone)
