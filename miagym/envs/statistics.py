"""Statistics of answers: how far each is from the candidate, or from the noise put in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # the names and sizes of statistics are wanted where there is no torch
    from torch import Tensor

STATISTICS = ("mean |d|", "root mean d²", "fourth root of mean d⁴", "root mean square of mean d")
"""Of the difference d between an answer and what it should be, over its elements; the last one of
the mean of all d that answered the same question about the same candidate in this episode."""

MAX_STATISTIC = 1e6
"""Statistics are cut off here, so that they have a bounded space."""


Sums = tuple[dict[tuple[int, int], tuple["Tensor", int]], ...]
"""For each episode, by candidate and question: the sum of the differences, and how many."""


class RunningMeans:
    """Running means of differences in each of b episodes, by candidate and question."""

    def __init__(self, episodes: int) -> None:
        self._sums: list[dict[tuple[int, int], tuple[Tensor, int]]] = [{} for _ in range(episodes)]

    def forget(self, episode: int) -> None:
        """Forgets an episode's answers."""
        self._sums[episode].clear()

    def saved(self) -> Sums:
        """Sums and counts of all episodes; they are never changed."""
        return tuple(dict(sums) for sums in self._sums)

    def restore(self, saved: Sums) -> None:
        self._sums = [dict(sums) for sums in saved]

    def add(self, asked: Sequence[tuple[int, int, int]], difference: Tensor) -> Tensor:
        """Adds answers, and returns the means so far of what each answered (k, ...), in order.

        Args:
            asked: episode, candidate and question of each answer.
            difference: (k, ...).
        """
        import torch

        totals, counts = [], []
        for (episode, *what), d in zip(asked, difference, strict=True):
            candidate, question = what
            before, count = self._sums[episode].get((candidate, question), (None, 0))
            total = d.clone() if before is None else before + d  # no view, which keeps its batch
            self._sums[episode][candidate, question] = total, count + 1
            totals.append(total)
            counts.append(count + 1)
        each = torch.tensor(counts, device=difference.device)
        return torch.stack(totals) / each.reshape(-1, *[1] * (difference.dim() - 1))


def statistics_of(difference: Tensor, mean: Tensor) -> Tensor:
    """Statistics (k, 4) of differences and their running means, both (k, ...), clamped."""
    import torch

    d = difference.float().flatten(1)
    columns = [d.abs().mean(1), _norm(d, 2), _norm(d, 4)]
    own = torch.stack(columns, dim=1).clamp(0, MAX_STATISTIC)
    return torch.cat([own, statistic_of_mean(mean)[:, None]], dim=1)


def statistic_of_mean(mean: Tensor) -> Tensor:
    """The last of the statistics (k,), of running means (k, ...), clamped."""
    return _norm(mean.float().flatten(1), 2).clamp(0, MAX_STATISTIC)


def add_up(
    counts: NDArray[np.int32],
    summaries: NDArray[np.float32],
    asked: NDArray[np.intp],
    values: NDArray[np.float32],
) -> None:
    """Updates counts (b, n, menu) and summaries (b, n, menu, F) with answers, in their order.

    Args:
        counts: of answers.
        summaries: of their statistics.
        asked: episode, candidate and question of each answer (k, 3); some may be the same.
        values: statistics of each answer (k, F).
    """
    left = np.arange(len(asked))
    while len(left):  # the first answers to each question, then the second ones, ...
        _, first = np.unique(asked[left], axis=0, return_index=True)
        rows = left[first]
        where = tuple(asked[rows].T)
        counts[where] += 1
        summaries[where] = summarised(summaries[where], values[rows], counts[where])
        left = np.delete(left, first)


def summarised(
    summary: NDArray[np.float32], values: NDArray[np.float32], count: NDArray[np.int32] | np.int32
) -> NDArray[np.float32]:
    """Updates the summaries of questions (..., F) with the statistics of their answers (..., F).

    Means over the answers, of which these have the number `count` (...), but for the last
    statistic, which is of the mean answer by itself: its latest value.
    """
    result = summary + (values - summary) / np.asarray(count)[..., None]
    latest = np.arange(values.shape[-1]) % len(STATISTICS) == len(STATISTICS) - 1
    result[..., latest] = values[..., latest]
    return result.astype(np.float32)


def _norm(d: Tensor, p: int) -> Tensor:
    """(mean |d|^p)^(1/p), computed at a scale where no power overflows."""
    scale = d.abs().amax(1, keepdim=True).clamp(min=1e-20)
    return (d / scale).abs().pow(p).mean(1).pow(1 / p) * scale[:, 0]
