"""Folders of webdataset's archives: key.jpg, key.txt, key.json, key.cls, never unpacked."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from miagym.data.dataset import encoded as content
from miagym.data.describe import describe
from miagym.data.readers.shards import read_shard
from miagym.data.registry import load_data, open_source
from miagym.errors import DataError
from tests.data.pictures.pictures_beside import SIDES, N, caption_of, encoded, folder


def shard(path: Path, files: Mapping[str, bytes], mode: str = "w") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


def sample(number: int, how: str) -> dict[str, bytes]:
    key, text = f"{number:05}", caption_of(number)
    record = json.dumps({"caption": text, "key": key, "status": "success"}).encode()
    beside = {"txt": {f"{key}.txt": text.encode()}, "json": {f"{key}.json": record}}
    beside["both"] = beside["txt"] | beside["json"]
    return {f"{key}.png": encoded(number), **beside[how]}


@pytest.mark.parametrize("how", ["txt", "json", "both"])
def test_archives_are_read_as_folders_are(how: str, tmp_path: Path) -> None:
    for side, first in SIDES.items():
        for half in (0, 2):
            files: dict[str, bytes] = {}
            for number in range(first + half, first + half + 2):
                files |= sample(number, how)
            shard(tmp_path / "data" / side / f"{half:05}.tar", files)
    data, plain = load_data(str(tmp_path / "data")), load_data(str(folder(tmp_path / "p" / "data")))
    assert data.digest == plain.digest and data.captions == plain.captions
    assert list(map(content, data.pictures)) == list(map(content, plain.pictures))
    assert data.names is not None and data.names[0] == "members/00000.tar/00000.png"
    assert describe(data, check=True)["members"]["unreadable"] == 0


def test_archives_alone_say_by_cls_who_is_a_member(tmp_path: Path) -> None:
    files: dict[str, bytes] = {}
    for side, first in SIDES.items():
        for number in range(first, first + N):
            files |= sample(number, "txt") | {f"{number:05}.cls": b"10"[side == "nonmembers" :][:1]}
    shard(tmp_path / "data" / "a.tar", files)
    source = open_source(str(tmp_path / "data"))
    assert source.member.tolist() == [True] * N + [False] * N
    shard(tmp_path / "data" / "b.tar", sample(900, "txt"))
    with pytest.raises(DataError, match=r"b.tar/00900.png has no .cls beside it"):
        open_source(str(tmp_path / "data"))
    shard(tmp_path / "data" / "b.tar", sample(900, "txt") | {"00900.cls": b"7"})
    with pytest.raises(DataError, match="holds '7'; expected 1 for a member or 0"):
        open_source(str(tmp_path / "data"))


def test_what_is_no_data_is_counted(tmp_path: Path) -> None:
    more = {"._00000.png": b"x", "__MACOSX/a.png": b"x", "x.heic": b"x", "00000.seg.png": b"x"}
    path = shard(tmp_path / "a.tar", sample(0, "txt") | more | {"notes.md": b"x"})
    with tarfile.open(path, "a") as archive:
        link = tarfile.TarInfo("y.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    found = read_shard(path)
    assert len(found.places) == 1 and found.places[0].name == "a.tar/00000.png"
    assert found.skipped == {
        "hidden": 2,
        ".heic is not read": 1,
        "further picture of a sample": 1,
        "link in an archive": 1,
    }


@pytest.mark.parametrize("name", ["../x.png", "a/../../x.txt", "/etc/x.png", "..\\x.png"])
def test_a_path_that_climbs_out_is_refused(name: str, tmp_path: Path) -> None:
    shard(tmp_path / "data" / "members" / "a.tar", {name: encoded(0)})
    shard(tmp_path / "data" / "nonmembers" / "a.tar", sample(1, "txt"))
    with pytest.raises(
        DataError, match=r"a.tar holds the path .* leads out of it; expected"
    ) as one:
        open_source(str(tmp_path / "data"))
    assert "\n" not in str(one.value)


def test_broken_and_compressed_archives_are_a_sentence(tmp_path: Path) -> None:
    side = tmp_path / "data" / "members"
    path = shard(side / "a.tar", sample(0, "txt"))
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(DataError, match="cannot be read as a tar archive"):
        open_source(str(tmp_path / "data"))
    path.write_bytes(b"no archive" * 100)
    with pytest.raises(DataError, match="cannot be read as a tar archive"):
        open_source(str(tmp_path / "data"))
    path.unlink()
    shard(side / "a.tar.gz", sample(0, "txt"), "w:gz")
    with pytest.raises(DataError, match=r"is compressed, .* unpack the compression alone"):
        open_source(str(tmp_path / "data"))


def test_captions_of_a_sample_that_differ_are_refused(tmp_path: Path) -> None:
    path = shard(tmp_path / "a.tar", sample(0, "both") | {"00000.txt": b"another"})
    with pytest.raises(DataError, match=r"a.tar/00000.png has two captions"):
        read_shard(path)
