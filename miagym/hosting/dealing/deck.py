"""Candidates of a phase, as many members as others."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from miagym.data.dataset import CALIBRATION, TEST, Dataset
from miagym.data.splits import deal_well
from miagym.errors import HostError
from miagym.hosting.dealing.secret import drawn
from miagym.hosting.suite import PHASES, HostedTask

MAX_ALIKE = 3
"""Candidates of one group of look-alikes in a deck."""


def deck(data: Dataset, task: HostedTask, phase: str, secret: str) -> Dataset:
    """Data whose test part are the candidates of a phase, as many members as others.

    Whole groups of look-alikes belong to one phase, so that `dev` teaches nothing about `final`,
    with `MAX_ALIKE` of each at most, since those of one group are no independent evidence. All
    players of a phase are asked about the same candidates.

    Raises:
        HostError: if there are too few.
    """
    groups = np.arange(len(data)) if data.groups is None else data.groups
    rng = np.random.default_rng(drawn(secret, "candidates", data.name))
    test = _thinned(rng.permutation(np.flatnonzero(data.part == TEST)), groups)
    sides = np.where(data.member[test], "member", "non-member").tolist()
    shares = {name: 1.0 for name in PHASES}
    half = deal_well(groups[test], sides, shares, drawn(secret, "phases", data.name), deals=50)
    rng = np.random.default_rng(drawn(secret, "deck", task.name, phase))
    each = task.hands * task.candidates // 2
    chosen: list[NDArray[np.int64]] = []
    for member in (True, False):
        side = test[(half == phase) & (data.member[test] == member)]
        if len(side) < each:
            raise HostError(
                f"{task.hands} hands of {task.candidates} need {each} members and as many others "
                f"in each phase; {data.name} has {len(side)}: name larger data, or fewer hands."
            )
        chosen.append(rng.permutation(side)[:each])
    part = np.full(len(data), CALIBRATION, dtype=data.part.dtype)
    part[np.concatenate(chosen)] = TEST
    return replace(data, part=part)


def _thinned(rows: NDArray[np.int64], groups: NDArray[np.integer]) -> NDArray[np.int64]:
    """The first `MAX_ALIKE` rows of each group, in order."""
    seen: Counter[int] = Counter()
    kept = []
    for row in map(int, np.asarray(rows)):
        seen[int(groups[row])] += 1
        if seen[int(groups[row])] <= MAX_ALIKE:
            kept.append(row)
    return np.sort(np.array(kept, dtype=np.int64))
