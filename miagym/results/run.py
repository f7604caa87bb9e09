"""A run as a whole: the content of results.json, read and refused in one place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Self

from pydantic import Field, ValidationError

from miagym.errors import RunError
from miagym.results.audits import AuditRecord
from miagym.results.controls import (
    Comparison,
    Control,
    GeneratedShare,
    OnOther,
    Optimism,
)
from miagym.results.records import (
    About,
    AttackRow,
    Record,
    Sample,
)

SCHEMA = 2


class Skipped(About):
    """An attack that was not run."""

    why: str


class Doubt(Record):
    """Labels that do not fit what is on record of the target's training."""

    target: str
    data: str
    why: str


class Unreadable(Record):
    """A picture that was left out."""

    data: str
    row: int
    part: str
    member: bool
    why: str


class DataSeen(Record):
    """What the reader of a data set saw besides its rows."""

    data: str
    warnings: tuple[str, ...] = ()
    """What is odd about captions, and what lies beside the pictures, in sentences."""
    captions_from: dict[str, dict[str, int]] = Field(default_factory=dict)
    """By side, captions by where they stood."""
    passed_over: dict[str, dict[str, int]] = Field(default_factory=dict)
    """By side, pictures and folders that were passed over, by reason."""
    learned_on: Sample | None = None
    """Of a calibration part that is larger, the rows that were asked about."""


class RunAbout(Record):
    """What there is to say of a run as a whole."""

    config: dict[str, Any]
    rows_charged: int
    rows_computed: int
    skipped: tuple[Skipped, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    data: tuple[DataSeen, ...] = ()


class Results(Record):
    """The content of results.json."""

    schema_: int = Field(SCHEMA, alias="schema")
    run: RunAbout
    rows: tuple[AttackRow, ...]
    controls: tuple[Control, ...] = ()
    protocols: tuple[Optimism, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    audit: tuple[AuditRecord, ...] = ()
    generated: tuple[GeneratedShare, ...] = ()
    other_generator: tuple[OnOther, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Self:
        """Reads a results.json.

        Raises:
            RunError: if it is none, or of another version of miagym.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RunError(f"{path} cannot be read as results ({error}).") from error
        found = content.get("schema") if isinstance(content, dict) else None
        if found != SCHEMA:
            raise RunError(
                f"{path} holds results of schema {found!r}, expected {SCHEMA}: it was written by "
                "another version of miagym; run the evaluation again with this one."
            )
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise RunError(f"{path} holds no whole results: {where}: {first['msg']}.") from error
