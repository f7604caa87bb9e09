"""Candidates of a phase as participants get them, and their labels as the scoring program does."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from miagym.candidates import Candidates
from miagym.data.dataset import TEST
from miagym.hosting.codabench.scoring import REFERENCE, Reference, columns_of
from miagym.hosting.dealing.phase import deal_phase
from miagym.hosting.dealing.secret import opaque_name
from miagym.hosting.seats import settings_of
from miagym.hosting.suite import HostedTask
from miagym.remote.pictures import png_of

SUBMISSION = "submission.csv"


@dataclass(frozen=True, eq=False)
class PhaseData:
    """Candidates of a phase, sorted by ids that a secret draws: their order says nothing."""

    candidates: Candidates
    reference: Reference

    @property
    def public(self) -> dict[str, bytes]:
        """Files of pictures, written anew from their pixels, and a list of them."""
        places = [f"pictures/{name}.png" for name in self.reference.ids]
        listed = zip(self.reference.ids, places, self.candidates.captions, strict=True)
        pictures = map(png_of, self.candidates.images)
        return {
            "candidates.csv": _csv(("id", "picture", "caption"), listed),
            **dict(zip(places, pictures, strict=True)),
        }

    @property
    def secret(self) -> dict[str, bytes]:
        """The file of labels."""
        labels = self.reference
        groups = labels.groups if labels.groups is not None else [""] * len(labels.ids)
        lines = zip(labels.ids, labels.member.astype(int), groups, strict=True)
        return {REFERENCE: _csv(("id", "member", "group"), lines)}

    @property
    def sample(self) -> dict[str, bytes]:
        """A submission that knows nothing."""
        return {SUBMISSION: _csv(("ids", "score"), ((name, 0.5) for name in self.reference.ids))}

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the leaderboard that so many candidates can fill."""
        return tuple(columns_of(np.full(len(self.reference.ids), 0.5), self.reference))


def phase_data(task: HostedTask, phase: str, secret: str) -> PhaseData:
    """The candidates that a host with this secret deals in a phase.

    Raises:
        HostError: if there are too few.
    """
    data = deal_phase(task, phase, secret).data
    size = settings_of(task, task.targets[0], data).resolution
    rows = np.flatnonzero(data.part == TEST)
    dealt = data.candidates(rows, size)
    ids = [opaque_name(secret, "codabench", task.name, phase, key) for key in dealt.keys]
    order = np.argsort(ids)
    rows = rows[order]
    groups = None if data.groups is None else data.groups[rows].astype(np.int64)
    reference = Reference(tuple(ids[place] for place in order), data.member[rows], groups)
    return PhaseData(dealt[order], reference)


def _csv(header: Sequence[str], lines: Iterable[Sequence[object]]) -> bytes:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([header, *lines])
    return stream.getvalue().encode("utf-8")
