"""`miagym check`: one picture, or several, against calibration pictures of the same target."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from miagym.cli.console import (
    AsJson,
    Device,
    Seed,
    attacks_named,
    console,
    phases,
    progress_bar,
)

if TYPE_CHECKING:
    from miagym.checking.answer import Answer, SetAnswer
    from miagym.checking.upload import Upload

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".gif"}
"""What is looked for in folders."""
UNREAD = {".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif", ".jp2", ".svg"}
"""What is a picture too, in a form that uploads have not; it is listed as skipped."""


def check(
    pictures: Annotated[list[Path], typer.Argument(help="Pictures, or folders of them.")],
    target: Annotated[str, typer.Option(help="Embedded name, folder or hub id.")],
    caption: Annotated[
        str | None, typer.Option(help="Of the one picture; .txt files beside pictures otherwise.")
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(help="Members of the target and non-members like them; known if embedded."),
    ] = None,
    attacks: Annotated[
        str | None, typer.Option(help="Names with commas; quick ones by default.")
    ] = None,
    access: Annotated[str, typer.Option(help="black or grey: which attacks by default.")] = "grey",
    reference: Annotated[
        str | None,
        typer.Option(help="Public base of the target, to calibrate by, or -; known if embedded."),
    ] = None,
    alpha: Annotated[float, typer.Option(help="False positive rate that is allowed.")] = 0.01,
    calibration_limit: Annotated[
        int | None,
        typer.Option(min=1, help="At most so many calibration members, and so many non-members."),
    ] = None,
    seed: Seed = 0,
    batch_size: Annotated[int, typer.Option(min=1, help="Latents in one call of the target.")] = 64,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Does a picture score as the target's training pictures do, or as others do?"""
    from attacks import make_attack
    from miagym.checking.answer import SCHEMA
    from miagym.checking.cache import cache_folder
    from miagym.checking.checker import Checker
    from miagym.checking.signals import Panel
    from miagym.data.registry import load_data
    from miagym.errors import DataError
    from miagym.progress import silent
    from miagym.targets.registry import load_target

    files = _files(pictures)
    if caption is not None and len(files) > 1:
        raise DataError(
            f"--caption is of one picture, got {len(files)}; captions of several go in .txt "
            "files beside them."
        )
    known = _known(target, data, reference, attacks, access)
    chosen = {name: make_attack(name) for name in known.attacks}
    labelled = load_data(known.data)
    panel = Panel(
        load_target(target, device=device),
        chosen,
        None if known.reference is None else load_target(known.reference, device=device),
        seed,
        batch_size,
    )
    uploads, skipped = _uploads(files, caption, panel.target.resolution)
    with nullcontext() if as_json else progress_bar() as bar:
        progress = silent if bar is None else phases(bar)
        checker = Checker(
            panel, labelled, limit=calibration_limit, folder=cache_folder(), progress=progress
        )
        answers = [checker.check(upload, alpha) for upload in uploads]
        of_set = checker.check_set(uploads, alpha) if len(files) > 1 else None
    about = {
        "schema": SCHEMA,
        "target": panel.target.name,
        "data": labelled.name,
        "reference": known.reference,
        "seed": seed,
    }
    if as_json:
        found = _as_json(answers, of_set, skipped)
        print(json.dumps(about | found, indent=2, ensure_ascii=False, allow_nan=False))
    elif of_set is None:
        _print_one(answers[0])
    else:
        _print_several(answers, of_set, skipped)


@dataclass(frozen=True)
class _Known:
    """What belongs to the target: given, or known of embedded ones."""

    data: str
    reference: str | None
    attacks: tuple[str, ...]


