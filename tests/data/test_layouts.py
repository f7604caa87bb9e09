"""The same labelled pictures in any layout are the same candidates, captions and labels."""

from __future__ import annotations

import csv
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from miagym.data.dataset import encoded as content
from miagym.data.registry import open_source
from tests.data.pictures.pictures_beside import encoded

pytest.importorskip("datasets")

Captions = list[str]
Layout = Callable[[Path, Captions, list[bool]], Path]
PICTURES = [encoded(number) for number in range(6)]


def _files(root: Path, member: list[bool]) -> list[Path]:
    paths = []
    for number, is_member in enumerate(member):
        side = root / ("members" if is_member else "nonmembers")
        side.mkdir(parents=True, exist_ok=True)
        paths.append(side / f"{number}.png")
        paths[-1].write_bytes(PICTURES[number])
    return paths


def sidecars(ending: str) -> Layout:
    def write(root: Path, captions: Captions, member: list[bool]) -> Path:
        for path, text in zip(_files(root, member), captions, strict=True):
            is_record = ending.endswith(".json")
            file = path.with_name(path.name + ending[4:]) if ending[:4] == ".png" else None
            file = file or path.with_suffix(ending)
            file.write_text(json.dumps({"caption": text}) if is_record else text, "utf-8")
        return root

    return write


def metadata(kind: str, at_root: bool) -> Layout:
    def write(root: Path, captions: Captions, member: list[bool]) -> Path:
        rows: dict[Path, list[dict[str, str]]] = {}
        for path, text in zip(_files(root, member), captions, strict=True):
            folder = root if at_root else path.parent
            name = path.relative_to(folder).as_posix()
            rows.setdefault(folder, []).append({"file_name": name, "text": text})
        for folder, own in rows.items():
            with (folder / f"metadata.{kind}").open("w", encoding="utf-8", newline="") as file:
                if kind == "jsonl":
                    file.writelines(json.dumps(row) + "\n" for row in own)
                else:
                    table = csv.DictWriter(file, ["file_name", "text"])
                    table.writeheader()
                    table.writerows(own)
        return root

    return write


def webdataset(by_cls: bool) -> Layout:
    def write(root: Path, captions: Captions, member: list[bool]) -> Path:
        for i, (text, is_member) in enumerate(zip(captions, member, strict=True)):
            folder = root if by_cls else root / ("members" if is_member else "nonmembers")
            folder.mkdir(exist_ok=True)
            files = {"png": PICTURES[i], "txt": text.encode(), "cls": str(int(is_member)).encode()}
            with tarfile.open(folder / "00000.tar", "a") as archive:
                for ending, content_ in files.items():
                    entry = tarfile.TarInfo(f"{i:04}.{ending}")
                    entry.size = len(content_)
                    archive.addfile(entry, io.BytesIO(content_))
        return root

    return write


def kohya(root: Path, captions: Captions, member: list[bool]) -> Path:
    paths = _files(root, member)
    records = {path.stem: {"caption": text} for path, text in zip(paths, captions, strict=True)}
    (root / "meta_cap.json").write_text(json.dumps(records), encoding="utf-8")
    return root


def a_csv(root: Path, captions: Captions, member: list[bool]) -> Path:
    names = [path.relative_to(root) for path in _files(root, member)]
    with (root / "a.csv").open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([["image", "text", "member"]])
        csv.writer(file).writerows(zip(names, captions, map(int, member), strict=True))
    return root / "a.csv"


def parquet(root: Path, captions: Captions, member: list[bool]) -> Path:
    words = pa.array(["member" if m else "nonmember" for m in member]).dictionary_encode()
    table = pa.table({"image": PICTURES, "caption": captions, "member": words})
    pq.write_table(table, root / "a.parquet")
    return root / "a.parquet"


def saved(as_parquet: bool) -> Layout:
    def write(root: Path, captions: Captions, member: list[bool]) -> Path:
        import datasets

        datasets.disable_progress_bars()
        images = [{"bytes": picture, "path": None} for picture in PICTURES]
        columns = {"image": images, "text": captions, "member": [int(not m) for m in member]}
        names = datasets.ClassLabel(names=["member", "nonmember"])
        data = datasets.Dataset.from_dict(columns).cast_column("member", names)
        data = data.cast_column("image", datasets.Image())
        if as_parquet:
            data.to_parquet(root / "b.parquet")
            return root / "b.parquet"
        data.save_to_disk(root / "saved")
        return root / "saved"

    return write


LAYOUTS: dict[str, Layout] = {
    **{ending: sidecars(ending) for ending in (".txt", ".TXT", ".caption", ".json")},
    **{ending: sidecars(ending) for ending in (".png.txt", ".png.caption", ".png.json")},
    **{
        f"{kind} {at_root}": metadata(kind, at_root)
        for kind in ("csv", "jsonl")
        for at_root in (True, False)
    },
    "webdataset, a side each": webdataset(by_cls=False),
    "webdataset with .cls": webdataset(by_cls=True),
    "meta_cap.json": kohya,
    "table": a_csv,
    "parquet": parquet,
    "class labels": saved(as_parquet=True),
    "save_to_disk": saved(as_parquet=False),
}

LETTERS = st.characters(blacklist_categories=("Cs", "Cc", "Cf", "Cn", "Co", "Zl", "Zp", "Zs"))
INSIDE = st.one_of(LETTERS, st.sampled_from(" ,;\"'\\{}\u200d\n"))
TEXTS = st.tuples(st.sampled_from("aß世\U0001f600"), st.text(INSIDE, max_size=12), LETTERS)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(TEXTS.map("".join), min_size=6, max_size=6),
    st.permutations([True, True, False, False, True, False]),
    st.sampled_from(["", "\ufeff", "\u200b"]),
    st.sampled_from(["", "\u200b", "\ufeff"]),
)
def test_all_layouts_say_the_same(
    texts: Captions, member: list[bool], before: str, after: str
) -> None:
    expected = {(PICTURES[i], text.strip(), member[i]) for i, text in enumerate(texts)}
    given_ = [before + text + after for text in texts]
    for name, write in LAYOUTS.items():
        with TemporaryDirectory() as folder:
            source = open_source(str(write(Path(folder) / ".", given_, member)))
            assert source.pictures is not None
            pictures = [content(picture) for picture in source.pictures]
            rows = zip(pictures, source.captions, np.asarray(source.member).tolist(), strict=True)
            assert set(rows) == expected, name
