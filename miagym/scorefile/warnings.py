"""What looks wrong about scores: errors that every evaluation makes once, each in a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from miagym.metrics.detection import allowed
from miagym.scorefile.attacks import AttackScores
from miagym.scorefile.orientation import orientation_warnings
from miagym.scorefile.reading.columns import role_option
from miagym.scorefile.rows import Rows
from miagym.scorefile.warned import Warned

MAX_COARSE_VALUES = 20
"""Distinct scores up to which a ROC curve is a handful of corners, in 5 times as many rows."""
TIED = 0.05
"""Share of rows at one extreme from which it is said."""
MIN_TIED = 10
"""Rows at one extreme below which it is not said."""
MIN_SCORES = 100
"""Members, or non-members, below which every interval is wide."""
IMBALANCE = 10
"""How many times larger one side may be before it is said."""
DRIFT = 0.1
"""Rank correlation of score and row within both sides from which it is said."""
COPIES = 0.01
"""Share of test rows with a twin in the calibration part from which it is said."""


def attack_warnings(
    attack: AttackScores, others: Sequence[AttackScores], lower_is_member: bool
) -> Iterator[Warned]:
    """What looks wrong about one attack's scores, among those of the same target."""
    test, name = attack.test, attack.label
    values, counts = np.unique(test.score, return_counts=True)
    if len(values) == 1:
        yield Warned(
            "constant", f"{name}: all {len(test):,} scores are the same; nothing is measured."
        )
        return
    yield from orientation_warnings(attack, others, lower_is_member)
    yield from _values(test, values, counts, name, lower_is_member)
    yield from _position(test, name)
    if attack.calibration is not None:
        yield from _copies(attack.calibration, test, name)


def size_warnings(attacks: Sequence[AttackScores]) -> Iterator[Warned]:
    """What the numbers of members and non-members do not allow; attacks are named if they differ.

    Args:
        attacks: of one target, at least one.
    """
    alike: dict[tuple[int, int], list[str]] = {}
    for attack in attacks:
        m, n = (len(side) for side in attack.test.sides)
        alike.setdefault((m, n), []).append(attack.label)
    for (m, n), labels in alike.items():
        yield from _sizes(m, n, f"{', '.join(labels)}: " if len(alike) > 1 else "")


def group_warnings(attacks: Sequence[AttackScores]) -> Iterator[Warned]:
    """What is unusual about groups; attacks of one target share them.

    Args:
        attacks: of one target, at least one.
    """
    test = attacks[0].test
    if test.groups is None:
        return
    if test.codes is None:
        yield Warned(
            "groups-alone",
            f"Each of {len(test):,} rows is a group of its own, so the intervals are those of "
            "independent candidates; a group is what was made, found or copied together.",
        )
        return
    ours, theirs = (
        np.unique(side) for side in (test.groups[test.member], test.groups[~test.member])
    )
    if mixed := len(np.intersect1d(ours, theirs)):
        yield Warned(
            "groups-mixed",
            f"{mixed:,} of {len(ours) + len(theirs) - mixed:,} groups hold members and "
            "non-members: the intervals allow for it, but look-alikes on both sides make "
            "membership hard to tell and easy to define wrongly; a fair split keeps groups whole.",
        )


def _sizes(m: int, n: int, whose: str) -> Iterator[Warned]:
    if min(m, n) < MIN_SCORES:
        yield Warned(
            "too-few",
            f"{whose}{m:,} members and {n:,} non-members are few: the intervals are wide, and "
            "no attack should be called better or worse by such numbers.",
        )
    elif n < 5 * MIN_SCORES:
        yield Warned(
            "too-few",
            f"{whose}A TPR at 1 % FPR rests on the {allowed(0.01, n)} highest of {n:,} "
            "non-members; look at its interval, not at the number.",
        )
    if max(m, n) > IMBALANCE * min(m, n):
        smaller = "members" if m < n else "non-members"
        yield Warned(
            "imbalance",
            f"{whose}{m:,} members against {n:,} non-members: the numbers here do not depend on "
            f"the balance, their intervals are those of {min(m, n):,} {smaller}; accuracy and "
            "precision from elsewhere do depend on it.",
        )


