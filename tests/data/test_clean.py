"""Cleaning: planted copies go, distinct drawings stay, and every step is counted."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageEnhance
from typer.testing import CliRunner

from miagym.cli.data import data as app
from miagym.data.clean.language import in_language
from miagym.data.clean.run import clean_data
from miagym.data.clean.steps import Cleaning
from miagym.data.clean.write import METADATA
from miagym.data.registry import load_data, open_source
from miagym.embedded import art
from miagym.errors import DataError

N = 120
"""Drawings of a data set: the first half members."""


def encode(picture: Image.Image, kind: str = "PNG", **options: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def copied(data: bytes) -> bytes:
    """Resized, brightened and re-encoded."""
    with Image.open(io.BytesIO(data)) as picture:
        larger = picture.convert("RGB").resize((96, 96), Image.Resampling.BICUBIC)
        return encode(ImageEnhance.Brightness(larger).enhance(0.95), "JPEG", quality=85)


@pytest.fixture
def columns() -> dict[str, list]:
    rows = art.table().slice(0, 3000).take(pa.array(np.arange(0, 3000, 25)))
    images = [copied_as_png(data) for data in rows["image"].to_pylist()]
    return {
        "image": images,
        "caption": rows["caption"].to_pylist(),
        "member": [i < N // 2 for i in range(N)],
        "aesthetic": [5 + i % 3 for i in range(N)],
    }


def copied_as_png(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as picture:
        return encode(picture.convert("RGB"))


def written(columns: dict[str, list], path: Path) -> str:
    pq.write_table(pa.table(columns), path, 16)
    return str(path)


def clean(columns: dict[str, list], folder: Path, cleaning: Cleaning | None = None) -> dict:
    source = open_source(written(columns, folder / "in.parquet"))
    return clean_data(source, cleaning or Cleaning(), folder / "out.parquet")


def plant(columns: dict[str, list], image: bytes, member: bool, caption: str = "planted") -> None:
    for name, value in (("image", image), ("caption", caption), ("member", member)):
        columns[name].append(value)
    columns["aesthetic"].append(6)


class TestCleaning:
    def test_distinct_drawings_stay(self, columns: dict[str, list], tmp_path: Path) -> None:
        report = clean(columns, tmp_path)
        assert report["members"] == {"before": 60, "after": 60}
        assert report["nonmembers"]["after"] >= 59
        assert report["groups"] >= N - 3

    def test_copies_of_members_leave_the_nonmembers(
        self, columns: dict[str, list], tmp_path: Path
    ) -> None:
        before = clean(columns, tmp_path)
        for row in range(10):
            plant(columns, copied(columns["image"][row]), False)
        after = clean(columns, tmp_path)
        assert after["nonmembers"]["before"] == 70
        assert after["nonmembers"]["after"] <= before["nonmembers"]["after"] + 1
        assert after["members"]["after"] == 60
        kept = pq.read_table(tmp_path / "out.parquet")["caption"].to_pylist()
        assert kept.count("planted") <= 1

    def test_copies_on_a_side_share_a_group_that_no_split_cuts(
        self, columns: dict[str, list], tmp_path: Path
    ) -> None:
        for row in (*range(10), *range(60, 70)):
            plant(columns, copied(columns["image"][row]), row < 60)
        clean(columns, tmp_path)
        table = pq.read_table(tmp_path / "out.parquet").to_pydict()
        parts: dict[int, set[str]] = {}
        for group, part in zip(table["group"], table["part"], strict=True):
            parts.setdefault(group, set()).add(part)
        assert all(len(found) == 1 for found in parts.values())
        assert len(parts) <= len(table["group"]) - 18
        dropped = clean(columns, tmp_path, Cleaning(drop=True))
        assert dropped["members"]["after"] <= 61 and dropped["nonmembers"]["after"] <= 61

    def test_embeddings_find_what_hashes_do_not(
        self, columns: dict[str, list], tmp_path: Path
    ) -> None:
        rng = np.random.default_rng(0)
        vectors = rng.normal(size=(N, 16))
        vectors[100] = vectors[3] + 0.01
        np.save(tmp_path / "e.npy", vectors)
        with_them = clean(columns, tmp_path, Cleaning(embeddings=tmp_path / "e.npy"))
        without = clean(columns, tmp_path)
        assert with_them["nonmembers"]["after"] == without["nonmembers"]["after"] - 1
        np.save(tmp_path / "e.npy", vectors[1:])
        with pytest.raises(DataError, match=r"of shape \(120, d\)"):
            clean(columns, tmp_path, Cleaning(embeddings=tmp_path / "e.npy"))
        np.save(tmp_path / "e.npy", np.array([{}] * N), allow_pickle=True)
        with pytest.raises(DataError, match="cannot be read as embeddings"):
            clean(columns, tmp_path, Cleaning(embeddings=tmp_path / "e.npy"))

    def test_filters_treat_both_sides_alike(self, columns: dict[str, list], tmp_path: Path) -> None:
        columns["image"][0] = columns["image"][70] = b"broken"
        columns["image"][1] = columns["image"][71] = encode(Image.new("RGB", (200, 30), "red"))
        report = clean(columns, tmp_path, Cleaning(min_side=40, aesthetics=6))
        first, second, third = report["dropped"][:3]
        assert first == {"step": "unreadable picture", "members": 1, "nonmembers": 1}
        assert second == {"step": "short side below 40 pixels", "members": 1, "nonmembers": 1}
        assert third["step"] == "aesthetic below 6, or none" and third["members"] >= 18
        assert list(report["unreadable"]["nonmembers"]) == ["70"]
        kept = pq.read_table(tmp_path / "out.parquet")
        assert min(kept["aesthetic"].to_pylist()) == 6
        del columns["aesthetic"]
        with pytest.raises(DataError, match="no column aesthetic"):
            clean(columns, tmp_path, Cleaning(aesthetics=6))

    def test_what_is_written_can_be_evaluated(
        self, columns: dict[str, list], tmp_path: Path
    ) -> None:
        plant(columns, columns["image"][5], True, columns["caption"][5])
        with pytest.raises(DataError, match="miagym data clean"):
            load_data(written(columns, tmp_path / "in.parquet")).digest  # noqa: B018
        report = clean(columns, tmp_path)
        data = load_data(str(tmp_path / "out.parquet"))
        assert len(data) == report["members"]["after"] + report["nonmembers"]["after"]
        assert len(data.digest) == 16 and 0.3 < np.mean(data.part == "calibration") < 0.37
        again = tmp_path / "again"
        again.mkdir()
        clean(columns, again)
        assert load_data(str(again / "out.parquet")).digest == data.digest
        metadata = pq.read_schema(tmp_path / "out.parquet").metadata
        assert json.loads(metadata[METADATA]) == report

    def test_too_little_is_left(self, columns: dict[str, list], tmp_path: Path) -> None:
        with pytest.raises(DataError, match="0 members are left"):
            clean(columns, tmp_path, Cleaning(min_side=5000))
        assert not (tmp_path / "out.parquet").exists()

    @pytest.mark.slow
    def test_languages(self) -> None:
        pytest.importorskip("lingua")
        texts = ["a small house by the sea in winter", "ein kleines Haus am Meer im Winter", ""]
        assert in_language(texts, "en").tolist() == [True, False, False]
        with pytest.raises(DataError, match="No language is called 'xx'"):
            in_language(texts, "xx")


class TestCommands:
    def test_clean_and_show(self, columns: dict[str, list], tmp_path: Path) -> None:
        columns["image"][0] = b"broken"
        source, out = written(columns, tmp_path / "in.parquet"), tmp_path / "out.parquet"
        shown = CliRunner().invoke(app, ["show", source])
        assert shown.exit_code == 0 and "Unreadable among the members: row 0" in shown.output
        done = CliRunner().invoke(app, ["clean", source, "--out", str(out)])
        assert done.exit_code == 0 and "near-duplicate of a member" in done.output
        found = CliRunner().invoke(app, ["show", str(out), "--check", "--json"])
        report = json.loads(found.stdout)
        assert report["members"]["unreadable"] == 0
        assert report["members"]["calibration"] + report["members"]["test"] == 59
        assert report["nonmembers"]["formats"] == {"PNG": report["nonmembers"]["with_caption"]}
