"""Evidence of a check: from results to all that is handed on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from miagym.checking.provenance import Provenance
from miagym.errors import RunError

if TYPE_CHECKING:
    from miagym.api.check_unused import UnusedCheck
    from miagym.api.checking.result import Check
    from miagym.api.results import Result
    from miagym.report.evidence.content import Evidence

SCORES = (
    "A generator treats pictures that it was trained on a little differently from others like "
    "them. An attack puts a number on that for each picture, by asking the model; higher means "
    "more like a training picture. The number by itself means nothing."
)
BY_UNUSED = (
    "So the pictures in question are compared with pictures that are known not to have been used. "
    "First, an audit that never sees the model looks for any other difference between the two; "
    "where it finds one, nothing is compared. Then the attack, which was fixed beforehand, scores "
    "all of them alike.",
    "The p-value of the set is how often the difference of the mean scores would be as large if "
    "the pictures were dealt to the two sides by chance (permutation test). The p-value of one "
    "picture is the share of the unused pictures, itself included, that score at least as high "
    "(conformal p-value). Neither assumes anything about the model or the attack; both assume that "
    "the two sides differ in nothing but membership.",
)
BY_MEMBERS = (
    "So the pictures are compared with calibration pictures of the same kind, of which it is known "
    "which were used. A part of these chose the settings of the attacks and how to weigh them, and "
    "the others, which took no part in that, rank the pictures: the p-value of one is the share of "
    "calibration non-members, itself included, that score at least as high. A picture that does "
    "not resemble the calibration pictures is not compared.",
)


def evidence_by_unused(check: UnusedCheck) -> Evidence:
    """The evidence of a check by unused pictures."""
    from miagym.report.evidence.claims import claims_by_unused

    found = check.finding
    answer = {
        "member-like": f"Member-like at a false positive rate of {100 * found.alpha:g} %.",
        "cannot tell": "Cannot tell: the ordinary answer, which does not say that none was used.",
    }.get(str(found.verdict), "Not comparable: no p-value is given.")
    may, n = claims_by_unused(found), len(found.pictures)
    return _evidence(check, answer, BY_UNUSED, may, n, check.provenance)


def evidence_by_members(check: Check) -> Evidence:
    """The evidence of a check by known members.

    Raises:
        RunError: if it has no record of what it was made of.
    """
    from miagym.checking.words import sentences, set_sentences
    from miagym.report.evidence.claims import claims_by_members

    if check.provenance is None:
        raise RunError("This check has no record of what it was made of; make it anew.")
    set_answer = check.together
    words = sentences(check.answers[0]) if set_answer is None else set_sentences(set_answer)
    may, n = claims_by_members(check.answers, set_answer), len(check.answers)
    return _evidence(check, words[0], BY_MEMBERS, may, n, check.provenance)


def _evidence(
    result: Result,
    answer: str,
    method: Sequence[str],
    may: Sequence[str],
    pictures: int,
    provenance: Provenance,
) -> Evidence:
    from miagym.report.evidence.claims import not_claimed
    from miagym.report.evidence.content import Evidence

    return Evidence(
        answer=answer,
        parts=list(result.parts()),
        method=[SCORES, *method],
        may=may,
        may_not=not_claimed(pictures),
        provenance=provenance,
        command=_call(provenance),
        result=result.as_json(),
    )


def _call(provenance: Provenance) -> str:
    """The call in Python that gives the same answer again."""
    given = ", ".join(f"{name}={value!r}" for name, value in provenance.settings.items())
    unused = "unused=unused, " if provenance.data is None else ""
    return f"miagym.check(pictures, {unused}{given})"
