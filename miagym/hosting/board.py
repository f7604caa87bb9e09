"""Leaderboard: the last submission of each player with intervals, beside a row that never asks.

Ranks are groups: a player stands below another only if the difference of their AUCs on the same
candidates, corrected for all that were compared, is shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from threading import Lock
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from miagym.agents.blind_agent import BlindAgent
from miagym.data.dataset import TEST, Dataset
from miagym.data.registry import load_data
from miagym.envs.settings import Settings
from miagym.envs.single import SingleVectorEnv
from miagym.errors import HostError
from miagym.hosting.host import Host
from miagym.hosting.records.keys import BLIND
from miagym.hosting.seats import settings_of
from miagym.hosting.suite import FINAL
from miagym.metrics.auc import Interval
from miagym.metrics.brier import brier_rewards
from miagym.metrics.comparisons.comparison import compare
from miagym.metrics.groups.group_bootstrap import mean_intervals
from miagym.metrics.measure import measure
from miagym.targets.registry import shared_target

CLOSED = "The leaderboard of the final phase is shown once whoever runs this host opens it."
ALPHA, AT_FPR = 0.05, 0.01
DIGITS = 3
FIT_EPISODES = 600


@dataclass(frozen=True)
class Standing:
    """Row of a leaderboard; intervals are of 95 %, over groups of look-alikes where there are."""

    rank: int
    """Of the group; players of one group are not told apart."""
    player: str
    is_blind: bool
    auc: float
    auc_ci: Interval
    tpr: float | None
    """At a false positive rate of at most 1 %; None where the candidates are too few."""
    tpr_ci: Interval | None
    brier_reward: float | None
    """None where scores are no probabilities."""
    brier_reward_ci: Interval | None
    spent: int
    """In all walks of this phase, in the task's coin."""
    submissions: int

    def as_row(self) -> dict[str, Any]:
        """Plain numbers, lists and None; with as many digits as intervals bear."""
        return {name: rounded(value) for name, value in asdict(self).items()}


@dataclass(frozen=True, eq=False)
class Labels:
    """What the board knows of a task's candidates, in the order of their keys."""

    keys: tuple[str, ...]
    member: NDArray[np.bool_]
    groups: NDArray[np.integer] | None

    @classmethod
    def of(cls, data: Dataset, size: int) -> Self:
        rows = np.flatnonzero(data.part == TEST)
        keys = np.array(data.candidates(rows, size).keys)
        order = np.argsort(keys)
        rows = rows[order]
        groups = None if data.groups is None else data.groups[rows]
        return cls(tuple(keys[order].tolist()), data.member[rows], groups)

    def only(self, keys: Collection[str]) -> Self:
        """The labels of some candidates."""
        rows = np.array([row for row, key in enumerate(self.keys) if key in keys], dtype=np.int64)
        groups = None if self.groups is None else self.groups[rows]
        return type(self)(tuple(self.keys[row] for row in rows), self.member[rows], groups)

    def ordered(self, scores: Mapping[str, float]) -> NDArray[np.float64]:
        return np.array([scores[key] for key in self.keys])


def board(host: Host, name: str) -> list[Standing]:
    """The leaderboard of a task in the host's phase, the best group first."""
    task, data, desk = host.task(name), host.deck(name).data, host.desk(name)
    settings = settings_of(task, task.targets[0], data)
    labels, everyone = Labels.of(data, settings.resolution), desk.all()
    last = {one.player: one for one in desk.last()}
    scores = {player: labels.ordered(one.scores) for player, one in last.items()}
    scores[BLIND] = labels.ordered(blind_scores(settings, load_data(task.data)))
    sent = Counter(one.player for one in everyone)
    return standings(scores, labels, {player: one.spent for player, one in last.items()}, sent)


def standings(
    scores: Mapping[str, NDArray[np.float64]],
    labels: Labels,
    spent: Mapping[str, int],
    submissions: Mapping[str, int],
) -> list[Standing]:
    """Rows of scores on the same candidates, the best group first.

    Args:
        scores: of each player, in the order of the labels; those of `BLIND` asked nothing.
        labels: of the candidates.
        spent: of each player, in the task's coin; 0 where nothing is said.
        submissions: of each player, likewise.
    """
    ranks = rank_groups(scores, labels)
    return [
        Standing(
            rank=ranks[player],
            player=player,
            is_blind=player == BLIND,
            spent=spent.get(player, 0),
            submissions=submissions.get(player, 0),
            **_measured(scores[player], labels),
        )
        for player in sorted(scores, key=lambda player: (ranks[player], player))
    ]


