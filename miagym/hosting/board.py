"""Leaderboard: the last submission of each player with intervals, beside a row that never asks.

Ranks are groups: a player stands below another only if the difference of their AUCs on the same
candidates, corrected for all that were compared, is shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from miagym.agents.blind_agent import BlindAgent
from miagym.data.dataset import TEST
from miagym.envs.pool import PoolVectorEnv
from miagym.envs.settings import TRAIN, Settings
from miagym.envs.single import SingleVectorEnv
from miagym.errors import HostError
from miagym.hosting.dealing.deal import Deal
from miagym.hosting.dealing.labels import Labels
from miagym.hosting.host import Host
from miagym.hosting.records.keys import BLIND
from miagym.hosting.suite import FINAL
from miagym.metrics.auc import Interval, auc
from miagym.metrics.brier import brier_rewards
from miagym.targets.registry import shared_target

CLOSED = "The leaderboard of the final phase is shown once whoever runs this host opens it."
ALPHA, AT_FPR = 0.05, 0.01
DIGITS = 3
ROWS, POOL, FIT_CANDIDATES = 32, 8, 600
"""What the blind row learns on: at once, of these in a hand about a population, and in all."""


@dataclass(frozen=True)
class Standing:
    """Row of a leaderboard; intervals are of 95 %, and pictures count by groups of look-alikes."""

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
    intervals_over: str
    """"pictures", or "models and pictures" of a population; TPR and rewards, too."""
    spent: int
    """In all walks of this phase, in the task's coin."""
    submissions: int

    def as_row(self) -> dict[str, Any]:
        """Plain numbers, lists and None; with as many digits as intervals bear."""
        return {name: rounded(value) for name, value in asdict(self).items()}


def board(host: Host, name: str) -> list[Standing]:
    """The leaderboard of a task in the host's phase, the best group first."""
    deck, desk = host.deck(name), host.desk(name)
    labels, everyone = deck.deal.labels(deck.settings.resolution), desk.all()
    last = {one.player: one for one in desk.last()}
    scores = {player: labels.ordered(one.scores) for player, one in last.items()}
    scores[BLIND] = blind_scores(deck.settings, deck.deal, labels)
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
    member = labels.member
    area = {name: auc(each[member], each[~member]) for name, each in scores.items()}
    order = sorted(scores, key=lambda name: (-area[name], name))
    pairs = len(order) * (len(order) - 1) // 2
    ranks, best = {order[0]: 1}, order[0]
    for place, name in enumerate(order[1:], start=2):
        between = labels.auc_difference(scores[best], scores[name])
        if between.p * pairs <= ALPHA:
            best, ranks[name] = name, place
        else:
            ranks[name] = ranks[best]
    return ranks


def _measured(scores: NDArray[np.float64], labels: Labels) -> dict[str, Any]:
    found = labels.metrics(scores)
    at = found.tpr_at_fpr.get(AT_FPR)
    is_probability = scores.min() >= 0 and scores.max() <= 1
    reward = brier_rewards(scores, labels.member) if is_probability else None
    return {
        "auc": found.auc,
        "auc_ci": found.auc_ci,
        "tpr": at and at.point.tpr,
        "tpr_ci": at and at.ci,
        "brier_reward": None if reward is None else float(reward.mean()),
        "brier_reward_ci": None if reward is None else labels.reward_intervals(reward[:, None])[0],
        "intervals_over": labels.intervals_over,
    }


@lru_cache(maxsize=16)
def _blind_agent(target: str, data: str, population: str) -> BlindAgent:
    if population:
        envs = PoolVectorEnv(ROWS // POOL, family=population, split=TRAIN, candidates=POOL)
    else:
        envs = SingleVectorEnv(ROWS, target=target, data=data, split=TRAIN)
    return BlindAgent.fit(envs, episodes=FIT_CANDIDATES // ROWS, seed=0)


def blind_scores(settings: Settings, deal: Deal, labels: Labels) -> NDArray[np.float64]:
    """Verdicts (n,) of an agent that never asks, learned on candidates of the calibration part."""
    assert isinstance(settings.target, str)
    rows = np.flatnonzero(deal.data.part == TEST)
    candidates = deal.data.candidates(rows, settings.resolution)
    agent = _blind_agent(settings.target, deal.task.data, deal.task.population)
    tokens = shared_target(settings.target, "auto").tokenize(candidates.captions)
    said = dict(zip(candidates.keys, agent.judge(candidates.images, tokens), strict=True))
    return np.array([said[key] for key in labels.pictures])


def rounded(value: Any) -> Any:
    """A number, or a tuple of such as a list, with as many digits as intervals bear."""
    if isinstance(value, tuple):
        return [rounded(one) for one in value]
    return round(value, DIGITS) if isinstance(value, float) else value
