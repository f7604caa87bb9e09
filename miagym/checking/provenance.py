"""What a check was made of: pictures with their digests, models, settings, versions and date."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from miagym.checking.given import Given
from miagym.evaluation.provenance import git_commit, versions

if TYPE_CHECKING:
    from miagym.evaluation.signals import Signals
    from miagym.targets.base import Target

IN_QUESTION, UNUSED = "in question", "unused"


@dataclass(frozen=True)
class PictureRecord:
    """A picture that was looked at.

    Args:
        name: what answers call it.
        side: `IN_QUESTION` or `UNUSED`.
        sha256: of the file, as it was then.
        given: where it lies.
    """

    name: str
    side: str
    sha256: str
    given: Given = field(repr=False)

    @classmethod
    def of(cls, name: str, given: Given) -> PictureRecord:
        """The record of a picture in question, whose file is read now."""
        return cls(name, IN_QUESTION, hashlib.sha256(bytes_of(given)).hexdigest(), given)

    def as_json(self) -> dict[str, Any]:
        return {"picture": self.name, "side": self.side, "sha256": self.sha256}


@dataclass(frozen=True)
class ModelRecord:
    """A model that was asked.

    Args:
        role: "target" or "reference".
        name: as it was named.
        fingerprint: digest of its weights, settings and words.
        about: where it is from, by name.
    """

    role: str
    name: str
    fingerprint: str
    about: Mapping[str, str]

    @classmethod
    def of(cls, role: str, target: Target) -> ModelRecord:
        return cls(role, target.name, target.fingerprint, dict(target.provenance))


@dataclass(frozen=True, eq=False)
class Provenance:
    """What a check was made of.

    Args:
        pictures: those that were looked at, of both sides.
        models: target, and reference if there is one.
        settings: by name, as Python's keywords.
        data: name and digest of calibration pictures; None if unused pictures served.
        versions: of miagym, Python and the libraries.
        git_commit: of a checkout; None outside of one.
        date: in UTC, ISO 8601.
    """

    pictures: tuple[PictureRecord, ...]
    models: tuple[ModelRecord, ...]
    settings: Mapping[str, Any]
    data: tuple[str, str] | None
    versions: Mapping[str, str]
    git_commit: str | None
    date: str

    @classmethod
    def now(
        cls,
        pictures: Iterable[PictureRecord],
        signals: Signals,
        settings: Mapping[str, Any],
        data: tuple[str, str] | None = None,
    ) -> Provenance:
        """Of a check that is made now."""
        models = [ModelRecord.of("target", signals.target)]
        if signals.reference is not None:
            models.append(ModelRecord.of("reference", signals.reference))
        date = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(
            tuple(pictures), tuple(models), dict(settings), data, versions(), git_commit(), date
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "date": self.date,
            "models": [asdict(model) for model in self.models],
            "settings": dict(self.settings),
            "data": self.data and {"name": self.data[0], "digest": self.data[1]},
            "versions": dict(self.versions),
            "git_commit": self.git_commit,
            "pictures": [picture.as_json() for picture in self.pictures],
        }


def bytes_of(given: Given) -> bytes:
    """The encoded picture.

    Raises:
        OSError: if its file is gone.
    """
    return given.source.read_bytes() if isinstance(given.source, Path) else given.source