def _known(
    target: str, data: str | None, reference: str | None, attacks: str | None, access: str
) -> _Known:
    from attacks import REFERENCE, blind_names
    from miagym.checking.signals import ATTACKS
    from miagym.embedded.pairings import pairing
    from miagym.errors import DataError
    from miagym.targets.registry import find_target

    find_target(target)  # a name that is mistyped needs no other advice
    paired = pairing(target)
    data = data or (paired and paired.data)
    if data is None:
        raise DataError(
            f"A check of {target} needs pictures that were used in its training, and others like "
            "them that were not; name them with --data."
        )
    if access not in ATTACKS:
        raise DataError(f"Expected --access {' or '.join(ATTACKS)}, got {access!r}.")
    base = reference or (paired and paired.reference)
    base = None if base == "-" else base
    if attacks is not None:
        names = attacks_named(attacks)
        if blind := [name for name in names if name in blind_names()]:
            raise DataError(
                f"{blind[0]} never looks at the target, so what it finds says nothing of it; name "
                "attacks that do."
            )
        return _Known(data, base, names)
    return _Known(data, base, tuple(n + REFERENCE if base else n for n in ATTACKS[access]))


def _files(pictures: list[Path]) -> dict[str, Path]:
    """The pictures that are named, and those in folders, by the name that answers use."""
    from miagym.errors import DataError

    files: dict[str, Path] = {}
    for given in pictures:
        found = [given]
        if given.is_dir():
            found = sorted(
                p for p in given.rglob("*") if p.suffix.lower() in SUFFIXES | UNREAD and p.is_file()
            )
            if not found:
                raise DataError(f"There is no picture ({', '.join(sorted(SUFFIXES))}) in {given}.")
        files |= {str(file): file for file in found}
    return files


def _uploads(
    files: dict[str, Path], caption: str | None, size: int
) -> tuple[list[Upload], dict[str, str]]:
    """What can be read, and why the rest cannot; a single picture has to be readable."""
    from miagym.checking.upload import caption_in, open_upload
    from miagym.errors import DataError

    uploads: list[Upload] = []
    skipped: dict[str, str] = {}
    for name, file in files.items():
        try:
            text = caption_in(file.with_suffix(".txt")) if caption is None else caption
            uploads.append(open_upload(file, size, caption=text, name=name))
        except DataError as error:
            skipped[name] = str(error)
    if not uploads:
        raise DataError(" ".join(list(skipped.values())[:3]))
    return uploads, skipped


def _as_json(
    answers: list[Answer], of_set: SetAnswer | None, skipped: dict[str, str]
) -> dict[str, Any]:
    """One picture: its answer. Several: their answers, the set's, and what was skipped."""
    from miagym.checking.words import sentences, set_sentences

    each = [answer.as_json() | {"words": sentences(answer)} for answer in answers]
    if of_set is None:
        return each[0]
    return {
        "pictures": each,
        "set": of_set.as_json() | {"words": set_sentences(of_set)},
        "skipped": skipped,
    }


def _print_one(answer: Answer) -> None:
    from miagym.checking.words import sentences

    first, *others = sentences(answer)
    _say(first, style="bold")
    for sentence in others:
        _say(sentence)
    _say(f"Picture: {'; '.join(answer.done)}.")


def _print_several(answers: list[Answer], of_set: SetAnswer, skipped: dict[str, str]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table

    from miagym.checking.words import p_text, percent, set_sentences

    table = Table("picture", "verdict", box=SIMPLE_HEAD)
    table.add_column("p", justify="right")
    for answer in answers:
        p = "" if answer.p_value is None else p_text(answer.p_value)
        table.add_row(escape(answer.name), str(answer.verdict), p)
    console.print(table)
    _say(
        f"By chance alone, {percent(answers[0].power.fpr)} of pictures that were not used are "
        "member-like; the set has an answer of its own."
    )
    first, *others = set_sentences(of_set)
    _say(first, style="bold")
    for sentence in others:
        _say(sentence)
    for why in skipped.values():
        _say(f"Skipped: {why}")


def _say(sentence: str, style: str | None = None) -> None:
    console.print(sentence, style=style, markup=False, highlight=False, soft_wrap=True)
