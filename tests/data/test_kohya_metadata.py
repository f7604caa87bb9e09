"""kohya's meta_*.json: records by the names of pictures, or by their paths."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from miagym.data.describe import describe
from miagym.data.registry import load_data
from miagym.errors import DataError
from tests.data.pictures.pictures_beside import (
    SIDES,
    N,
    caption_of,
    captions,
    folder,
    no_caption,
    txt,
)

Key = Callable[[Path], str]
KEYS: dict[str, Key] = {
    "name": lambda picture: picture.stem,
    "name with its ending": lambda picture: picture.name,
    "path": lambda picture: str(picture.absolute()),
    "path without ending": lambda picture: str(picture.absolute().with_suffix("")),
    "path of another machine": lambda picture: f"C:\\train\\{picture.name}",
}


def kohya(root: Path, key: Key, **more: object) -> Path:
    folder(root, no_caption)
    for side in SIDES:
        pictures = sorted((root / side).glob("*.png"))
        records = {key(p): {"tags": "x, y", "caption": caption_of(int(p.stem))} for p in pictures}
        content = json.dumps(records | more, ensure_ascii=False)
        (root / side / "meta_cap.json").write_text(content, encoding="utf-8")
    return root


@pytest.mark.parametrize("key", KEYS)
def test_captions_are_read(key: str, tmp_path: Path) -> None:
    data = load_data(str(kohya(tmp_path / "data", KEYS[key])))
    assert data.captions == captions() and not data.warnings
    assert describe(data)["members"]["captions_from"] == {"meta_*.json": N}


def test_at_the_root_it_stands_for_both_sides(tmp_path: Path) -> None:
    root = folder(tmp_path / "data", no_caption)
    pictures = [*root.glob("*/*.png")]
    records = {p.stem: {"caption": caption_of(int(p.stem))} for p in pictures}
    (root / "meta_lat.json").write_text(json.dumps(records), encoding="utf-8")
    assert load_data(str(root)).captions == captions()
    (root / "members" / "100.png").write_bytes((root / "members" / "000.png").read_bytes()[:-1])
    with pytest.raises(DataError, match=r"'100' stands for .*; expected one picture"):
        load_data(str(root))


def test_what_it_lacks_and_what_is_not_there_is_said(tmp_path: Path) -> None:
    root = kohya(tmp_path / "data", KEYS["name"], gone={"caption": "x"}, tagged={"tags": "x"})
    notes = load_data(str(root)).warnings
    assert any("1 records with neither `caption` nor `text`" in note for note in notes)
    assert any("names 2 pictures that are not there, such as 'gone'" in note for note in notes)


def test_a_disagreement_with_a_text_is_refused(tmp_path: Path) -> None:
    root = kohya(tmp_path / "data", KEYS["name"])
    (root / "members" / "000.txt").write_text("another", encoding="utf-8")
    with pytest.raises(DataError, match=r"has two captions, .*000.txt.*meta_cap.json; keep one"):
        load_data(str(root))


def test_other_files_of_that_name_are_left_alone(tmp_path: Path) -> None:
    root = folder(tmp_path / "data", txt)
    (root / "members" / "meta_list.json").write_text("[1, 2]", encoding="utf-8")
    picture = root / "members" / "meta_x.png"
    picture.write_bytes((root / "members" / "000.png").read_bytes()[:-1])
    picture.with_suffix(".json").write_text('{"caption": {"a": "b"}}', encoding="utf-8")
    with pytest.raises(DataError, match=r"meta_x.json: `caption` must be one text"):
        load_data(str(root))  # a sidecar as any other
    picture.with_suffix(".json").write_text('{"caption": "mine"}', encoding="utf-8")
    assert "mine" in load_data(str(root)).captions
    (root / "members" / "meta_cap.json").write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match=r"meta_cap.json is no JSON"):
        load_data(str(root))
