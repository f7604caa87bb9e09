"""Checks of exercise 2: the AUC and TPR at a low FPR, with ties."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from miagym.exercises.task import Task, answered, close, expect, number, numbers
from miagym.metrics.auc import auc as known_auc
from miagym.metrics.detection import tpr_at_fpr as known_tpr

ROUNDS = 40
ALPHAS = (0.01, 0.07, 0.1, 0.29, 0.5)


def sides(seed: int, tied: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Random scores of members and of non-members, of random numbers."""
    rng = np.random.default_rng(seed)
    members = rng.normal(0.7, 1.5, size=rng.integers(3, 60))
    nonmembers = rng.normal(size=rng.choice([7, 30, 100]))
    return (members.round(), nonmembers.round()) if tied else (members, nonmembers)


def check_auc(auc: Any) -> None:
    for seed in range(ROUNDS):
        members, nonmembers = sides(seed, tied=False)
        got = number(auc(members, nonmembers))
        expect(
            not close(got, known_auc(nonmembers, members)),
            "the wrong way round: this is how often a non-member scores above a member.",
        )
        expect(
            close(got, known_auc(members, nonmembers)),
            f"of {len(members)} members and {len(nonmembers)} non-members without any tie it is "
            "not the share of pairs in which the member scores above.",
        )
        members, nonmembers = sides(seed, tied=True)
        expect(
            close(auc(members, nonmembers), known_auc(members, nonmembers)),
            "right without ties, wrong with them: a pair that is tied counts half.",
        )


def check_tpr(tpr_at_fpr: Any) -> None:
    few = tpr_at_fpr(np.arange(5.0), np.arange(50.0), 0.01)
    expect(few is None, "50 non-members cannot resolve an FPR of 1 % (k = 0): expected None.")
    for tied, before in ((False, ""), (True, "right without ties, but: ")):
        for seed in range(ROUNDS):
            for alpha in ALPHAS:
                _check_point(tpr_at_fpr, *sides(seed, tied=tied), alpha, before)


def _check_point(
    function: Any,
    members: NDArray[np.float64],
    nonmembers: NDArray[np.float64],
    alpha: float,
    before: str,
) -> None:
    known, got = known_tpr(members, nonmembers, alpha), function(members, nonmembers, alpha)
    about = f"{before}with {len(nonmembers)} non-members and alpha = {alpha} "
    if known is None or got is None:
        expect(got is None, f"{about}k = 0: expected None.")
        expect(known is None, f"{about}there is an answer (k is at least 1), got None.")
        return
    tpr, fpr = numbers(got, (2,))
    expect(fpr <= alpha + 1e-12, f"{about}the FPR is {fpr:.3f}: too many non-members pass.")
    expect(
        tpr >= known.tpr - 1e-12,
        f"{about}a lower threshold finds more members and lets no more than k pass.",
    )
    expect(
        close(tpr, known.tpr),
        f"{about}the TPR is too high: members that tie with the threshold do not pass.",
    )
    expect(
        close(fpr, known.fpr),
        f"{about}the FPR reached is the share of non-members above the threshold, {known.fpr:.3f}.",
    )


TASKS = (
    Task(
        "auc",
        "members against non-members, ties count half",
        "`members[:, None] > nonmembers[None, :]` compares every pair.",
        check_auc,
    ),
    Task(
        "tpr_at_fpr",
        "an order statistic is the threshold, ties never raise the FPR",
        "Begin with k, and with four non-members 4, 3, 2, 1 on paper: for k = 2, how low may the "
        "threshold be, if only scores above it pass?",
        check_tpr,
    ),
    Task(
        "answer_epochs",
        "the first model on which the attack is better than guessing for sure",
        "Look for the first row whose AUC interval lies wholly above 0.5.",
        answered(40, 40, "The lower end of the interval has to be above 0.5, for the first time."),
    ),
    Task(
        "answer_nonmembers",
        "0.1 % takes 1,000 non-members",
        "When is k = floor(alpha N) at least 1?",
        answered(1000, 1000, "k = floor(alpha N) has to be at least 1."),
    ),
    Task(
        "answer_tied",
        "three of ten are tied, and none of them may pass",
        "Your own function knows.",
        answered(0.249, 0.251, "k = 3; which score is the threshold, and which members beat it?"),
    ),
)
