"""Writing evidence: a new folder with evidence.json, evidence.html and, with a browser, its PDF."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from miagym.atomic import new_folder
from miagym.errors import RunError, option
from miagym.report.html import render
from miagym.report.pdf import print_page

if TYPE_CHECKING:
    from miagym.report.evidence.content import Evidence

NAME = "evidence"


def check_new_folder(folder: Path) -> None:
    """Checks, before the work, that a folder of evidence is new.

    Raises:
        RunError: if something is there already.
    """
    if os.path.lexists(folder):
        raise RunError(
            f"{folder} is there already, and evidence is never written over; choose another "
            f"{option('out', python='folder')}."
        )


def write_evidence(evidence: Evidence, folder: Path) -> list[Path]:
    """Writes the folder whole, or not at all.

    Args:
        evidence: what it holds.
        folder: new.

    Returns:
        The files: JSON, HTML, and PDF where there is a browser to print it.

    Raises:
        RunError: if something is there already, or it cannot be written.
        DataError: if a picture has changed since it was checked.
    """
    # A folder is checked at a command's start, for which libraries of models are not imported.
    from miagym.report.evidence.content import exhibits

    check_new_folder(folder)
    page = render("evidence.html", evidence=evidence, exhibits=exhibits(evidence.provenance))
    text = json.dumps(evidence.as_json(), indent=2, ensure_ascii=False, allow_nan=False)
    try:
        with new_folder(folder) as partial:
            (partial / f"{NAME}.json").write_text(text + "\n", encoding="utf-8", newline="\n")
            html = partial / f"{NAME}.html"
            html.write_text(page, encoding="utf-8", newline="\n")
            with suppress(RunError):  # a page without its print is still the page
                print_page(html, partial / f"{NAME}.pdf")
            names = [path.name for path in sorted(partial.iterdir())]
    except OSError as error:
        raise RunError(f"{folder} cannot be written ({error}); nothing is left of it.") from error
    return [folder / name for name in names]
