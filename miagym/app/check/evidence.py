"""Evidence of a check on the page: a zip to hand on, which names no path of the server."""

from __future__ import annotations

import copy
import io
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from miagym.app.check.service import CheckService
from miagym.app.offers import SEED, short_name

if TYPE_CHECKING:
    from miagym.api.checking.result import Check, CheckResult
    from miagym.targets.base import Target

FOLDER = "evidence"
"""Within the zip."""


def zipped(found: CheckResult) -> bytes:
    """What `miagym check --out` writes, as a zip.

    Raises:
        MiagymError: in one sentence, if the check cannot be handed on.
    """
    content = io.BytesIO()
    with (
        TemporaryDirectory(prefix="miagym-evidence-") as folder,
        zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for file in found.save_evidence(Path(folder, FOLDER)):
            archive.write(file, f"{FOLDER}/{file.name}")
    return content.getvalue()


def recorded(
    service: CheckService, found: Check, given: Mapping[str, Path], caption: str | None = None
) -> Check:
    """A check by known members with the record of what it was made of.

    Args:
        service: which made it.
        found: the check.
        given: uploads by the names that visitors gave them; those that were skipped may be among
            them.
        caption: of the one picture, as it was written.
    """
    from miagym.checking.given import Given
    from miagym.checking.provenance import PictureRecord, Provenance

    checker, base = service.checker(found.target), None
    if checker.signals.reference is not None:
        base = called(checker.signals.reference, short_name(checker.signals.reference.name))
    target = called(checker.signals.target, found.target)
    signals = replace(checker.signals, target=target, reference=base)
    settings = {
        "target": found.target,
        "data": found.data,
        "reference": base and base.name,
        "seed": SEED,
        "caption": caption,
        "alpha": found.answers[0].alpha,
    }
    answered = {answer.name for answer in found.answers}
    used = given if found.together is None else {n: f for n, f in given.items() if n in answered}
    records = [PictureRecord.of(name, Given(file)) for name, file in used.items()]
    data = checker.source.name, checker.source.digest
    provenance = Provenance.now(records, signals, settings, data)
    return replace(found, reference=base and base.name, provenance=provenance)


def called(target: Target, name: str) -> Target:
    """A model by the name that visitors know, which is no path of the server."""
    if target.name == name:
        return target
    renamed = copy.copy(target)
    renamed.name = name
    renamed.provenance = {}
    return renamed
