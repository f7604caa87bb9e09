"""Small inputs that once failed, each as somebody had it; its kind has tests beside this one.

Made anew here: drawings of the embedded world, in the layouts of the reports.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from miagym.cli import app
from miagym.data.images import read_picture
from miagym.embedded.art import table
from tests.data.test_conventions import full_name, jsonl, kohya, upper
from tests.data.test_conventions import table as metadata_csv

APPLE_DOUBLE = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        \xff\xfe"
Beside = Callable[[Path, str], None]


def drawings(root: Path, beside: Beside, n: int = 12, suffix: str = ".png") -> Path:
    """So many members and non-members with their captions, of the same distribution."""
    art = table().slice(0, 2 * n)
    rows = zip(art["image"].to_pylist(), art["caption"].to_pylist(), strict=True)
    for i, (image, caption) in enumerate(rows):
        picture = root / ("members", "nonmembers")[i % 2] / f"{i // 2:03}{suffix}"
        picture.parent.mkdir(parents=True, exist_ok=True)
        picture.write_bytes(image)
        beside(picture, caption)
    return root


def txt(picture: Path, caption: str) -> None:
    picture.with_suffix(".txt").write_text(caption, encoding="utf-8")


def said(*arguments: object) -> dict[str, Any]:
    result = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    assert result.exception is None, result.exception
    return json.loads(result.stdout)


def counted(root: Path) -> list[tuple[int, int]]:
    """Pictures, and pictures with captions, on each side."""
    found = said("data", "show", root)
    sides = (found[side] for side in ("members", "nonmembers"))
    return [(side["calibration"] + side["test"], side["with_caption"]) for side in sides]


CAPTIONED = {
    "F02-metadata-csv": metadata_csv,
    "F02-metadata-jsonl": jsonl,
    "F08-uppercase": upper,
    "F09-name-png-txt": full_name,
    "F20-captions-kohya": kohya,
}


@pytest.mark.parametrize("case", CAPTIONED)
def test_captions_that_are_there_are_seen(case: str, tmp_path: Path) -> None:
    suffix = ".PNG" if case == "F08-uppercase" else ".png"
    assert counted(drawings(tmp_path / "data", CAPTIONED[case], suffix=suffix)) == [(12, 12)] * 2


def test_f03_apple_double_texts_are_no_captions(tmp_path: Path) -> None:
    root = drawings(tmp_path / "data", txt)
    for file in (root / "members").glob("*.*"):
        file.with_name(f"._{file.name}").write_bytes(APPLE_DOUBLE)
    for name in ("Thumbs.db", ".DS_Store"):
        (root / "nonmembers" / name).write_bytes(APPLE_DOUBLE)
    assert counted(root) == [(12, 12)] * 2


def test_f03b_apple_double_pictures_are_no_cue(tmp_path: Path) -> None:
    plain, odd = (drawings(tmp_path / name / "data", txt, n=60) for name in ("plain", "odd"))
    for file in [*(odd / "members").glob("*.png")]:
        file.with_name(f"._{file.name}").write_bytes(APPLE_DOUBLE)
    assert said("audit", odd) == said("audit", plain)
    assert said("audit", odd)["verdict"] != "shifted"


def test_f05_a_byte_order_mark_on_one_side_is_no_cue(tmp_path: Path) -> None:
    plain, odd = (drawings(tmp_path / name / "data", txt, n=60) for name in ("plain", "odd"))
    for file in (odd / "members").glob("*.txt"):
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert said("audit", odd) == said("audit", plain)


def test_f07_jfif_is_jpeg(tmp_path: Path) -> None:
    root = drawings(tmp_path / "data", txt)
    for file in sorted(root.glob("*/*.png"))[::2]:
        Image.open(file).convert("RGB").save(file.with_suffix(".jfif"), "JPEG")
        file.unlink()
    assert counted(root) == [(12, 12)] * 2


def test_f11_half_of_each_side_lies_behind_a_linked_folder(tmp_path: Path) -> None:
    root = drawings(tmp_path / "data", txt)
    for side in ("members", "nonmembers"):
        store = tmp_path / "store" / side
        store.mkdir(parents=True)
        for file in sorted((root / side).iterdir())[:12]:
            file.rename(store / file.name)
        (root / side / "more").symlink_to(store)
    assert counted(root) == [(12, 12)] * 2


def test_p01_floats_of_0_to_1_are_not_black(tmp_path: Path) -> None:
    encoded = io.BytesIO(table()["image"][0].as_py())
    grey = np.asarray(Image.open(encoded).convert("L"))
    Image.fromarray(grey.astype(np.float32) / 255).save(tmp_path / "a.tif")
    assert (np.asarray(read_picture(tmp_path / "a.tif"))[..., 0] == grey).all()


def test_t06_a_text_column_is_audited_as_a_caption_column_is(tmp_path: Path) -> None:
    captions = [f"a {'photo' if i % 2 else 'drawing'} of number {i}" for i in range(200)]
    for name in ("text", "caption"):
        with (tmp_path / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            rows = [[i % 2, caption] for i, caption in enumerate(captions)]
            csv.writer(file).writerows([["member", name], *rows])
    text, caption = (said("audit", tmp_path / f"{name}.csv") for name in ("text", "caption"))
    assert text | {"data": ""} == caption | {"data": ""} and text["verdict"] == "shifted"
