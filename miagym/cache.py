"""Answers that were computed once and are asked for again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from miagym.budget import Cost
from miagym.errors import TargetError


def digest(rows: Tensor) -> list[bytes]:
    """A digest of each row's values: what makes a latent the same latent again."""
    values = np.ascontiguousarray(rows.detach().cpu().numpy())
    return [hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in values]


class Cache:
    """Remembers answers by what was asked, for as long as a chunk of candidates is at work.

    It holds no more than what the chunk's attacks asked: make a new one for each chunk.
    """

    def __init__(self) -> None:
        self._answers: dict[Hashable, Tensor] = {}
        self.computed = Cost()
        """What the target has had to compute, however often it was asked; queries do not count."""

    def fetch(
        self,
        keys: Sequence[Hashable],
        compute: Callable[[list[int]], Tensor],
        cost: Cost,
        batch_size: int,
    ) -> Tensor:
        """Answers (n, ...) to n questions, of which each distinct new one is computed once.

        Args:
            keys: what is asked, one for each row; equal keys mean equal answers.
            compute: takes row numbers, at most `batch_size`, and returns their answers (rows, ...).
            cost: what one computed row costs.
            batch_size: rows in one call.

        Raises:
            TargetError: if an answer is not finite.
        """
        fresh: dict[Hashable, int] = {}
        for i, key in enumerate(keys):
            if key not in self._answers:
                fresh.setdefault(key, i)
        missing = list(fresh.values())
        for start in range(0, len(missing), batch_size):
            rows = missing[start : start + batch_size]
            answers = compute(rows)
            if not torch.isfinite(answers).all():
                raise TargetError(
                    "The target answered with NaN or infinity; half precision overflows on some "
                    "models: load it with dtype=float32."
                )
            self._answers.update(zip((keys[i] for i in rows), answers, strict=True))
            self.computed += replace(cost, queries=0) * len(rows)
        return torch.stack([self._answers[key] for key in keys])
