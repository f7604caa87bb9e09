"""Members that score low: a score of which low means member, or labels that are swapped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from miagym.errors import option
from miagym.metrics.auc import auc
from miagym.scorefile.attacks import AttackScores
from miagym.scorefile.warned import Warned

NUMERALS = re.compile(r"-?\d+(\.\d+)?")
LOW_NAMES = re.compile(r"loss|dist|error|mse|nll|perplexity|norm", re.IGNORECASE)
"""Names of scores that are low for members."""


def orientation_warnings(
    attack: AttackScores, others: Sequence[AttackScores], lower_is_member: bool
) -> Iterator[Warned]:
    """Says that an attack's members score low, and what speaks for which cause.

    The AUC alone cannot tell the causes apart; other attacks on the same labels, and how the file
    writes its labels, can.

    Args:
        attack: the one in question.
        others: all attacks of its target, with or without it.
        lower_is_member: whether the signs have been turned.
    """
    high = attack.test.auc_interval[1]
    if high < 0.5:
        turned = option("lower_is_member", python="lower_is_member=True")
        turn = f"low scores mean members, say {turned}"
        if lower_is_member:
            turn = f"low scores do not mean members, leave {turned} out"
        value = auc(*attack.test.sides)
        yield Warned(
            "orientation",
            f"{attack.label}: members score lower than non-members (AUC of {value:.3f}, "
            f"significantly below 0.5). If {turn}; if the labels are swapped, {_swap(attack)}. "
            f"{_evidence(attack, others)} Only turn what is so by its definition, not because "
            "the number looks better.",
        )
    if attack.calibration is None:
        return
    low, high = attack.calibration.auc_interval
    on_test = attack.test.auc_interval
    if high < 0.5 < on_test[0] or on_test[1] < 0.5 < low:
        yield Warned(
            "orientation-differs",
            f"{attack.label}: the AUC is {auc(*attack.calibration.sides):.3f} on the calibration "
            f"part and {auc(*attack.test.sides):.3f} on the test part, on either side of 0.5; the "
            "parts differ in labels, sign or data.",
        )


def _swap(attack: AttackScores) -> str:
    """What to do about swapped labels."""
    if attack.label_words is None:
        return f"say {option('member_value')}"
    member, other = attack.label_words
    return f"which now take {member[:40]!r} for a member, say {option('member_value', other[:40])}"


def _evidence(attack: AttackScores, others: Sequence[AttackScores]) -> str:
    """What speaks for one cause or the other."""
    asked = [one for one in others if one is not attack and not one.blind]
    low = [one for one in asked if one.test.auc_interval[1] < 0.5]
    high = [one for one in asked if one.test.auc_interval[0] > 0.5]
    if high:
        return (
            f"{high[0].attack} finds the same members on the high side, so the labels seem right "
            "and the sign of this score wrong."
        )
    if LOW_NAMES.search(attack.attack):
        return f"Its name ({attack.attack}) speaks for low scores of members."
    if attack.label_words and not NUMERALS.fullmatch(attack.label_words[0].strip()):
        return f"The label {attack.label_words[0][:40]!r} is no number, which speaks for the sign."
    if low:
        return f"So does {low[0].attack}: several at once speak for swapped labels."
    return "Nothing in the file says which; look how the labels were written."
