"""Folders and tables as people have them: hidden files, sidecars, metadata, links, marks."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from typer.testing import CliRunner

from miagym.api.checking.pictures import given_pictures
from miagym.auditing.data_source import AuditData
from miagym.cli import app
from miagym.data.describe import describe
from miagym.data.images import FORMATS, SUFFIXES
from miagym.data.registry import load_data, open_source
from miagym.errors import DataError
from tests.data.pictures.pictures_beside import (
    SIDES,
    Beside,
    N,
    caption_of,
    captions,
    encoded,
    folder,
    no_caption,
    txt,
)


def kohya(picture: Path, caption: str) -> None:
    picture.with_suffix(".caption").write_text(caption)


def upper(picture: Path, caption: str) -> None:
    picture.with_suffix(".TXT").write_text(caption)


def full_name(picture: Path, caption: str) -> None:
    picture.with_name(f"{picture.name}.txt").write_text(caption)


def record(picture: Path, caption: str) -> None:
    about = {"caption": caption, "url": "http://a/b", "key": picture.stem, "status": "success"}
    picture.with_suffix(".json").write_text(json.dumps(about))


def img2dataset(picture: Path, caption: str) -> None:
    txt(picture, caption)
    record(picture, caption)


def jsonl(picture: Path, caption: str) -> None:
    with picture.with_name("metadata.jsonl").open("a") as file:
        file.write(json.dumps({"file_name": picture.name, "text": caption}) + "\n")


def table(picture: Path, caption: str) -> None:
    is_new = not (path := picture.with_name("metadata.csv")).exists()
    with path.open("a", newline="") as file:
        csv.writer(file).writerows([["file_name", "text"]] * is_new + [[picture.name, caption]])


def jsonl_at_the_root(picture: Path, caption: str) -> None:
    name = str(picture.relative_to(picture.parents[1]))
    with (picture.parents[1] / "metadata.jsonl").open("a") as file:
        file.write(json.dumps({"file_name": name, "caption": caption}) + "\n")


def marked(picture: Path, caption: str) -> None:
    picture.with_suffix(".txt").write_text(f"\ufeff {caption}\u200b\n", encoding="utf-8")


def notepad(picture: Path, caption: str) -> None:
    picture.with_suffix(".txt").write_text(caption, encoding="utf-16")


@pytest.mark.parametrize(
    ("beside", "found_in"),
    [
        (txt, "NAME.txt"),
        (kohya, "NAME.caption"),
        (upper, "NAME.txt"),
        (full_name, "NAME.png.txt"),
        (record, "NAME.json"),
        (img2dataset, "NAME.txt"),
        (jsonl, "metadata.jsonl"),
        (jsonl_at_the_root, "metadata.jsonl"),
        (table, "metadata.csv"),
        (marked, "NAME.txt"),
        (notepad, "NAME.txt"),
    ],
)
def test_captions_are_found_wherever_they_stand(
    beside: Beside, found_in: str, tmp_path: Path
) -> None:
    data = load_data(str(folder(tmp_path / "data", beside)))
    assert data.captions == captions() and not data.warnings
    plain = load_data(str(folder(tmp_path / "plain" / "data")))
    assert data.digest == plain.digest
    found = describe(data)
    assert all(found[side]["captions_from"] == {found_in: N} for side in SIDES)
    for picture in given_pictures(
        tmp_path / "data" / "members"
    ).values():  # what `miagym check` reads
        if beside is not jsonl_at_the_root:
            assert isinstance(picture.source, Path)
            assert picture.caption() == caption_of(int(picture.source.stem))


def test_metadata_in_parquet_and_by_subfolders(tmp_path: Path) -> None:
    root = folder(tmp_path / "data", no_caption)
    for side, first in SIDES.items():
        (root / side / "more").mkdir()
        (root / side / "more" / "x.png").write_bytes(encoded(first + 50))
        names = [*(f"{i:03}.png" for i in range(first, first + N)), "more\\x.png"]
        texts = [f"c {name}" for name in names]
        columns = pa.table({"file_name": names, "caption": texts})
        pq.write_table(columns, root / side / "metadata.parquet")
    source = open_source(str(root))
    assert source.captions[: N + 1] == (*(f"c {i:03}.png" for i in range(N)), r"c more\x.png")


def test_what_systems_leave_behind_is_no_data(tmp_path: Path) -> None:
    """AppleDouble files come with every picture and text that macOS writes to a stick."""
    plain = load_data(str(folder(tmp_path / "plain")))
    root = folder(tmp_path / "data")
    for side in SIDES:
        for name in ("._000.png", "._000.txt", ".DS_Store", "Thumbs.db", "desktop.ini"):
            (root / side / name).write_bytes(b"\x00\x05\x16\x07\xff")
        for hidden in (".ipynb_checkpoints", "__MACOSX", "@eaDir"):
            (root / side / hidden).mkdir()
            (root / side / hidden / "000.png").write_bytes(encoded(77))
    data = load_data(str(root))
    assert (data.digest, data.captions) == (plain.digest, plain.captions)
    assert describe(data, check=True)["members"]["passed_over"] == {"hidden": 4}
    assert len(given_pictures(root)) == 2 * N


def test_other_spellings_are_read_and_other_kinds_counted(tmp_path: Path) -> None:
    root = folder(tmp_path / "data", suffix=".jfif")
    (root / "members" / "a.HEIC").write_bytes(b"x")
    (root / "members" / "gone.png").symlink_to(tmp_path / "nothing.png")
    found = describe(load_data(str(root)))
    assert found["members"]["calibration"] + found["members"]["test"] == N
    assert found["members"]["passed_over"] == {".heic is not read": 1, "link to nothing": 1}
    assert found["nonmembers"]["passed_over"] == {}
    Image.init()
    registered = Image.registered_extensions().items()
    ours = {suffix for suffixes in SUFFIXES.values() for suffix in suffixes}
    assert {suffix for suffix, kind in registered if kind in FORMATS} <= ours
    for picture in (root / "members").glob("*.jfif"):
        picture.rename(picture.with_suffix(".heic"))
    with pytest.raises(DataError, match=r"found none that is read \(passed over: 5 × \.heic is no"):
        load_data(str(root))


def test_linked_folders_are_followed_once(tmp_path: Path) -> None:
    store = folder(tmp_path / "store")
    root = folder(tmp_path / "data", n=0)
    for side, first in SIDES.items():
        (root / side / f"{first}.png").write_bytes(encoded(first + 9))
        for name in ("more", "twice"):
            (root / side / name).symlink_to(store / side)
        (root / side / "loop").symlink_to(root)
    found = describe(load_data(str(root)))
    for side in SIDES:
        assert found[side]["calibration"] + found[side]["test"] == 1 + N
        assert found[side]["captions_from"] == {"NAME.txt": N}
        assert found[side]["passed_over"] == {"linked folder that is there already": 2}


def test_links_that_lead_nowhere_or_were_flattened_are_counted(tmp_path: Path) -> None:
    """As git leaves them where the system has no links, and archives unpacked without them."""
    folder(tmp_path / "store")
    root = folder(tmp_path / "data")
    (root / "members" / "more").write_text("../../store/members\n", encoding="utf-8")
    (root / "members" / "notes").write_text("nothing of the kind", encoding="utf-8")
    (root / "members" / "binary").write_bytes(b"\xff\x00")
    (root / "nonmembers" / "gone").symlink_to(tmp_path / "gone")
    found = describe(load_data(str(root)))
    assert found["members"]["passed_over"] == {"link that a copy has made a text of": 1}
    assert found["nonmembers"]["passed_over"] == {"link to nothing": 1}


def test_captions_on_one_side_only_are_said_loudly(tmp_path: Path) -> None:
    root = folder(tmp_path / "data")
    for text in (root / "nonmembers").glob("*.txt"):
        text.rename(text.with_suffix(".prompt"))
    (warning,) = describe(load_data(str(root)))["warnings"]
    assert warning.startswith("4 of 4 members have captions and none of 4 non-members: ")
    said = CliRunner().invoke(app, ["data", "show", str(root)]).stdout
    assert "Warning: 4 of 4 members have captions" in said and "NAME.txt 4" in said


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        (
            "000.caption",
            "a cat",
            r"000\.png has two captions, 'a dra.*\.txt and 'a cat' in ",
        ),
        ("metadata.jsonl", '{"file_name": "000.png", "text": "a cat"}', "two captions.*metadata"),
        ("metadata.jsonl", '{"file_name": "000.png"}\n{"file', "jsonl: line 2 is no JSON"),
        ("metadata.jsonl", '{"file_name": "x.png", "text": "a"}', "1 pictures, none of which is"),
        ("metadata.jsonl", '{"file_name": "000.png", "text": ["a"]}', "must be one text, it is"),
        ("metadata.csv", "file_name,text\n000.png,a,b\n", "line 2 has 3 fields, the heading 2"),
        ("000.json", "{", r"000\.json is no JSON"),
        ("000.json", '{"caption": 3}', r"000\.json: `caption` must be one text, it is 3"),
    ],
)
def test_captions_that_nobody_can_tell_are_refused(
    name: str, text: str, why: str, tmp_path: Path
) -> None:
    root = folder(tmp_path / "data")
    (root / "members" / name).write_text(text)
    with pytest.raises(DataError, match=why) as refusal:
        load_data(str(root))
    assert "\n" not in str(refusal.value)


def test_what_is_odd_and_no_harm_is_said(tmp_path: Path) -> None:
    root = folder(tmp_path / "data")
    (root / "members" / "metadata.csv").write_text("file_name,text\ngone.png,a\n000.png,\n")
    (root / "nonmembers" / "metadata.csv").write_text("name,text\n000.png,a\n")
    (root / "nonmembers" / "metadata.jsonl").write_text('{"file_name": "100.png", "prompt": "a"}')
    (root / "members" / "000.json").write_text('{"tags": "a b"}')
    data = load_data(str(root))
    found = " ".join(data.warnings)
    assert data.captions == captions()
    for part in (
        "names 1 pictures that are not there, such as 'gone.png'",
        "has no column file_name (found name, text)",
        "has no column `caption` or `text` (found file_name, prompt)",
        "1 .json files beside pictures have neither `caption` nor `text`",
    ):
        assert part in found


def test_a_text_column_holds_captions(tmp_path: Path) -> None:
    for name in ("text", "TEXT", "caption"):
        (tmp_path / "a.csv").write_text(f"{name},member\na\u200b,1\n\ufeffb,0\n", encoding="utf-8")
        assert AuditData.of(open_source(str(tmp_path / "a.csv"))).captions == ("a", "b")
    (tmp_path / "a.csv").write_text("text,caption,member\na,b,1\nc,d,0\n")
    assert open_source(str(tmp_path / "a.csv")).captions == ("b", "d")


@pytest.mark.parametrize("name", ["url", "URL"])
def test_a_column_of_links_is_found(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"{name},member\nhttp://a/b,1\nhttp://a/c,0\n", "utf-8")
    source = open_source(str(tmp_path / "a.csv"))
    assert source.table["url"].to_pylist() == ["http://a/b", "http://a/c"]
    with pytest.raises(DataError, match="has links and no pictures; `miagym data fetch` gets them"):
        source.dataset()
