"""Answers in words: what was found, what it is worth, and what it does not mean."""

from __future__ import annotations

import math

from miagym.checking.answer import Answer, SetAnswer, Verdict
from miagym.checking.sets.words import share_sentence
from miagym.metrics.conformal import RulePower
from miagym.metrics.resampling.permutation import (
    MAX_PERMUTATIONS,
    MAX_PICTURES,
    PicturesNeeded,
    SetTest,
)
from miagym.results.formats import between, p_text, percent

STRONG = 10.0
"""How many times as often, at the least, a rule must call a member so before it is not weak."""

MEANING = (
    "What this does not say: how probable membership is, since that also depends on how common "
    "members are among the pictures that one asks about. A copy of a training picture, or one much "
    "like it, can score as it does."
)
SET_MEANING = (
    "What this does not say: which of the pictures were used. Pictures that differ from the "
    "calibration non-members in style or source, and not in membership, can give a small p-value "
    "too."
)


def sentences(answer: Answer) -> list[str]:
    """An answer about one picture, most important first."""
    if answer.verdict is Verdict.NOT_COMPARABLE:
        return [_headline(answer), *doubtful(answer.doubts), *answer.notes]
    ratio, power, n = answer.likelihood_ratio, answer.power, answer.sizes.ranking_nonmembers
    found = [_headline(answer), *doubtful(answer.doubts)]
    found.append(_power(power, answer.sizes.ranking_members))
    if power.times_ci is not None:
        found.append(_worth(power))
    if ratio is not None:
        most = ", the most that so many pictures can show" if ratio.value == n + 1 else ""
        found.append(
            f"A score like this is {_times(ratio.value)} {between(ratio.ci, _times)} times as "
            f"likely among members as among non-members{most} (log-linear fit, 95 % bootstrap "
            "interval)."
        )
    if len(answer.attacks) > 1:
        each = ", ".join(f"{row.attack} {p_text(row.p_value)}" for row in answer.attacks)
        found.append(
            f"p-values of single attacks: {each}. They are no answers: the smallest of several "
            "falls below 1 % more often than that."
        )
    return [*found, *answer.notes, MEANING]


def set_sentences(answer: SetAnswer) -> list[str]:
    """An answer about a set, most important first."""
    found = [_set_headline(answer), *doubtful(answer.doubts)]
    if answer.test is not None:
        found.append(
            f"Welch's t-test, which CDI uses, gives p = {p_text(answer.test.welch_p_value)}."
        )
        found.append(
            "All who ask share these non-members, so their mean is taken to be 1.645 standard "
            "errors higher than it is: under 95 % of calibrations, no more sets than promised are "
            "false alarms."
        )
    if answer.share is not None:
        found.append(share_sentence(answer.share))
    found.append(_needed(answer.needed, answer.alpha))
    left_out = [
        f"{count} {why}"
        for count, why in (
            (answer.repeated, "repeated"),
            (answer.not_comparable, "unlike the calibration pictures"),
        )
        if count
    ]
    if left_out:
        found.append(f"Left out of the set: {', '.join(left_out)}.")
    if not answer.captioned:
        found.append(
            "Captions were not used for the set; they are only where all pictures have one."
        )
    return [*found, SET_MEANING]


def doubtful(doubts: str | None) -> list[str]:
    """A sentence, if the labels of the calibration pictures may be wrong."""
    return [f"Doubtful labels of the calibration pictures: {doubts}"] if doubts else []


def _headline(answer: Answer) -> str:
    n, p = answer.sizes.ranking_nonmembers, answer.p_value
    if answer.verdict is Verdict.NOT_COMPARABLE or p is None:
        unusual = (
            f" Most unlike: {'; '.join(answer.guard.unusual)}." if answer.guard.unusual else ""
        )
        return (
            "Not comparable. This picture does not resemble the calibration pictures (p = "
            f"{p_text(answer.guard.p_value)}), so a p-value for membership would mean nothing."
            + unusual
        )
    smallest = f", the smallest that {n} non-members allow" if p <= answer.p_smallest else ""
    if answer.verdict is Verdict.MEMBER_LIKE:
        return (
            f"Member-like: p = {p_text(p)}{smallest}. A rule that calls this picture member-like "
            f"says the same of {percent(p)} of the pictures like it that were not used in "
            f"training{_range(answer)}."
        )
    if answer.p_smallest > answer.alpha:
        return (
            f"Cannot tell: p = {p_text(p)}{smallest}. A false positive rate of "
            f"{percent(answer.alpha)} cannot be resolved with {n} non-members, so no picture can "
            "be member-like here; calibrate with more."
        )
    return (
        f"Cannot tell: p = {p_text(p)}. Of pictures like it that were not used in training, "
        f"{percent(p)} score this high{_range(answer)}; the rule allows {percent(answer.alpha)}. "
        "It is the ordinary answer, and not that the picture is no member."
    )


