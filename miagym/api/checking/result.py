"""What a check returns: verdicts in a table and in words, and evidence to hand on."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from miagym.api.results import Result
from miagym.checking.answer import SCHEMA, Answer, SetAnswer, Verdict
from miagym.checking.sets.listing import Listed
from miagym.checking.words import sentences, set_sentences

if TYPE_CHECKING:
    from miagym.checking.provenance import Provenance
    from miagym.report.evidence.content import Evidence
    from miagym.report.model import Table


class CheckResult(Result):
    """What checks answer, in whatever way, which can be handed on as evidence."""

    @abstractmethod
    def evidence(self) -> Evidence:
        """All that is handed on.

        Raises:
            RunError: if the check has no record of what it was made of.
        """

    def save_evidence(self, folder: Path | str, command: str = "") -> list[Path]:
        """Writes a new folder with JSON, a page that prints well, and its PDF where it can be made.

        Args:
            folder: must not be there yet.
            command: that gives this answer again; by default the call in Python.

        Returns:
            The files.

        Raises:
            RunError: if the folder is there already, or cannot be written.
        """
        from miagym.report.evidence.write import write_evidence

        found = self.evidence()
        return write_evidence(replace(found, command=command or found.command), Path(folder))


@dataclass(frozen=True, eq=False, repr=False)
class Check(CheckResult):
    """What a check answers, about each picture and about their set.

    Args:
        target: its name.
        data: name of the calibration pictures.
        reference: name of the public base, if there is one.
        seed: of all noise and draws.
        answers: about each picture that could be used.
        together: about their set, if several pictures were given.
        skipped: by picture, why it could not be used.
        listed: pictures at a false discovery rate, if one was asked for.
        named_by: who named the reference, in a sentence; "" if the caller did, or it is known.
        provenance: what it was made of.
    """

    target: str
    data: str
    reference: str | None
    seed: int
    answers: tuple[Answer, ...]
    together: SetAnswer | None
    skipped: Mapping[str, str] = field(default_factory=dict)
    listed: Listed | None = None
    named_by: str = ""
    provenance: Provenance | None = None

    @property
    def verdict(self) -> Verdict:
        """Of the one picture; of the set, if there are several."""
        return self.answers[0].verdict if self.together is None else self.together.verdict

    def parts(self) -> Iterator[Table | str]:
        from miagym.report.tables.check import answers_table, chance_of_alarm

        if self.together is None:
            yield from sentences(self.answers[0])
            yield f"Picture: {'; '.join(self.answers[0].done)}."
            yield from self._more()
            return
        yield answers_table(self.answers)
        yield chance_of_alarm(self.answers[0])
        yield from set_sentences(self.together)
        yield from self._more()
        yield from (f"Skipped: {why}" for why in self.skipped.values())

    def evidence(self) -> Evidence:
        from miagym.api.evidence import evidence_by_members

        return evidence_by_members(self)

    def _more(self) -> Iterator[str]:
        yield from self.listed.sentences() if self.listed else ()
        if self.named_by:
            yield self.named_by

    def as_json(self) -> dict[str, Any]:
        """One picture: its answer. Several: their answers, the set's, and what was skipped."""
        about: dict[str, Any] = {
            "schema": SCHEMA,
            "target": self.target,
            "data": self.data,
            "reference": self.reference,
            "reference_named_by": self.named_by or None,
            "seed": self.seed,
        }
        if self.listed:
            about["listed"] = self.listed.as_json()
        each = [answer.as_json() | {"words": sentences(answer)} for answer in self.answers]
        if self.together is None:
            return about | each[0]
        together = self.together.as_json() | {"words": set_sentences(self.together)}
        return about | {"pictures": each, "set": together, "skipped": dict(self.skipped)}
