"""Building the embedded art's parquet file from Debian's Open Clip Art Library 0.18.

`apt-get install openclipart-png openclipart-svg && miagym art` rebuilds it, the same to the byte
under the same Pillow and pyarrow.
"""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image

from miagym.data.splits import deal, deal_well
from miagym.embedded import duplicates
from miagym.embedded.captions import NOTHING, Metadata, captions, read_metadata
from miagym.embedded.render import render
from miagym.errors import DataError, option

SEED = 20240104
MIN_MEAN_INK = 0.008
"""Drawings with less mean ink than this, of 1, are invisible at 64 pixels."""

GENERATED_TITLE = "gramastar"
"""1,375 stars drawn by one script that differ in two numbers: no art, and all near-duplicates."""

TUNE_CATEGORIES = frozenset({"animals", "people", "food"})
"""The fine-tuning domain. All other categories belong to the base."""

SHARES = {"calibration": 29, "test": 71}
"""Of each role. An interval of TPR at 1 % FPR begins above 0 from 299 non-members on, and a p-value
of 1 % takes 99 that rank and 20 to learn from: of the smallest role, both parts have more to lose.
"""

PER_SIDE = 1500
"""Members, and as many non-members, of the base; what is left over is spare."""


@dataclass(frozen=True)
class Drawing:
    """Drawing with its path, pixels (None if it is blank) and metadata."""

    path: PurePosixPath
    pixels: NDArray[np.uint8] | None
    metadata: Metadata


def read_drawing(art: Path, path: PurePosixPath) -> Drawing:
    svg = (art / "svg" / path).with_suffix(".svg")
    metadata = read_metadata(svg.read_bytes()) if svg.is_file() else NOTHING
    return Drawing(path, render(art / "png" / path), metadata)


def fault(drawing: Drawing) -> str | None:
    """Reason why a drawing is left out, or None if it is kept."""
    if drawing.pixels is None or (255 - drawing.pixels.mean()) / 255 < MIN_MEAN_INK:
        return "blank"
    if drawing.metadata.title == GENERATED_TITLE:
        return "generated"
    if drawing.metadata.links_elsewhere:
        return "placeholder"
    if "publicdomain" not in drawing.metadata.licence.lower():
        return "licence not stated as public domain"
    return None


def roles(categories: list[str], artists: list[str], groups: NDArray[np.int32]) -> NDArray[np.str_]:
    """Assigns a role to each drawing (n,): base-member, base-nonmember, tune-member and so on.

    A group with a drawing of the fine-tuning domain belongs to that domain as a whole.
    """
    tune_groups = np.unique(groups[[c in TUNE_CATEGORIES for c in categories]])
    tune = np.isin(groups, tune_groups)
    spare = max(0, int((~tune).sum()) - 2 * PER_SIDE)
    role = np.empty(len(groups), dtype="<U16")
    for domain, shares in (
        (tune, {"tune-member": 1, "tune-nonmember": 1}),
        (~tune, {"base-member": PER_SIDE, "base-nonmember": PER_SIDE, "spare": spare}),
    ):
        rows = np.flatnonzero(domain)
        shares = {name: share for name, share in shares.items() if share}
        role[rows] = deal(groups[rows], [artists[i] for i in rows], shares, SEED)
    return role


def parts(
    role: NDArray[np.str_],
    strata: list[str],
    groups: NDArray[np.int32],
    shares: Mapping[str, float] = SHARES,
    seed: int = SEED + 1,
) -> NDArray[np.str_]:
    """Splits each role by group into calibration and test (n,), in these shares."""
    part = np.empty(len(role), dtype="<U11")
    for name in np.unique(role):
        rows = np.flatnonzero(role == name)
        part[rows] = deal_well(groups[rows], [strata[i] for i in rows], shares, seed)
    return part


def encode(pixels: NDArray[np.uint8]) -> bytes:
    """Encodes pixels as lossless WebP, the same way for every drawing."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", lossless=True, quality=75, method=4)
    return buffer.getvalue()


def build(
    art: Path, out: Path, progress: Callable[[Iterable[Drawing], int], Iterable[Drawing]]
) -> Counter[str]:
    """Builds the parquet file and counts drawings that were kept, and left out by reason.

    Args:
        art: folder with `png/` and `svg/`, which hold the same paths.
        out: the parquet file to write.
        progress: wraps an iterable and its length, to show how far it is.

    Raises:
        DataError: if the folder holds no drawings.
    """
    paths = sorted(PurePosixPath(p.relative_to(art / "png")) for p in (art / "png").rglob("*.png"))
    if not paths:
        raise DataError(
            f"Expected drawings in {art / 'png'}, found none: "
            "`apt-get install openclipart-png openclipart-svg`, or name their folder "
            f"by {option('source')}."
        )
    with ProcessPoolExecutor() as pool:
        read = pool.map(partial(read_drawing, art), paths, chunksize=16)
        drawings = list(progress(read, len(paths)))
    faults = [fault(drawing) for drawing in drawings]
    count = Counter(f for f in faults if f is not None)
    drawings = [d for d, f in zip(drawings, faults, strict=True) if f is None]

    pixels = np.stack([d.pixels for d in drawings if d.pixels is not None])
    ink = duplicates.ink(pixels)
    keep = np.flatnonzero(duplicates.unique(ink))
    count["near-duplicate"], count["kept"] = len(drawings) - len(keep), len(keep)

    drawings, pixels, ink = [drawings[i] for i in keep], pixels[keep], ink[keep]
    texts = captions([d.path for d in drawings], [d.metadata for d in drawings])
    groups = duplicates.groups(ink, texts)
    artists = [d.metadata.artist or "unknown" for d in drawings]
    categories = [d.path.parts[0] for d in drawings]
    role = roles(categories, artists, groups)
    table = pa.table(
        {
            "id": [hashlib.sha256(str(d.path).encode()).hexdigest()[:12] for d in drawings],
            "image": [encode(p) for p in pixels],
            "caption": texts,
            "title": [d.metadata.title for d in drawings],
            "artist": artists,
            "category": categories,
            "licence": ["public domain"] * len(drawings),
            "source": [str(d.path) for d in drawings],
            "group": groups,
            "role": role,
            "part": parts(role, artists, groups),
        }
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, out, compression="zstd")
    return count