def _range(answer: Answer) -> str:
    """What the p-value may be off by, since the calibration is one of many that might have been."""
    if answer.p_range is None:
        return ""
    return f" on average over calibrations, and under this one {between(answer.p_range, percent)}"


def _power(power: RulePower, members: int) -> str:
    return (
        f"The rule p ≤ {power.alpha:g} finds {percent(power.tpr)} {between(power.ci, percent)} of "
        f"{members} calibration members, and calls {percent(power.fpr)} of non-members "
        f"member-like on average; under this calibration, {between(power.fpr_ci, percent)}."
    )


def _worth(power: RulePower) -> str:
    assert power.times is not None and power.times_ci is not None
    low = power.times_ci[0]
    counts = (
        f"Of 1,000 members it would call about {round(1000 * power.tpr)} member-like, of 1,000 "
        f"non-members about {round(1000 * power.fpr)}: {_times(power.times)} "
        f"{between(power.times_ci, _times)} times as often."
    )
    if low <= 1:
        return counts + " That it does better than chance is not shown: any answer here is weak."
    return counts + (" Even member-like is weak evidence here." if low < STRONG else "")


def _set_headline(answer: SetAnswer) -> str:
    test = answer.test
    if test is None or answer.p_smallest is None:
        different = answer.pictures - answer.repeated
        if answer.pictures < 2:
            return (
                "Not comparable as a set: only one picture could be read; a set takes at least 2 "
                "different ones."
            )
        if different < 2:
            return (
                f"Not comparable as a set: all {answer.pictures} pictures are the same one, which "
                "counts once; at least 2 different ones have to be given."
            )
        return (
            f"Not comparable as a set: of {answer.pictures} pictures, {answer.not_comparable} do "
            "not resemble the calibration pictures; at least 2 different ones have to, and nearly "
            "all of a set."
        )
    compared = f"{test.suspects} pictures against {test.controls} calibration non-members"
    smallest = ", the smallest that this test gives" if test.p_value <= answer.p_smallest else ""
    if answer.verdict is Verdict.MEMBER_LIKE:
        return (
            f"The set is member-like: p = {p_text(test.p_value)}{smallest} ({compared}, one-sided "
            "permutation test)."
        )
    if answer.p_smallest > answer.alpha:
        return (
            f"Cannot tell about the set: p = {p_text(test.p_value)}{smallest} ({compared}, "
            "one-sided permutation test). A false positive rate of "
            f"{percent(answer.alpha)} cannot be resolved {_limit(answer.alpha, test)}."
        )
    return (
        f"Cannot tell about the set: p = {p_text(test.p_value)} ({compared}, one-sided permutation "
        f"test); the rule allows {percent(answer.alpha)}."
    )


def _limit(alpha: float, test: SetTest) -> str:
    """What keeps the set test from small p-values."""
    if alpha < 1 / (MAX_PERMUTATIONS + 1):
        return f"with {MAX_PERMUTATIONS:,} permutations, so no set can be member-like here"
    return (
        f"with {test.controls} non-members and {test.suspects} pictures, so no set of this size "
        "can be member-like here; calibrate with more, or give more pictures"
    )


def _needed(needed: PicturesNeeded, alpha: float) -> str:
    if alpha < 1 / (MAX_PERMUTATIONS + 1):
        return (
            f"No number of pictures would be found at {percent(alpha)}: the set test makes "
            f"{MAX_PERMUTATIONS:,} permutations, so its p-value is at least "
            f"{1 / (MAX_PERMUTATIONS + 1):g}."
        )
    if needed.pictures is None:
        return (
            f"Even {MAX_PICTURES:,} members would not be found with 95 % power at "
            f"{percent(alpha)}: the target gives too little away, or there are too few "
            "calibration non-members."
        )
    return (
        f"With 95 % power at {percent(alpha)}, about {needed.pictures} pictures would be found if "
        f"all were members [{_count(needed.ci[0])}–{_count(needed.ci[1])}]."
    )


def _count(pictures: int | None) -> str:
    return f"more than {MAX_PICTURES:,}" if pictures is None else str(pictures)


def _times(value: float) -> str:
    return "∞" if math.isinf(value) else f"{value:.2g}" if value < 100 else f"{value:,.0f}"
