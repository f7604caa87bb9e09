"""Building the parquet file of the world that draws, from seven open sets of emoji."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image

from miagym.data.splits import deal_well
from miagym.embedded import duplicates
from miagym.embedded.build import encode, parts
from miagym.embedded.icon_sets import SETS, Icon, kind, read_icons
from miagym.embedded.render import fit_to_square, on_white
from miagym.errors import DataError

SEED = 20261128

MAX_SIMILAR_DISTANCE = 0.02
"""Below this distance in colour, two icons of different things share a group, as many faces do.
(At twice that, half of all round faces are one group; at five times, a sixth of everything.)"""

SHARES = {"base-member": 44, "base-nonmember": 44, "tune-member": 6, "tune-nonmember": 6}
"""Of all things, each with all of its icons."""

PARTS = {"calibration": 30, "test": 70}
"""Of each role."""

UNSEEN_FROM = 5
"""Where so many sets draw a member's thing, one icon is kept from training: what a model makes of
that thing in that style shows whether it draws or only remembers."""

UNSEEN = "base-unseen"


Drawn = NDArray[np.uint8] | None
"""Pixels (64, 64, 3) of an icon; None if it is blank."""


def render(svg: str) -> Drawn:
    """Renders an SVG as (64, 64, 3) pixels, cropped to its ink as every embedded drawing is.

    Raises:
        DataError: if resvg is not installed.
    """
    try:
        import resvg_py
    except ImportError as error:
        raise DataError(
            'Icons are rendered by the library resvg: pip install "miagym[art]".'
        ) from error

    png = bytes(resvg_py.svg_to_bytes(svg_string=svg))
    return fit_to_square(on_white(Image.open(io.BytesIO(png))))


def roles(icons: list[Icon], groups: NDArray[np.int32]) -> NDArray[np.str_]:
    """Assigns a role to each icon (n,), of `SHARES` or `UNSEEN`; a group is never cut.

    Groups are dealt by which sets draw them, so that no style gives a side away.
    """
    drawn_by: dict[int, set[str]] = {}
    for icon, group in zip(icons, groups, strict=True):
        drawn_by.setdefault(int(group), set()).add(icon.package)
    strata = ["+".join(sorted(drawn_by[int(group)])) for group in groups]
    role = deal_well(groups, strata, SHARES, SEED).astype("<U16")
    rng, of_thing = np.random.default_rng(SEED), {}
    for row, icon in enumerate(icons):
        of_thing.setdefault(icon.thing, []).append(row)
    for rows in of_thing.values():
        if role[rows[0]] == "base-member" and len(rows) >= UNSEEN_FROM:
            role[rng.choice(rows)] = UNSEEN
    return role


def build_icons(
    folder: Path,
    out: Path,
    progress: Callable[[Iterable[Drawn], int], Iterable[Drawn]],
) -> Counter[str]:
    """Builds the parquet file and counts icons by role.

    Args:
        folder: `node_modules/@iconify-json`, with the packages of `SETS`.
        out: the parquet file to write.
        progress: wraps an iterable and its length, to show how far it is.

    Raises:
        DataError: if a package is not there, or an icon is blank.
    """
    icons = read_icons(folder)
    with ProcessPoolExecutor() as pool:
        rendered = pool.map(render, [icon.svg for icon in icons], chunksize=16)
        drawn = list(progress(rendered, len(icons)))
    if blank := [i.source for i, p in zip(icons, drawn, strict=True) if p is None]:
        raise DataError(f"Expected pictures, rendered nothing of {', '.join(blank)}.")
    pixels = np.stack([p for p in drawn if p is not None])
    kinds = [kind(icon.thing) for icon in icons]
    groups = duplicates.groups(duplicates.colour(pixels), kinds, MAX_SIMILAR_DISTANCE)
    role, styles = roles(icons, groups), [icon.style for icon in icons]
    table = pa.table(
        {
            "id": [hashlib.sha256(i.source.encode()).hexdigest()[:12] for i in icons],
            "image": [encode(p) for p in pixels],
            "caption": [icon.caption for icon in icons],
            "thing": [icon.thing for icon in icons],
            "kind": kinds,
            "style": styles,
            "artist": [SETS[icon.package].artist for icon in icons],
            "licence": [SETS[icon.package].licence for icon in icons],
            "source": [icon.source for icon in icons],
            "group": groups,
            "role": role,
            "part": parts(role, styles, groups, PARTS, SEED + 1),
        }
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, out, compression="zstd")
    return Counter(role.tolist())
