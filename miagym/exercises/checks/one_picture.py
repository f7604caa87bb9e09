"""Checks of exercise 5: p-values of one picture, and the worth of an accusation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from miagym.checking.answer import Verdict
from miagym.exercises.task import Task, answered, close, expect, number, said
from miagym.metrics.conformal import p_values

ROUNDS = 60


def check_p_value(p_value: Any) -> None:
    rng = np.random.default_rng(9)
    known = np.arange(20.0)
    best = number(p_value(100.0, known))
    expect(best > 0, "p = 0 for a score above all others: the picture itself is one of the n + 1.")
    expect(
        close(best, 1 / 21),
        f"above all of 20 non-members p is 1/21 = {1 / 21:.4f}, got {best:.4f}.",
    )
    expect(
        number(p_value(-5.0, known)) > 0.99,
        "a score below all others has a p near 1; count those that score at least as *high*.",
    )
    for _ in range(ROUNDS):
        scores = rng.normal(size=rng.integers(1, 200))
        score = float(rng.normal())
        expect(
            close(p_value(score, scores), p_values(score, scores)[0]),
            f"for {len(scores)} non-members, {(scores >= score).sum()} of them at least as high, "
            f"expected {p_values(score, scores)[0]:.4f}.",
        )
    tied = np.array([1.0, 1.0, 1.0, 0.0])
    expect(
        close(p_value(1.0, tied), 4 / 5),
        "non-members that tie with the picture count as at least as high.",
    )


def check_verdict(verdict: Any) -> None:
    for p, alpha in ((0.001, 0.01), (0.01, 0.01), (0.04, 0.05)):
        expect(
            verdict(p, alpha) == Verdict.MEMBER_LIKE,
            f'p = {p} at alpha = {alpha} is "{Verdict.MEMBER_LIKE}", got {verdict(p, alpha)!r}.',
        )
    for p, alpha in ((0.02, 0.01), (0.5, 0.05), (1.0, 0.05)):
        got = verdict(p, alpha)
        expect(got != Verdict.MEMBER_LIKE, f"p = {p} is above alpha = {alpha}: no accusation.")
        expect(
            got == Verdict.CANNOT_TELL,
            f"{got!r} for p = {p}: a large p does not show that a picture was not used; members "
            "have large p-values too. docs/check/check.md has the word for it.",
        )


def check_fewest(fewest: Any) -> None:
    for alpha in (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.001):
        known, got = math.ceil(1 / alpha - 1 - 1e-9), number(fewest(alpha))
        expect(
            got == known,
            f"at alpha = {alpha} the smallest p has to be at most that; {got:g} non-members give "
            f"{1 / (got + 1):.5f}" + (", and fewer would do." if got > known else "."),
        )


def check_corrected(corrected: Any) -> None:
    rng = np.random.default_rng(4)
    for k in (1, 2, 4, 9):
        draws = rng.random((4000, k))
        got = np.array([number(corrected(row)) for row in draws[:400]])
        expect(got.max() <= 1, "a p-value is never above 1.")
        false = np.mean([number(corrected(row)) <= 0.05 for row in draws])
        expect(
            false <= 0.062,
            f"with {k} independent p-values of non-members, {false:.1%} come below 5 %.",
        )
        expect(
            close(got, np.minimum(1, k * draws[:400].min(axis=1))),
            f"valid, but not Bonferroni's for k = {k}: turn P(min <= a) <= k a round.",
        )


def check_innocent(share: Any) -> None:
    rng = np.random.default_rng(6)
    expect(
        close(share(0.02, 0.01, 0.5), 1 / 3),
        "2 % of members and 1 % of non-members are accused, and half are members: one accused of "
        f"three is innocent, got {number(share(0.02, 0.01, 0.5)):.3f}.",
    )
    for tpr, fpr, rate in rng.uniform(0.01, 0.99, size=(ROUNDS, 3)):
        known = fpr * (1 - rate) / (fpr * (1 - rate) + tpr * rate)
        got = number(share(tpr, fpr, rate))
        expect(
            close(got, known),
            f"of 1,000 pictures {1000 * rate:.0f} were used; a rule with {tpr:.0%} TPR and "
            f"{fpr:.0%} FPR accuses how many of them, and how many of the others?",
        )


TASKS = (
    Task(
        "p_value",
        "a rank among n + 1, never 0, ties against membership",
        "Count non-members that score at least as high; the picture itself is one more of n + 1.",
        check_p_value,
    ),
    Task(
        "verdict",
        "an accusation or no answer, never an acquittal",
        "What does a p-value above alpha show? Members have such p-values, too.",
        check_verdict,
    ),
    Task(
        "fewest_nonmembers",
        "the data bound how small p can be",
        "The smallest p of n non-members is 1 / (n + 1).",
        check_fewest,
    ),
    Task(
        "corrected",
        "whoever picks the smallest pays for it",
        "If P(min <= a) may be k times a, which a makes that 5 %?",
        check_corrected,
    ),
    Task(
        "innocent_share",
        "an accusation is worth what the base rate makes of it",
        "Imagine 1,000 pictures, and count those accused on each side.",
        check_innocent,
    ),
    Task(
        "answer_smallest",
        "far more than the 5 % on the label",
        "The file prints it, in the row `smallest`.",
        answered(0.10, 0.20, "A share of non-members, in the row `smallest`, between 0 and 1."),
    ),
    Task(
        "answer_base_rate",
        "a weak rule needs a strong prior",
        "Set innocent_share(0.02, 0.01, base rate) to 0.1 and solve.",
        answered(0.81, 0.825, "innocent_share(0.02, 0.01, base rate) should be 0.1."),
    ),
    Task(
        "answer_artist",
        "the ordinary answer",
        "Your own `verdict` knows.",
        said(Verdict.CANNOT_TELL, "p = 0.6 is no accusation, and no acquittal either."),
    ),
)
