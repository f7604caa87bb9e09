"""A check by unused pictures in words: control first, then the set, then what it does not say."""

from __future__ import annotations

from collections.abc import Iterator

from miagym.checking.answer import Verdict
from miagym.checking.sets.listing import SHOWN
from miagym.checking.sets.words import e_value_sentence, share_sentence
from miagym.checking.unused.control import ControlStanding
from miagym.checking.unused.result import PictureAnswer, SetFinding, UnusedFinding
from miagym.metrics.resampling.permutation import MAX_PERMUTATIONS
from miagym.results.formats import between, p_text, percent

GENERATED = (
    "Pictures that the model itself generated score as members do (arXiv 2606.23872), so the "
    "answer is only about pictures that are known to come from elsewhere."
)
MEANING = (
    "What this does not say: how probable it is that a picture was used, or who used it. Pictures "
    "that differ from the unused ones in style, age or source, and not in membership, can give a "
    "small p-value too, and so can copies of pictures that were used."
)


def finding_sentences(found: UnusedFinding) -> list[str]:
    """The answer, most important first but for the control, without which it means nothing."""
    said = [found.control.words]
    if found.control.standing is not ControlStanding.BAD:
        said += _of_set(found, found.together) if found.together else []
        if len(found.pictures) == 1:
            said.append(picture_sentence(found.pictures[0], found))
        else:
            said.append(_missing_for_one(found) if found.missing else _chance_of_alarm(found))
        said += found.listed.sentences() if found.listed else []
    said += [
        f"The attack was fixed beforehand: {found.chosen}. {found.captions}",
        *found.cautions,
    ]
    if found.repeated:
        said.append(
            f"{len(found.repeated)} pictures repeat others of their side, or nearly so, and were "
            "left out."
        )
    return [*said, GENERATED, MEANING]


def picture_sentence(answer: PictureAnswer, found: UnusedFinding) -> str:
    """The answer about one picture."""
    if answer.p_value is None:
        unusual = f" Most unlike: {'; '.join(answer.unusual)}." if answer.unusual else ""
        return (
            f"Not comparable: {answer.name} does not resemble the unused pictures, so a p-value "
            f"would mean nothing.{unusual}"
        )
    share = percent(answer.p_value)
    within = f" {between(answer.p_range, percent)}" if answer.p_range else ""
    if found.missing:
        return (
            f"Cannot tell: p = {p_text(answer.p_value)}, and {found.unused} unused pictures allow "
            f"none below {p_text(found.p_smallest)}. {_missing_for_one(found)}"
        )
    if answer.verdict is Verdict.MEMBER_LIKE:
        return (
            f"Member-like: p = {p_text(answer.p_value)}. A rule that calls this picture "
            f"member-like says the same of {share} of pictures like it that were not used{within}."
        )
    return (
        f"Cannot tell: p = {p_text(answer.p_value)}. Of pictures like it that were not used, "
        f"{share} score this high{within}; the rule allows {percent(found.alpha)}. It is the "
        "ordinary answer, and not that the picture was not used."
    )


def skipped_sentences(found: UnusedFinding) -> Iterator[str]:
    """Which pictures of each side could not be used, and why."""
    for side, why in found.skipped.items():
        if why:
            more = f" And {len(why) - SHOWN:,} more." if len(why) > SHOWN else ""
            listed = " ".join(list(why.values())[:SHOWN])
            yield f"Skipped {len(why):,} of the {side}: {listed}{more}"


def _of_set(found: UnusedFinding, together: SetFinding) -> Iterator[str]:
    test, allowed = together.test, percent(found.alpha)
    compared = (
        f"{test.suspects} pictures against {test.controls} unused ones, one-sided permutation test"
    )
    p = f"p = {p_text(test.p_value)}"
    if found.verdict is Verdict.MEMBER_LIKE:
        yield (
            f"The set is member-like at a false positive rate of {allowed}: {p} ({compared}). Of "
            f"sets like it that were not used, at most {percent(test.p_value)} score this high."
        )
    else:
        why = f"the rule allows {allowed}; it is the ordinary answer, and not that none was used"
        if found.alpha < 1 / (MAX_PERMUTATIONS + 1):
            why = f"{MAX_PERMUTATIONS:,} permutations allow no p-value as small as {allowed}"
        elif together.missing:
            why = (
                f"so many allow none below {p_text(together.p_smallest)}, and a false positive "
                f"rate of {allowed} takes {together.missing:,} more unused pictures"
            )
        yield f"Cannot tell about the set: {p} ({compared}); {why}."
    yield share_sentence(together.share)
    yield e_value_sentence(together.e_value, found.alpha)


def _chance_of_alarm(found: UnusedFinding) -> str:
    return (
        f"By chance alone, {percent(found.alpha)} of pictures that were not used are member-like; "
        "the set has an answer of its own, and so has a list at a false discovery rate."
    )


def _missing_for_one(found: UnusedFinding) -> str:
    return (
        f"About single pictures nothing can be said at {percent(found.alpha)}: that takes "
        f"{found.missing:,} more unused pictures than the {found.unused:,} there are."
    )
