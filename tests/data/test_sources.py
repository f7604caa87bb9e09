"""Data of one's own: tables, folders that `datasets` saved, and data sets in the hub's format."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from miagym.data.readers import hub
from miagym.data.readers.hub import HubName
from miagym.data.registry import load_data, open_source
from miagym.data.source import Source
from miagym.errors import DataError

datasets = pytest.importorskip("datasets")


def png(seed: int) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "PNG")
    return buffer.getvalue()


def side(first: int, n: int = 6) -> dict[str, list]:
    return {
        "image": [{"bytes": png(i), "path": None} for i in range(first, first + n)],
        "text": [f"c{i}" for i in range(first, first + n)],
        "score": [i / 10 for i in range(first, first + n)],
    }


def with_images(columns: dict[str, list]) -> datasets.Dataset:
    return datasets.Dataset.from_dict(columns).cast_column("image", datasets.Image())


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    datasets.disable_progress_bars()


class TestSaved:
    def test_two_splits(self, tmp_path: Path) -> None:
        both = datasets.DatasetDict(
            members=with_images(side(0)), nonmembers=with_images(side(10, 7))
        )
        both.save_to_disk(tmp_path / "saved")
        data = load_data(str(tmp_path / "saved"))
        assert data.member.tolist() == [True] * 6 + [False] * 7
        assert data.captions[6] == "c10" and data.pictures[6] == png(10)
        assert data.candidates(np.array([12, 0]), 16).captions == ("c16", "c0")

    def test_one_set_with_labels(self, tmp_path: Path) -> None:
        names = datasets.ClassLabel(names=["member", "nonmember"])
        one = with_images({**side(0), "member": [0, 1] * 3}).cast_column("member", names)
        one.save_to_disk(tmp_path / "saved")
        source = open_source(str(tmp_path / "saved"))
        assert source.member.tolist() == [True, False] * 3
        assert source.table["score"].to_pylist()[2] == 0.2


class TestHub:
    @pytest.fixture
    def repository(self, tmp_path: Path) -> Path:
        folder = tmp_path / "repository"
        folder.mkdir()
        for split, first in (("train", 0), ("test", 10)):
            with_images(side(first)).to_parquet(folder / f"{split}.parquet")
        return folder

    def test_splits_by_name(self, repository: Path) -> None:
        data = load_data(f"hf:{repository}?members=train&nonmembers=test")
        assert data.member.sum() == 6 and data.captions[0] == "c0"
        assert data.pictures[0] == png(0) and len(data.digest) == 16

    def test_what_does_not_fit_is_said(self, repository: Path) -> None:
        with pytest.raises(DataError, match="splits train, test with the columns image, text"):
            load_data(f"hf:{repository}")
        with pytest.raises(DataError, match="has no column 'title'"):
            load_data(f"hf:{repository}?members=train&nonmembers=test&caption=title")
        with pytest.raises(DataError, match="is no hub data set"):
            HubName.parse("hf:owner/name?trust_remote_code=1")

    def test_links_without_pictures_ask_for_a_fetch(self, tmp_path: Path) -> None:
        folder = tmp_path / "links"
        folder.mkdir()
        for split in ("members", "nonmembers"):
            table = pa.table({"url": ["http://a/b"] * 3, "caption": ["x"] * 3})
            pq.write_table(table, folder / f"{split}.parquet")
        (folder / "README.md").write_text(
            "---\nconfigs:\n- config_name: default\n  data_files:\n"
            "  - split: members\n    path: members.parquet\n"
            "  - split: nonmembers\n    path: nonmembers.parquet\n---\n"
        )
        source = open_source(f"hf:{folder}")
        assert source.table["url"].to_pylist() == ["http://a/b"] * 6 and source.member.sum() == 3
        with pytest.raises(DataError, match="miagym data fetch"):
            source.dataset()

    def test_offline_is_one_sentence(self, tmp_path: Path) -> None:
        code = (
            "from miagym.data.registry import load_data\nfrom miagym.errors import DataError\n"
            "try:\n    load_data('hf:antoniaaa/laion_mi')\n"
            "except DataError as error:\n    print(error)"
        )
        env = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
        )
        assert done.stdout.startswith("hf:antoniaaa/laion_mi could not be loaded:")
        assert "HF_HUB_OFFLINE is set" in done.stdout and done.stdout.count("\n") == 1

    def test_without_the_library(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "datasets", None)
        with pytest.raises(DataError, match=r'pip install "miagym\[data\]"'):
            load_data("hf:owner/name")


class TestTables:
    def test_captions_alone_are_no_evaluation(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_text('caption,member\n"two\nlines",yes\nb,nonmember\n')
        source = open_source(str(path))
        assert source.captions == ("two\nlines", "b") and source.pictures is None
        with pytest.raises(DataError, match="an evaluation needs pictures"):
            load_data(str(path))

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("", "cannot be read as a table"),
            ("image,member,member\na,1,0\n", "several columns called 'member'"),
            ("image,caption\na,b\n", "lacks the column member"),
            ("image,member\na,perhaps\n", "row 0 has 'perhaps'"),
            ("image,member\na,1\nb\n", "cannot be read as a table"),
        ],
    )
    def test_bad_tables(self, text: str, why: str, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text(text)
        with pytest.raises(DataError, match=why):
            load_data(str(tmp_path / "a.csv"))

    @pytest.mark.parametrize(
        ("column", "values", "why"),
        [
            ("caption", [["a"]] * 12, r"`caption` must be text, it is list<element: string>"),
            ("caption", [b"a"] * 12, r"`caption` must be text, it is binary"),
            ("caption", [{"raw": "a"}] * 12, r"`caption` must be text, it is struct"),
            ("member", [[True]] * 12, r"`member` must be true or false, it is list"),
            ("member", [b"1"] * 12, r"`member` must be true or false, it is binary"),
            ("group", [[1]] * 12, r"`group` must be text or numbers, it is list"),
            ("part", [["test"]] * 12, r"`part` must be text, it is list"),
            ("url", [["http://a/b"]] * 12, r"`url` must be text, it is list"),
        ],
    )
    def test_a_column_that_cannot_be_used_is_refused_not_lost(
        self, column: str, values: list, why: str, tmp_path: Path
    ) -> None:
        columns = {"caption": ["a"] * 12, "member": [True, False] * 6, column: values}
        pq.write_table(pa.table(columns), tmp_path / "a.parquet")
        with pytest.raises(DataError, match=why):
            open_source(str(tmp_path / "a.parquet"))

    def test_bytes_and_lists_may_stand_in_other_columns(self, tmp_path: Path) -> None:
        columns = {**side(0), "member": [True, False] * 3, "vector": [[0.5, 1.0]] * 6}
        pq.write_table(pa.table(columns), tmp_path / "a.parquet")
        assert len(open_source(str(tmp_path / "a.parquet"))) == 6

    def test_captions_in_lists_are_refused_in_saved_folders_too(self, tmp_path: Path) -> None:
        one = datasets.Dataset.from_dict({"text": [["a", "b"]] * 6, "member": [True, False] * 3})
        one.save_to_disk(tmp_path / "saved")
        with pytest.raises(DataError, match="`caption` must be text, it is list"):
            open_source(str(tmp_path / "saved"))

    def test_parts_that_are_none_are_listed_plainly(self, tmp_path: Path) -> None:
        table = {"image": [png(i) for i in range(12)], "member": [True, False] * 6}
        path = tmp_path / "a.parquet"
        for part, why in (
            (["calibration", "Test"] * 6, "or 'test', found 'Test'."),
            (
                [f"x{i:02}" for i in range(12)],
                "found 'x00', 'x01', 'x02', 'x03', 'x04' and 7 more.",
            ),
            (["test", None] * 6, "found no value."),
            ([1] * 12, "found 1."),
        ):
            pq.write_table(pa.table({**table, "part": part}), path)
            with pytest.raises(DataError) as refusal:
                load_data(str(path))
            assert str(refusal.value).endswith(why)

    def test_groups_without_a_name_stand_alone(self) -> None:
        table = pa.table({"member": [True] * 5, "group": ["a", None, "b", None, "a"]})
        groups = Source.of("x", table, None).groups
        assert groups is not None and groups.tolist() == [0, 1, 2, 3, 0]


def test_it_is_only_data(tmp_path: Path) -> None:
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "repository.py").write_text("raise SystemExit('code was run')")
    with pytest.raises(DataError, match="could not be loaded"):
        hub.read_hub(HubName(str(folder)))
