"""Paired noise: a function of (seed, candidate, timestep, draw), never of batch or order.

The same question asked by two attacks is then the same question, and attacks are compared under the
same noise.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor


def row_seed(seed: int, key: str, *what: object) -> int:
    """A 63-bit seed from a run's seed, a candidate's key and what the noise is for."""
    text = "|".join(map(str, (seed, key, *what)))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def paired_noise(seed: int, keys: Sequence[str], shape: tuple[int, ...], *what: object) -> Tensor:
    """Standard normal noise (n, *shape), float32 on the CPU, one stream for each key."""
    return noise_of_seeds([row_seed(seed, key, *what) for key in keys], shape)


def noise_of_seeds(seeds: Sequence[int], shape: tuple[int, ...]) -> Tensor:
    """Standard normal noise (n, *shape), float32 on the CPU, one stream for each seed."""
    noise, generator = torch.empty((len(seeds), *shape)), torch.Generator()
    for row, seed in zip(noise, seeds, strict=True):
        torch.randn(shape, generator=generator.manual_seed(seed), out=row)
    return noise