def _values(
    test: Rows,
    values: NDArray[np.float64],
    counts: NDArray[np.integer],
    name: str,
    lower_is_member: bool,
) -> Iterator[Warned]:
    """Scores that are coarser than scores should be."""
    if len(values) == 2:
        tpr, fpr = (float(np.mean(side == values[1])) for side in test.sides)
        yield Warned(
            "hard-labels",
            f"{name}: the scores are hard labels (two values), so the ROC is one corner at an FPR "
            f"of {fpr:.3f} and a TPR of {tpr:.3f}, its AUC is (1 + TPR - FPR) / 2, and a TPR at "
            "another FPR means nothing; save the score before the threshold.",
        )
        return
    if len(values) <= MAX_COARSE_VALUES and len(values) * 5 <= len(test):
        yield Warned(
            "few-values",
            f"{name}: the scores have {len(values)} distinct values, so the ROC has "
            f"{len(values) - 1} corners, and the FPR reached can lie far below the one allowed.",
        )
        return
    ends = {"lowest": -1, "highest": 0} if lower_is_member else {"lowest": 0, "highest": -1}
    for which, end in ends.items():
        share, value = counts[end] / len(test), -values[end] if lower_is_member else values[end]
        if share >= TIED and counts[end] >= MIN_TIED:
            yield Warned(
                "saturated",
                f"{name}: {100 * share:.1f} % of the scores are exactly {_written(value)}, the "
                f"{which} of all; ties hide the order among them, so save scores before they "
                "saturate (logits, say, not probabilities in half precision).",
            )
    if not np.mod(values, 1).any():
        yield Warned(
            "integers",
            f"{name}: all scores are whole numbers; are they scores, and not ids, ranks or counts?",
        )


def _written(value: float) -> str:
    """All digits, as it stands in the file."""
    return str(float(value) + 0.0).removesuffix(".0")  # + 0.0, since a turned 0 is -0


def _position(test: Rows, name: str) -> Iterator[Warned]:
    """Whether scores drift along a file in which members stand together.

    The correlation is taken within each side, where membership cannot cause it. A side in perfect
    order has been sorted by score, which is harmless.
    """
    from scipy.stats import spearmanr

    order = np.argsort(test.place, kind="stable")
    member, score = test.member[order], test.score[order]
    if np.count_nonzero(np.diff(member)) > 1:
        return
    drifts = []
    for side in (score[member], score[~member]):
        if len(side) < 10 or np.ptp(side) == 0:
            return
        correlation, p = np.array(spearmanr(np.arange(len(side)), side))
        drifts.append((float(correlation), float(p)))
    (first, p), (second, q) = drifts
    if first * second <= 0 or not all(DRIFT < abs(drift) < 0.99 for drift in (first, second)):
        return
    if max(p, q) < 0.001:
        yield Warned(
            "position",
            f"{name}: the file holds {'members' if member[0] else 'non-members'} first, and scores "
            f"drift with the row within both sides (rank correlations {first:.2f} and "
            f"{second:.2f}); what changed in the course of the run looks like membership, so mix "
            "the sides before scoring.",
        )


def _copies(calibration: Rows, test: Rows, name: str) -> Iterator[Warned]:
    """Rows of the test part that were there to choose on."""
    if calibration.id is not None and test.id is not None:
        shared = int(np.isin(test.id, calibration.id).sum())
        if shared:
            yield Warned(
                "overlap",
                f"{name}: {shared:,} of {len(test):,} candidates of the test part are in the "
                "calibration part too, by their ids; what was chosen on them is no longer "
                "held out.",
            )
        return
    keys = [_keys(rows) for rows in (calibration, test)]
    known = set(keys[0])
    twins = sum(key in known for key in keys[1]) / len(test)
    repeated = 1 - len(set(keys[1])) / len(test)
    if twins >= COPIES and twins > 3 * repeated:
        yield Warned(
            "overlap",
            f"{name}: {100 * twins:.1f} % of the test rows have the very score and label of a "
            "calibration row; if these are the same candidates, nothing is held out (give "
            f"{role_option('id')} to be sure).",
        )


def _keys(rows: Rows) -> list[tuple[object, ...]]:
    captions = [] if rows.caption is None else [rows.caption.tolist()]
    return list(zip(rows.score.tolist(), rows.member.tolist(), *captions, strict=True))
