"""`miagym.check` by unused pictures: what it returns, and how it is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from miagym.api.checking.checkers import asked_attacks
from miagym.api.checking.pictures import given_pictures
from miagym.api.checking.reference import public_base
from miagym.api.checking.result import CheckResult
from miagym.api.names import AttackLike, TargetLike, loaded_target
from miagym.checking.answer import SCHEMA, Verdict
from miagym.checking.given import Given
from miagym.checking.provenance import IN_QUESTION, UNUSED, Provenance
from miagym.checking.unused.check import check_by_unused
from miagym.checking.unused.result import UnusedFinding
from miagym.checking.unused.scoring import ALONE
from miagym.checking.unused.sides import Side, read_side
from miagym.checking.unused.words import finding_sentences, skipped_sentences
from miagym.evaluation.signals import Signals
from miagym.progress import Progress

if TYPE_CHECKING:
    from miagym.report.evidence.content import Evidence
    from miagym.report.model import Table


@dataclass(frozen=True, eq=False, repr=False)
class UnusedCheck(CheckResult):
    """What a check by unused pictures answers, about each picture and about their set.

    Args:
        target: its name.
        reference: name of the public base, if there is one.
        named_by: who named that base, in a sentence; "" if the caller did.
        seed: of all noise and draws.
        finding: all that was found.
        given: pictures in question.
        unused: pictures that were not used.
        provenance: what it was made of.
    """

    target: str
    reference: str | None
    named_by: str
    seed: int
    finding: UnusedFinding
    given: Side
    unused: Side
    provenance: Provenance

    @property
    def verdict(self) -> Verdict:
        """Of the one picture; of the set, if there are several."""
        return self.finding.verdict

    def parts(self) -> Iterator[Table | str]:
        from miagym.report.tables.check import unused_table

        words = self.words()
        yield words[0]
        if len(self.finding.pictures) > 1:
            yield unused_table(self.finding)
        yield from words[1:]
        yield from skipped_sentences(self.finding)

    def evidence(self) -> Evidence:
        from miagym.api.evidence import evidence_by_unused

        return evidence_by_unused(self)

    def words(self) -> list[str]:
        """The answer in sentences: the control first, without which it means nothing."""
        named = [self.named_by] if self.named_by else []
        return [*finding_sentences(self.finding), *named]

    def as_json(self) -> dict[str, Any]:
        about = {
            "schema": SCHEMA,
            "target": self.target,
            "reference": self.reference,
            "reference_named_by": self.named_by or None,
            "seed": self.seed,
        }
        return about | self.finding.as_json() | {"words": self.words()}


def asked_signals(
    target: TargetLike,
    attacks: AttackLike | None,
    access: str,
    reference: TargetLike | None,
    seed: int,
    batch_size: int,
    device: str,
    dtype: str,
) -> tuple[Signals, str]:
    """The one attack, the target and its base, and who named that base, in a sentence."""
    base = public_base(target, reference, None)
    chosen = asked_attacks(attacks, access, base.given is not None, ALONE)
    named = loaded_target(target, device, dtype)
    return Signals(named, chosen, base.load(device, dtype), seed, batch_size), base.why


def check_unused(
    signals: Signals,
    pictures: Mapping[str, Given],
    unused: Any,
    caption: str | None,
    alpha: float,
    fdr: float | None,
    named_by: str,
    progress: Progress,
) -> UnusedCheck:
    """Reads both sides and compares them; see `miagym.check` for the arguments.

    Args:
        signals: one attack, the target and its base, and the seed.
        pictures: in question, by name.
        unused: as the caller gives them.
        caption: of the one picture.
        alpha: the false positive rate that is allowed.
        fdr: of a list.
        named_by: who named the base, in a sentence.
        progress: shows how far it is.
    """
    others = given_pictures(unused, what="unused picture")
    done = progress("reading pictures", len(pictures) + len(others))
    size, reference = signals.target.resolution, signals.reference
    settings = {
        "target": signals.target.name,
        "reference": reference and reference.name,
        "attacks": next(iter(signals.attacks)),
        "caption": caption,
        "alpha": alpha,
        "fdr": fdr,
        "seed": signals.seed,
        "batch_size": signals.batch_size,
    }
    ours = read_side(pictures, size, caption, done)
    theirs = read_side(others, size, None, done)
    records = (*ours.records(IN_QUESTION), *theirs.records(UNUSED))
    return UnusedCheck(
        target=signals.target.name,
        reference=reference and reference.name,
        named_by=named_by,
        seed=signals.seed,
        finding=check_by_unused(signals, ours, theirs, alpha, fdr, progress),
        given=ours,
        unused=theirs,
        provenance=Provenance.now(records, signals, settings),
    )
