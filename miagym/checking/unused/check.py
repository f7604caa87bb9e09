"""Checking pictures by unused pictures alone: audit first, then scores, then what they allow."""

from __future__ import annotations

import math

import numpy as np

from miagym.checking.alpha import check_alpha
from miagym.checking.answer import Verdict
from miagym.checking.calibration import MIN_CALIBRATION
from miagym.checking.ood import LEVEL, Guard, too_many_refused
from miagym.checking.sets.listing import listed
from miagym.checking.survey import CHUNK
from miagym.checking.unused.control import ControlStanding, audit_control
from miagym.checking.unused.generated import caution
from miagym.checking.unused.overlap import check_apart
from miagym.checking.unused.result import PictureAnswer, SetFinding, UnusedFinding
from miagym.checking.unused.scoring import Scores, side_scores, the_attack
from miagym.checking.unused.sides import Side
from miagym.errors import DataError
from miagym.evaluation.signals import Signals
from miagym.metrics.conformal import fpr_range, p_values, smallest_p
from miagym.metrics.resampling.permutation import MAX_PERMUTATIONS, set_test, smallest_set_p
from miagym.metrics.sets.anytime import e_value
from miagym.metrics.sets.share import share_at_least
from miagym.oracle import Access
from miagym.progress import Progress, silent

MAX_GUARDS = 2000
"""Unused pictures, the first ones, by which the guard judges: it compares each with each."""


def check_by_unused(
    signals: Signals,
    given: Side,
    unused: Side,
    alpha: float,
    fdr: float | None = None,
    progress: Progress = silent,
) -> UnusedFinding:
    """Compares pictures with unused ones like them, under one attack that was fixed beforehand.

    Under hypothesis 0 a picture that was not used is exchangeable with the unused ones, so that
    its conformal p-value and the permutation test of the set are exact, whatever the attack is
    worth. No member has to be known. All unused pictures serve, none is spent on a choice.

    Args:
        signals: one attack, target and seed.
        given: pictures in question.
        unused: pictures that are known not to have been used.
        alpha: the false positive rate that is allowed.
        fdr: false discovery rate of a list of pictures; None for no list.
        progress: shows how far it is.

    Raises:
        DataError: if alpha or fdr is no share, the attack is not one that is fixed, or the sides
            overlap.
    """
    check_alpha(alpha)
    name, attack = the_attack(signals)
    if len(given) > 1 and len(unused) < 2:
        raise DataError(
            "A set is compared with at least 2 different unused pictures, got 1; give more of them."
        )
    check_apart(given, unused)
    captioned, captions = _captions(given, unused)
    control = audit_control(given, unused, captioned, signals.seed, progress)
    answers = tuple(_not_comparable(picture.name, picture.done) for picture in given.pictures)
    together, cautions = None, ()
    if control.standing is not ControlStanding.BAD:
        steps = -(-(len(given) + len(unused)) // CHUNK)
        done = progress(f"asking {signals.target.name}", steps)
        scores, controls = side_scores(signals, given, unused, captioned, done)
        answers = _answers(given, unused, scores, controls, alpha)
        cautions, is_strange = _strangers(answers, len(unused))
        if len(scores) > 1 and not is_strange:
            together = _set_finding(scores, controls, alpha, signals.seed)
    verdict = _verdict(answers, together, alpha)
    if verdict is Verdict.MEMBER_LIKE and attack.access >= Access.GREY:
        origin = caution(signals.target, given, unused, signals.seed)
        cautions = (*cautions, *((origin,) if origin else ()))
    compared = [(a.name, a.p_value) for a in answers if a.p_value is not None]
    return UnusedFinding(
        verdict=verdict,
        alpha=alpha,
        attack=name,
        chosen=repr(attack),
        control=control,
        pictures=answers,
        together=together,
        listed=None if fdr is None else listed(compared, len(unused), fdr),
        unused=len(unused),
        p_smallest=smallest_p(len(unused)),
        missing=max(0, math.ceil(1 / alpha - 1e-9) - 1 - len(unused)),
        captions=captions,
        cautions=cautions,
        repeated=dict(given.repeated) | dict(unused.repeated),
        skipped={"pictures in question": given.skipped, "unused pictures": unused.skipped},
    )


def _captions(given: Side, unused: Side) -> tuple[bool, str]:
    """Whether captions are used, only if all pictures of both sides have one; and the sentence."""
    ours, theirs = given.captioned, unused.captioned
    if ours == len(given) and theirs == len(unused):
        return True, "Each picture was asked about under its caption."
    if not ours and not theirs:
        return False, "No picture has a caption; all were asked about under the empty prompt."
    return False, (
        f"Captions were not used, since {ours} of {len(given)} pictures in question and {theirs} "
        f"of {len(unused)} unused ones have one; all were asked about under the empty prompt."
    )


def _answers(
    given: Side, unused: Side, scores: Scores, controls: Scores, alpha: float
) -> tuple[PictureAnswer, ...]:
    n = len(controls)
    known = [picture.look for picture in unused.pictures[:MAX_GUARDS]]
    guard = Guard(np.stack(known)) if n >= MIN_CALIBRATION else None
    found = []
    each = zip(given.pictures, scores.tolist(), p_values(scores, controls).tolist(), strict=True)
    for picture, score, p in each:
        seen = guard and guard(picture.look)
        if seen is not None and not seen.resembles:
            found.append(_not_comparable(picture.name, picture.done, seen.unusual))
            continue
        verdict = Verdict.MEMBER_LIKE if p <= alpha else Verdict.CANNOT_TELL
        found.append(
            PictureAnswer(picture.name, verdict, score, p, fpr_range(p, n), (), picture.done)
        )
    return tuple(found)


def _not_comparable(
    name: str, done: tuple[str, ...], unusual: tuple[str, ...] = ()
) -> PictureAnswer:
    return PictureAnswer(name, Verdict.NOT_COMPARABLE, None, None, None, unusual, done)


def _set_finding(scores: Scores, controls: Scores, alpha: float, seed: int) -> SetFinding:
    n, m = len(scores), len(controls)
    return SetFinding(
        test=set_test(scores, controls, seed),
        p_smallest=smallest_set_p(n, m),
        missing=_missing(n, m, alpha),
        share=share_at_least(scores, controls),
        e_value=e_value(scores, controls, seed),
    )


def _missing(pictures: int, controls: int, alpha: float) -> int:
    """How many more controls the set test takes to reach alpha with so many pictures."""
    if alpha < 1 / (MAX_PERMUTATIONS + 1):
        return 0  # no number of them would do; the words say so
    more = 0
    while smallest_set_p(pictures, controls + more) > alpha:
        more += 1
    return more


def _strangers(answers: tuple[PictureAnswer, ...], unused: int) -> tuple[tuple[str, ...], bool]:
    """What is said of pictures that the guard refuses, and whether it refuses the whole set."""
    strange = sum(answer.p_value is None for answer in answers)
    if not strange:
        return (), False
    words = f"{strange} of {len(answers)} pictures do not resemble the unused ones"
    if too_many_refused(strange, len(answers), max(LEVEL, 1 / (unused + 1))):
        return (f"{words}, more than chance explains, so the set is not comparable.",), True
    return (f"{words} and have no p-value of their own; they count in the set.",), False


def _verdict(
    answers: tuple[PictureAnswer, ...], together: SetFinding | None, alpha: float
) -> Verdict:
    if together is not None:
        return Verdict.MEMBER_LIKE if together.test.p_value <= alpha else Verdict.CANNOT_TELL
    return answers[0].verdict if len(answers) == 1 else Verdict.NOT_COMPARABLE
