"""Labelled data sets: candidates with membership and with calibration and test parts."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from miagym.candidates import Candidates
from miagym.data.images import read_picture, to_square
from miagym.data.pictures import Picture, reason, take
from miagym.data.seen import NOTHING, Seen, warnings_of
from miagym.data.splits import subsample
from miagym.errors import DataError, UnknownName, check_whole

CALIBRATION, TEST = "calibration", "test"

MAX_DECODERS = 8
"""Threads that decode the pictures of a chunk, at most."""


def decoders() -> int:
    """Threads that decode pictures: no more than the cores that this process may use.

    A job of a cluster has a share of the machine, which its affinity says, or `OMP_NUM_THREADS`, as
    Ray sets it in each of its processes.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    said = os.environ.get("OMP_NUM_THREADS", "")
    share = int(said) if said.isdecimal() and int(said) else MAX_DECODERS
    return min(MAX_DECODERS, cores or 1, share)


@dataclass(frozen=True, eq=False)
class Loaded:
    """Candidates of some rows of a data set, and the rows that could not be read."""

    candidates: Candidates
    rows: NDArray[np.int64]
    """The row of each candidate (k,)."""
    unreadable: dict[int, str]
    """Why the picture of a row could not be read, in words."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled set of pictures, which are read and decoded only when a chunk is asked for.

    Args:
        name: what reports call it.
        pictures: encoded pictures, or the files that hold them (n), in memory or lazy.
        captions: n texts, "" for none.
        member: n labels.
        part: n times `CALIBRATION` or `TEST`.
        groups: group number of each row (n,), if rows belong together; a split never cuts them.
        seen: what the reader saw besides.
        names: what the data call each row (n): its file; None if they name none.
    """

    name: str
    pictures: Sequence[Picture]
    captions: tuple[str, ...]
    member: NDArray[np.bool_]
    part: NDArray[np.str_]
    groups: NDArray[np.integer] | None = None
    seen: Seen = NOTHING
    names: tuple[str | None, ...] | None = None

    def __len__(self) -> int:
        return len(self.pictures)

    def __repr__(self) -> str:
        """Counts, and none of the pictures, of which there may be gigabytes."""
        counts = (
            f"{part} {(self.member & (self.part == part)).sum():,} members and "
            f"{(~self.member & (self.part == part)).sum():,} non-members"
            for part in dict.fromkeys((CALIBRATION, TEST, *sorted(set(self.part))))
        )
        return f"<Dataset {self.name!r}: {len(self):,} pictures; {', '.join(counts)}>"

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is odd about captions and what lies beside them, in sentences."""
        return warnings_of(self.captions, self.member, self.seen)

    @cached_property
    def digest(self) -> str:
        """Digest of pictures, captions, labels and parts, by which a run knows its data.

        A file that cannot be read counts as no picture.

        Raises:
            DataError: if a picture that can be read stands there twice with the same caption.
        """
        state, seen, broken = hashlib.sha256(), dict[bytes, int](), set[bytes]()
        for row, (picture, caption) in enumerate(zip(self.pictures, self.captions, strict=True)):
            data = encoded(picture)
            one = hashlib.sha256(data + b"\0" + caption.encode()).digest()
            if one in seen and one not in broken:
                if _is_readable(data):
                    raise DataError(
                        f"{self.name}: {self._both(seen[one], row)} hold the same picture and "
                        "caption; drop one, or let `miagym data clean` do it, since a duplicate "
                        "across the split is a member in disguise."
                    )
                broken.add(one)  # as often as it comes, a page that says "not found", say
            seen[one] = row
            state.update(one)
        state.update(self.member.tobytes())
        state.update("".join(self.part).encode())
        return state.hexdigest()[:16]

    def load(self, rows: NDArray[np.integer], size: int) -> Loaded:
        """Loads some rows as an attacker sees them, squared to `size` pixels by `to_square`.

        Rows whose picture cannot be read are left out, and say why.
        """
        pixels: list[NDArray[np.uint8]] = []
        readable: list[int] = []
        unreadable: dict[int, str] = {}

        def decoded(picture: Picture) -> NDArray[np.uint8] | str:
            try:
                return to_square(read_picture(picture), size)
            except DataError as error:
                return reason(picture, error)

        with ThreadPoolExecutor(decoders()) as threads:  # decoding lets go of Python's lock
            each = threads.map(decoded, take(self.pictures, rows))
            for row, found in zip(map(int, rows), each, strict=True):
                if isinstance(found, str):
                    unreadable[row] = found
                else:
                    pixels.append(found)
                    readable.append(row)
        images = np.stack(pixels) if pixels else np.empty((0, size, size, 3), dtype=np.uint8)
        candidates = Candidates(images, tuple(self.captions[row] for row in readable))
        return Loaded(candidates, np.array(readable, dtype=np.int64), unreadable)

    def candidates(self, rows: NDArray[np.integer], size: int) -> Candidates:
        """Candidates of some rows, all of which must be readable.

        Raises:
            DataError: if a picture cannot be read.
        """
        loaded = self.load(rows, size)
        for row, why in loaded.unreadable.items():
            raise DataError(
                f"{self.name}: the picture in row {row} cannot be read ({why}); mend or remove it."
            )
        return loaded.candidates

    def rows(self, part: str, seed: int, limit: int | None = None) -> NDArray[np.int64]:
        """Rows of a part, members and non-members mixed, in an order that depends on the seed only.

        Args:
            part: `CALIBRATION` or `TEST`.
            seed: of the order.
            limit: at most so many members, and so many non-members.

        Raises:
            UnknownName: if the data have no such part.
            SettingsError: if the seed or the limit is no whole number, or below 0.
        """
        known = {CALIBRATION, TEST, *np.unique(self.part).tolist()}
        if part not in known:
            raise UnknownName("part", part, known)
        check_whole(0, seed=seed, limit=limit)
        rng, here = np.random.default_rng(seed), np.flatnonzero(self.part == part)
        return rng.permutation(here[subsample(limit, self.member[here], rng)])

    def require(self, *parts: str, by: str) -> None:
        """Checks that both sides are in each of these parts.

        Args:
            parts: `CALIBRATION`, `TEST`, or both.
            by: what needs them, as the sentence calls it: "an evaluation".

        Raises:
            DataError: if a part lacks members or non-members.
        """
        for part in parts:
            for member, word in ((True, "members"), (False, "non-members")):
                if not ((self.part == part) & (self.member == member)).any():
                    where = "both parts" if len(parts) > 1 else "it"
                    raise DataError(
                        f"{self.name} has no {word} in its {part} part; {by} needs both kinds in "
                        f"{where}."
                    )

    def _both(self, first: int, second: int) -> str:
        """Two rows by the names of their files, where they have different ones."""
        files = take(self.pictures, np.array([first, second]))
        if all(isinstance(file, Path) for file in files) and files[0] != files[1]:
            return f"{files[0]} and {files[1]}"
        return f"rows {first} and {second}"


def encoded(picture: Picture) -> bytes:
    """Encoded bytes of a picture; none if its file cannot be read."""
    if isinstance(picture, bytes):
        return picture
    try:
        return picture.read_bytes()
    except (OSError, ValueError):  # a name may hold a NUL
        return b""


def _is_readable(data: bytes) -> bool:
    try:
        read_picture(data)
    except DataError:
        return False
    return True
