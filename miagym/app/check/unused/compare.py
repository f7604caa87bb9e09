"""Checks of several pictures against others that were not used: no member has to be known."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from miagym.app.check.evidence import called, zipped
from miagym.app.check.service import CheckService, Pay
from miagym.app.offers import SEED
from miagym.app.server.body_limit import MAX_PICTURES
from miagym.app.server.uploads import MAX_FILES
from miagym.data.captions.sidecars import SUFFIXES
from miagym.data.readers.walk import is_hidden
from miagym.errors import DataError

if TYPE_CHECKING:
    from miagym.api.check_unused import UnusedCheck

ATTACK = "sima"
"""Fixed beforehand, as `miagym check --unused` does."""
Files = Mapping[str, Path]


@dataclass(frozen=True, eq=False)
class AgainstUnused:
    """A check by unused pictures, and its evidence as a zip if that was asked for."""

    found: UnusedCheck
    evidence: bytes | None


def check_against_unused(
    service: CheckService,
    target: str,
    used: Files,
    unused: Files,
    fdr: float | None,
    device: str,
    pay: Pay,
    with_evidence: bool = False,
) -> AgainstUnused:
    """What `miagym check USED --unused UNUSED` answers.

    Args:
        service: which knows the models.
        target: one that the page offers.
        used: files in question by the names that visitors gave them, captions among them.
        unused: files that were not used, likewise.
        fdr: false discovery rate of a list of pictures; None for no list.
        device: where the model is put.
        pay: for all of them, before anything is computed.
        with_evidence: whether to make evidence to hand on.

    Raises:
        MiagymError: in one sentence.
    """
    import miagym
    from miagym.targets.registry import shared_target

    offer = service.offer(target)
    _check_count("pictures in question", used, MAX_PICTURES)
    _check_count("unused pictures", unused, MAX_FILES)
    count = len(_pictures(used)) + len(_pictures(unused))
    pay(service.rows(target, count, [ATTACK]))
    with TemporaryDirectory(prefix="miagym-unused-") as folder:
        found = miagym.check(
            _laid_out(used, Path(folder, "used")),
            called(shared_target(offer.target, device), offer.name),
            unused=_laid_out(unused, Path(folder, "unused")),
            reference=offer.base,
            fdr=fdr,
            seed=SEED,
            device=device,
        )
        assert not hasattr(found, "answers")  # an `UnusedCheck`
        evidence = zipped(found) if with_evidence else None
    return AgainstUnused(found, evidence)  # type: ignore[arg-type]


def _check_count(what: str, files: Files, most: int) -> None:
    count = len(_pictures(files))
    if not 1 <= count <= most:
        raise DataError(f"Expected 1 to {most} {what}, got {count}; drop them in their place.")


def _pictures(files: Files) -> list[str]:
    return [n for n in files if not is_hidden(n) and not n.lower().endswith(SUFFIXES)]


def _laid_out(files: Files, folder: Path) -> dict[str, Path]:
    """Copies in one folder, where captions lie beside their pictures; the pictures by name."""
    folder.mkdir()
    for name, file in files.items():
        shutil.copyfile(file, folder / name)
    return {name: folder / name for name in _pictures(files)}
