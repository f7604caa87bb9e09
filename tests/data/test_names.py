"""Every reader says what the data call a picture: the file it came from."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from miagym.data.registry import load_data
from tests.data.pictures.pictures_beside import encoded, folder

N = 8
MEMBER = [i % 2 == 0 for i in range(N)]
FILES = [f"deep/{i}.png" for i in range(N)]


def parquet(path: Path, images: list[object]) -> str:
    pq.write_table(pa.table({"image": images, "member": MEMBER}), path)
    return str(path)


def written(root: Path) -> None:
    (root / "deep").mkdir()
    for i, file in enumerate(FILES):
        (root / file).write_bytes(encoded(i))


def test_files_of_a_folder_are_named_from_the_folder(tmp_path: Path) -> None:
    data = load_data(str(folder(tmp_path / "data")))
    assert data.names is not None
    assert data.names[:2] == ("members/000.png", "members/001.png")
    assert all((tmp_path / "data" / str(name)).is_file() for name in data.names)


def test_paths_in_tables_are_the_names(tmp_path: Path) -> None:
    written(tmp_path)
    lines = [f"{file},{member}" for file, member in zip(FILES, MEMBER, strict=True)]
    (tmp_path / "a.csv").write_text("\n".join(["image,member", *lines]), encoding="utf-8")
    assert load_data(str(tmp_path / "a.csv")).names == tuple(FILES)
    assert load_data(parquet(tmp_path / "a.parquet", [*FILES])).names == tuple(FILES)


def test_names_beside_bytes_are_read_without_the_bytes(tmp_path: Path) -> None:
    both = [{"bytes": encoded(i), "path": file} for i, file in enumerate(FILES)]
    both[3]["path"] = None
    name = parquet(tmp_path / "a.parquet", both)
    assert load_data(name).names == (*FILES[:3], None, *FILES[4:])
    assert load_data(parquet(tmp_path / "b.parquet", [encoded(i) for i in range(N)])).names is None


def test_saved_data_sets_name_their_files(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    both = [{"bytes": encoded(i), "path": file} for i, file in enumerate(FILES)]
    columns = {"image": datasets.Image(), "member": datasets.Value("bool")}
    one = datasets.Dataset.from_dict({"image": both, "member": MEMBER}, datasets.Features(columns))
    one.save_to_disk(tmp_path / "saved")
    assert load_data(str(tmp_path / "saved")).names == tuple(Path(file).name for file in FILES)


def test_the_embedded_art_names_the_drawing() -> None:
    names = load_data("clipart").names
    assert names is not None and all(str(name).endswith(".png") for name in names)
    assert len(set(names)) == len(names)
