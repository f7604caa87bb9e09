"""What is said of a set beside its p-value: how much of it was used, and e-values."""

from __future__ import annotations

import math

from miagym.metrics.sets.anytime import EValue
from miagym.metrics.sets.share import Share
from miagym.results.formats import between, p_text, percent


def share_sentence(share: Share) -> str:
    """How much of the set was used, with its interval."""
    found = (
        f"{share.above} of {share.pictures} score above the rule's threshold, which "
        f"{percent(share.fpr)} of pictures that were not used pass on average"
    )
    if share.is_bound:
        if not share.at_least:
            return f"How much of the set was used is not bounded from below: {found}."
        return (
            f"At least {share.at_least} of the {share.pictures} were used ({percent(share.ci[0])}; "
            f"one-sided, 95 %), if the unused ones are a fair control: {found}. An upper bound "
            "takes known members."
        )
    if share.value is None:
        return "How much of the set was used cannot be told: the rule finds no more members."
    assert share.tpr is not None
    return (
        f"How much of the set was used: {percent(share.value)} {between(share.ci, percent)} "
        f"(95 %). {found}, and {percent(share.tpr)} of members."
    )


def e_value_sentence(found: EValue, alpha: float) -> str:
    """What somebody may go by who adds pictures until satisfied."""
    enough = found.p_value <= alpha
    return (
        f"Whoever adds pictures until satisfied goes by the e-value, {_rounded_down(found)}, and "
        f"not by p: it ever reaches {1 / alpha:g} in at most {percent(alpha)} of cases where none "
        f"was used, as long as the unused pictures stay the same; "
        f"{'it has' if enough else 'it has not'} (anytime-valid p ≤ {p_text(found.p_value)})."
    )


def _rounded_down(found: EValue) -> str:
    """An e-value in two digits, which are never more than was found."""
    power = math.floor(found.log10)
    digits = math.floor(10 * 10 ** (found.log10 - power) + 1e-9) / 10
    return f"{digits:g}·10^{power}" if abs(found.log10) > 4 else f"{digits * 10.0**power:.2g}"
