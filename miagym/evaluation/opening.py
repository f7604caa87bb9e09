"""How a run folder is opened: begun, gone on with, or joined; never taken for another run's."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from enum import Enum
from pathlib import Path
from typing import Any

from miagym.atomic import write_json
from miagym.errors import RunError, SettingsError, option
from miagym.evaluation.claims.claims import Claims, NotExclusive, Unshared
from miagym.evaluation.claims.process import Process
from miagym.evaluation.folders.difference import in_words, made_differently, read_about
from miagym.evaluation.store import RunFolder

WAIT = 30.0
"""Seconds that a process which joins waits for somebody to begin."""

CLAIMS = "claims"
"""Folder of the claims within a run."""

RUN = "run"
"""Claimed by a process that has not joined: there is one at a time."""


class Join(Enum):
    """Whether a process works on a run together with others."""

    NO = "no"
    """It begins a run, or goes on with it, and works alone."""
    YES = "yes"
    """It works on a run that others have begun."""
    BEGIN = "begin"
    """It begins the run if nobody has, and joins it otherwise."""

    @classmethod
    def of(cls, given: bool | str) -> Join:
        """From what the front door takes.

        Raises:
            SettingsError: for another word than "begin".
        """
        if isinstance(given, bool):
            return cls.YES if given else cls.NO
        if given != cls.BEGIN.value:
            raise SettingsError(f"Expected join=True, False or 'begin', got {given!r}.")
        return cls.BEGIN


@contextmanager
def opened_run(
    path: Path, identity: dict[str, Any], tell: Callable[[str], None], *, join: Join = Join.NO
) -> Iterator[RunFolder]:
    """Context of a run folder, in which this process has a place.

    Args:
        path: made if it does not exist.
        identity: what makes this run this run: configuration, data, models, code, versions.
        tell: is told what the folder already holds.
        join: whether others may be at work in it.

    Raises:
        RunError: if the folder holds another run, or files that are none of ours; if others are at
            work in it and this is not to join them; or if there is nothing to join.
    """
    if join == Join.YES:
        _wait_for(path / "run.json")
    there = (path / "run.json").is_file()
    if not there:
        _check_empty(path)
    changed = _changed(path, identity, join != Join.NO) if there else {}
    folder = RunFolder(path)
    if there and not changed and folder.finished:
        tell(f"{path} holds this very run, finished.")
        yield folder
        return
    alone = False
    try:
        with ExitStack() as stack:
            folder.claims = _claims(stack, path, join)
            _begin(folder, identity, changed, tell, join)
            try:
                yield folder
            finally:
                alone = not folder.claims.others()
                if alone:
                    folder.sweep()
    except BaseException:
        if alone:
            folder.give_up()
        raise


def _begin(
    folder: RunFolder,
    identity: dict[str, Any],
    changed: dict[int, set[str]],
    tell: Callable[[str], None],
    join: Join,
) -> None:
    """Makes the folder this run's own, if nobody else is at work in it, or joins them."""
    file = folder.path / "run.json"
    if join == Join.NO:
        _check_alone(folder.path, folder.claims)
        folder.sweep()
    elif join == Join.BEGIN and not _begins(file, folder.claims):
        _changed(folder.path, identity, joins=True)
    for number, names in changed.items():
        folder.forget(number, names)
    if changed:
        names = " and ".join(sorted(set().union(*changed.values())))
        tell(f"The code of {names} has changed; what it scored is made anew.")
    if changed or not file.is_file():  # last, so that who is stopped before forgets them again
        write_json(file, identity, shared=True)
    folder.made_by = file.read_bytes()
    if folder.begun:
        tell(f"{folder.path} holds the beginning of this run; going on.")


def _wait_for(file: Path) -> None:
    deadline = time.monotonic() + WAIT
    while not file.is_file():
        if time.monotonic() > deadline:
            raise RunError(
                f"{file.parent} holds no run to join, and none was begun within {WAIT:.0f} "
                f"seconds; begin it by the same command without {joining()}."
            )
        time.sleep(0.1)


def _check_empty(path: Path) -> None:
    if path.exists() and (
        not path.is_dir() or any(inside.name != CLAIMS for inside in path.iterdir())
    ):
        raise RunError(
            f"{path} is there already and holds no run of miagym; choose another {option('out')}."
        )


def _changed(path: Path, identity: dict[str, Any], joins: bool) -> dict[int, set[str]]:
    """By match, attacks whose code has changed since the folder was last written."""
    existing = path / "run.json"
    try:
        other = json.loads(existing.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RunError(
            f"{existing} cannot be read ({error}); choose another {option('out')}."
        ) from error
    ours = json.loads(json.dumps(identity))
    if joins and (differs := made_differently(read_about(path), ours)):
        raise RunError(
            f"{path} cannot be joined, since this would be another run ({in_words(differs)})."
        )
    keys = (key for key in ours.keys() | other.keys() if ours.get(key) != other.get(key))
    different = sorted(set(keys) - {"git_commit", "command", "code"})
    if different:
        differs = made_differently({**other, "code": []}, {**ours, "code": []})
        raise RunError(
            f"{path} holds another run ({in_words(differs) or ' and '.join(different)}); choose "
            f"another {option('out')}, or delete it."
        )
    pairs = enumerate(zip(other["code"], ours["code"], strict=True))
    found = {n: {name for name in new if old[name] != new[name]} for n, (old, new) in pairs}
    return {number: names for number, names in found.items() if names}


def _claims(stack: ExitStack, path: Path, join: Join) -> Claims:
    """Claims in a folder; where none can be made, those of a process that is alone."""
    try:
        return stack.enter_context(Claims(path / CLAIMS))
    except NotExclusive:
        if join != Join.NO:
            raise
        return stack.enter_context(Unshared())


def _begins(file: Path, claims: Claims) -> bool:
    """Whether it falls to this process to begin; if not, somebody else has."""
    while not file.is_file():
        if claims.take(RUN):
            return not file.is_file()
        time.sleep(0.1)
    return False


def _check_alone(path: Path, claims: Claims) -> None:
    """Whether nobody else is at work; from now on, nobody may be who has not joined."""
    free = claims.take(RUN)
    others: list[Process] = claims.others()
    if free and not others:
        return
    who = str(others[0]) if others else "another process"
    raise RunError(
        f"{path} is being worked on by {who}; add {joining()} to work on it "
        "together, or wait until that has ended."
    )


def joining() -> str:
    """How a caller is told to join a run."""
    return option("join", python="join=True")
