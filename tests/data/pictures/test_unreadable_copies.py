"""Copies of what cannot be read are skipped like any broken picture; other copies are refused."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from typer.testing import CliRunner

from miagym.cli.data import data as app
from miagym.data import dataset
from miagym.data.describe import describe
from miagym.data.registry import load_data
from miagym.errors import DataError

NOT_FOUND = b"<html>404</html>"


def noise(seed: int) -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def written(pictures: list, path: Path) -> str:
    member = [i % 2 == 0 for i in range(len(pictures))]
    pq.write_table(pa.table({"image": pictures, "member": member}), path)
    return str(path)


def test_they_do_not_block_the_rest(tmp_path: Path) -> None:
    pictures = [*map(noise, range(12)), *[NOT_FOUND] * 5]
    found = describe(load_data(written(pictures, tmp_path / "a.parquet")))
    assert (found["members"]["unreadable"], found["nonmembers"]["unreadable"]) == (3, 2)
    pictures += [noise(30), noise(30)]
    with pytest.raises(DataError, match="rows 17 and 18 hold the same picture"):
        describe(load_data(written(pictures, tmp_path / "b.parquet")))


def test_only_copies_are_decoded_for_a_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[bytes] = []
    read = dataset.read_picture
    monkeypatch.setattr(dataset, "read_picture", lambda data: tried.append(data) or read(data))
    pictures = [*map(noise, range(12)), *[NOT_FOUND] * 5]
    assert len(load_data(written(pictures, tmp_path / "a.parquet")).digest) == 16
    assert tried == [NOT_FOUND]


def test_files_are_named(tmp_path: Path) -> None:
    for side, first in (("members", 0), ("nonmembers", 10)):
        (tmp_path / side).mkdir()
        for i in range(4):
            (tmp_path / side / f"{i}.png").write_bytes(noise(first + i))
    (tmp_path / "members" / "broken.png").write_bytes(NOT_FOUND)
    (why,) = describe(load_data(str(tmp_path)))["members"]["why"].values()
    assert why.startswith(f"{tmp_path / 'members' / 'broken.png'}: ")
    (tmp_path / "nonmembers" / "copy.png").write_bytes(noise(2))
    with pytest.raises(DataError) as refusal:
        load_data(str(tmp_path)).digest  # noqa: B018
    first, second = tmp_path / "members" / "2.png", tmp_path / "nonmembers" / "copy.png"
    assert f"{first} and {second} hold the same picture" in str(refusal.value)


def test_where_none_can_be_read_no_size_is_claimed(tmp_path: Path) -> None:
    path = written([NOT_FOUND] * 12, tmp_path / "a.parquet")
    shown = CliRunner().invoke(app, ["show", path])
    assert shown.exit_code == 0
    assert "no picture can be read" in shown.output and "min 0" not in shown.output
    assert describe(load_data(path))["members"]["short_side"] is None


@pytest.mark.parametrize("name", ["a\0b.png", "x" * 5000])
def test_a_name_that_no_file_can_have_is_an_unreadable_picture(name: str, tmp_path: Path) -> None:
    data = load_data(written([name] * 12, tmp_path / "a.parquet"))
    found = describe(data)["members"]
    assert found["unreadable"] == 6 and len(found["why"]["0"]) < 300
    assert len(data.load(np.arange(12), 16).unreadable) == 12