class Boards:
    """Leaderboards of a host, measured anew only where somebody has submitted since.

    Nobody waits for another's measurement: anybody may read without a key, and each who waits keeps
    a thread from players.

    In `final` nobody reads one before it is opened: each file that is handed in tells labels by
    what it does to its row, which no number of digits prevents.

    Args:
        host: whose tasks they are of.
        is_open: whether they are read in `final`, too.
    """

    def __init__(self, host: Host, is_open: bool = False) -> None:
        self._host, self._locks = host, {name: Lock() for name in host.tasks}
        self._is_open = is_open or host.phase != FINAL
        self._kept: dict[str, tuple[int, list[dict[str, Any]]]] = {}

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Rows of a task's leaderboard; those before the newest while that is measured.

        Raises:
            HostError: if there is no such task, it is not open yet, or is being measured for the
                first time.
        """
        if not self._is_open:
            raise HostError(CLOSED, 403)
        newest = self._host.desk(name).newest()
        kept = self._kept.get(name)
        if kept is not None and kept[0] == newest:
            return kept[1]
        lock = self._locks[name]
        if lock.acquire(blocking=False):
            try:
                rows = [standing.as_row() for standing in board(self._host, name)]
                kept = self._kept[name] = newest, rows
            finally:
                lock.release()
        if kept is None:
            raise HostError("This leaderboard is being measured; ask again soon.", 503)
        return kept[1]


def rank_groups(scores: Mapping[str, NDArray[np.float64]], labels: Labels) -> dict[str, int]:
    """Rank of each player's group: 1, then one more than there are players in groups above.

    From the best AUC downwards; who is not shown to be worse than the best of a group belongs to
    it. Differences are paired; their p-values are multiplied by the number of all pairs
    (Bonferroni), since who is compared with whom is decided by the same scores.
    """
    auc = {name: measure(each, labels.member, labels.groups).auc for name, each in scores.items()}
    order = sorted(scores, key=lambda name: (-auc[name], name))
    pairs = len(order) * (len(order) - 1) // 2
    ranks, best = {order[0]: 1}, order[0]
    for place, name in enumerate(order[1:], start=2):
        between = compare(scores[best], scores[name], labels.member, 0, labels.groups).auc
        if between.p * pairs <= ALPHA:
            best, ranks[name] = name, place
        else:
            ranks[name] = ranks[best]
    return ranks


def _measured(scores: NDArray[np.float64], labels: Labels) -> dict[str, Any]:
    found = measure(scores, labels.member, labels.groups)
    at = found.tpr_at_fpr.get(AT_FPR)
    is_probability = scores.min() >= 0 and scores.max() <= 1
    reward = brier_rewards(scores, labels.member) if is_probability else None
    return {
        "auc": found.auc,
        "auc_ci": found.auc_ci,
        "tpr": at and at.point.tpr,
        "tpr_ci": at and at.ci,
        "brier_reward": None if reward is None else float(reward.mean()),
        "brier_reward_ci": None
        if reward is None
        else mean_intervals(reward[:, None], labels.groups)[0],
    }


@lru_cache(maxsize=16)
def _blind_agent(target: str, data: str) -> BlindAgent:
    envs = SingleVectorEnv(32, target=target, data=data, split="train")
    return BlindAgent.fit(envs, episodes=FIT_EPISODES // 32, seed=0)


def blind_scores(settings: Settings, data: Dataset) -> dict[str, float]:
    """Verdicts of an agent that never asks, learned on candidates of the calibration part."""
    assert isinstance(settings.target, str) and isinstance(settings.data, Dataset)
    rows = np.flatnonzero(settings.data.part == TEST)
    candidates = settings.data.candidates(rows, settings.resolution)
    agent = _blind_agent(settings.target, data.name)
    tokens = shared_target(settings.target, "auto").tokenize(candidates.captions)
    said = agent.judge(candidates.images, tokens)
    return dict(zip(candidates.keys, map(float, said), strict=True))


def rounded(value: Any) -> Any:
    """A number, or a tuple of such as a list, with as many digits as intervals bear."""
    if isinstance(value, tuple):
        return [rounded(one) for one in value]
    return round(value, DIGITS) if isinstance(value, float) else value
