"""What may be claimed after a check, and what may not."""

from __future__ import annotations

from miagym.checking.answer import Answer, SetAnswer, Verdict
from miagym.checking.unused.control import ControlStanding
from miagym.checking.unused.result import UnusedFinding
from miagym.metrics.sets.share import Share
from miagym.results.formats import p_text, percent

NEVER = (
    "That a picture was stolen, copied or used against the law, or by whom: no number here knows "
    "of rights or of people.",
    "That a picture was not used. No score shows that; “cannot tell” is the ordinary answer, for "
    "pictures that were used too.",
    "How probable it is that a picture was used. That also depends on how common used pictures are "
    "among those that one asks about.",
    "Anything about another model, or another version of this one: see its fingerprint.",
)
OF_A_SET = (
    "That one picture or another of the set was used, since the answer is about the set; of a "
    "single picture only what its own p-value or the list allows."
)
GENERATED = (
    "Anything about pictures that a model generated: what the model itself has made scores as its "
    "training pictures do (arXiv 2606.23872)."
)
NOTHING = "Nothing about membership: the pictures could not be told from pictures not used."

DOUBTFUL = (
    "Nothing about membership: the labels of the calibration pictures are in doubt, since the "
    "record of the training contradicts them."
)


def claims_by_unused(found: UnusedFinding) -> list[str]:
    """What may be claimed after a check by unused pictures."""
    if found.control.standing is ControlStanding.BAD:
        return ["Nothing: the unused pictures are no fair control, so nothing was compared."]
    said = []
    together, rate = found.together, percent(found.alpha)
    provided = "provided that the unused pictures differ from these in nothing but membership"
    if together is not None and found.verdict is Verdict.MEMBER_LIKE:
        test = together.test
        said.append(
            f"These {test.suspects} pictures as a set are member-like at a false positive rate of "
            f"{rate} (p = {p_text(test.p_value)}), {provided}."
        )
        said += _of_share(together.share, provided)
    said += [
        f"{answer.name} is member-like at a false positive rate of {rate} (p = "
        f"{p_text(answer.p_value)}), {provided}; of as many pictures that were not used, {rate} "
        "would be as well."
        for answer in found.pictures
        if answer.verdict is Verdict.MEMBER_LIKE and answer.p_value is not None
    ]
    if found.listed and found.listed.pictures:
        listed = found.listed
        said.append(
            f"Of the {len(listed.pictures)} listed pictures, on average at most "
            f"{percent(listed.found.fdr)} were not used, {provided}."
        )
    return said or [NOTHING]


def claims_by_members(answers: tuple[Answer, ...], together: SetAnswer | None) -> list[str]:
    """What may be claimed after a check by known members and non-members."""
    if answers[0].doubts:
        return [DOUBTFUL]
    said = []
    like = "pictures like the calibration pictures"
    if together is not None and together.test and together.verdict is Verdict.MEMBER_LIKE:
        said.append(
            f"These {together.used} pictures as a set are member-like at a false positive rate of "
            f"{percent(together.alpha)} (p = {p_text(together.test.p_value)}), among {like}."
        )
        said += _of_share(together.share, f"among {like}") if together.share else []
    said += [
        f"{answer.name} is member-like at a false positive rate of {percent(answer.alpha)} (p = "
        f"{p_text(answer.p_value)}), among {like}; of as many pictures that were not used, "
        f"{percent(answer.power.fpr)} would be as well."
        for answer in answers
        if answer.verdict is Verdict.MEMBER_LIKE and answer.p_value is not None
    ]
    return said or [NOTHING]


def not_claimed(pictures: int) -> list[str]:
    """What may not be claimed, whatever came out."""
    return [*NEVER, *((OF_A_SET,) if pictures > 1 else ()), GENERATED]


def _of_share(share: Share, provided: str) -> list[str]:
    if not share.at_least:
        return []
    return [
        f"At least {share.at_least} of the {share.pictures} pictures were used (95 % confidence), "
        f"{provided}."
    ]
