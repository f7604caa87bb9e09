"""Answers that were computed once and are asked for again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from miagym.errors import TargetError, told
from miagym.oracle.budget import Cost


def digest(rows: Tensor) -> list[bytes]:
    """A digest of each row's values: what makes a latent the same latent again."""
    values = np.ascontiguousarray(rows.detach().cpu().numpy())
    return [hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in values]


class Cache:
    """Remembers answers by what was asked, for as long as a chunk of candidates is at work.

    It holds no more than what the chunk's attacks asked: make a new one for each chunk. Where there
    are no chunks, a limit keeps it small.

    Args:
        most_bytes: of the answers kept; the oldest are forgotten beyond it. No limit by default.
    """

    def __init__(self, most_bytes: int | None = None) -> None:
        self.most_bytes = most_bytes
        self.kept_bytes = 0
        self._answers: dict[Hashable, Tensor] = {}  # the oldest first
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
        try:
            self._compute(keys, compute, cost, batch_size)
            return torch.stack([self._answers[key] for key in keys])
        finally:
            self._forget()

    def saved(self) -> dict[Hashable, Tensor]:
        """The answers that are kept, the oldest first; they are never changed."""
        return dict(self._answers)

    def restore(self, answers: Mapping[Hashable, Tensor]) -> None:
        """Keeps these answers instead; what was charged or computed stays counted."""
        self._answers = dict(answers)
        self.kept_bytes = sum(answer.nbytes for answer in self._answers.values())

    def _compute(
        self,
        keys: Sequence[Hashable],
        compute: Callable[[list[int]], Tensor],
        cost: Cost,
        batch_size: int,
    ) -> None:
        fresh: dict[Hashable, int] = {}
        for i, key in enumerate(keys):
            if key not in self._answers:
                fresh.setdefault(key, i)
        missing = list(fresh.values())
        for start in range(0, len(missing), batch_size):
            rows = missing[start : start + batch_size]
            answers = compute(rows)
            if not torch.isfinite(answers).all():
                python = "load it with dtype='float32'"
                advice = told("say --dtype float32 or --device cpu", python)
                raise TargetError(
                    "The target answered with NaN or infinity; if it was loaded in half precision, "
                    f"which overflows on some models, {advice}."
                )
            self._answers.update(zip((keys[i] for i in rows), answers, strict=True))
            self.kept_bytes += answers.nbytes
            self.computed += replace(cost, queries=0) * len(rows)

    def _forget(self) -> None:
        if self.most_bytes is not None:
            while self._answers and self.kept_bytes > self.most_bytes:
                self.kept_bytes -= self._answers.pop(next(iter(self._answers))).nbytes
