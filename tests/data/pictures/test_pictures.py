"""Pictures that stay in their file: the same as in memory, and skipped where they are broken."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from miagym.data import pictures
from miagym.data.dataset import MAX_DECODERS, Dataset, decoders
from miagym.data.images import MAX_PIXELS, open_picture, read_picture
from miagym.data.pictures import LazyPictures, ParquetPictures
from miagym.data.registry import load_data
from miagym.errors import DataError


def png(seed: int, side: int = 16) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "PNG")
    return buffer.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header promises many pixels."""

    def piece(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = piece(b"IHDR", header) + piece(b"IDAT", zlib.compress(b"\0" * 100)) + piece(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


N = 300


@pytest.fixture(scope="module")
def encoded() -> list[bytes]:
    return [png(i) for i in range(N)]


@pytest.fixture(params=["small row groups", "one large row group"])
def lazy(
    request: pytest.FixtureRequest,
    encoded: list[bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> LazyPictures:
    small = request.param == "small row groups"
    pq.write_table(pa.table({"image": encoded}), tmp_path / "a.parquet", 7 if small else N)
    if not small:
        monkeypatch.setattr(pictures, "MAX_KEPT_BYTES", 1)
    return ParquetPictures(tmp_path / "a.parquet")


class TestLazily:
    def test_the_same_as_in_memory(self, lazy: LazyPictures, encoded: list[bytes]) -> None:
        assert len(lazy) == N and list(lazy) == encoded
        assert lazy[3] == encoded[3] and lazy[-1] == encoded[-1] and lazy[5:9] == encoded[5:9]
        rows = np.random.default_rng(0).permutation(N)[:90]
        rows = np.append(rows, rows[:3])
        assert lazy.take(rows) == [encoded[row] for row in rows]
        assert lazy.take([]) == []
        with pytest.raises(IndexError):
            lazy[N]

    def test_threads_may_share_it(self, lazy: LazyPictures, encoded: list[bytes]) -> None:
        rng = np.random.default_rng(0)
        chunks = [rng.permutation(N)[:20] for _ in range(40)]
        with ThreadPoolExecutor(8) as pool:
            for rows, found in zip(chunks, pool.map(lazy.take, chunks), strict=True):
                assert found == [encoded[row] for row in rows]

    def test_a_data_set_is_the_same_either_way(self, encoded: list[bytes], tmp_path: Path) -> None:
        captions, member = [f"c{i}" for i in range(N)], [i % 2 == 0 for i in range(N)]
        table = pa.table({"image": encoded, "caption": captions, "member": member})
        pq.write_table(table, tmp_path / "a.parquet", 10)
        lazy = load_data(str(tmp_path / "a.parquet"))
        eager = Dataset(lazy.name, encoded, lazy.captions, lazy.member, lazy.part)
        assert lazy.digest == eager.digest
        rows = lazy.rows("test", 0, 40)
        a, b = lazy.candidates(rows, 16), eager.candidates(rows, 16)
        assert (a.images == b.images).all() and a.captions == b.captions

    @pytest.mark.slow
    def test_memory_does_not_grow_with_the_file(self, tmp_path: Path) -> None:
        rng, path = np.random.default_rng(0), tmp_path / "large.parquet"
        schema = pa.schema([("image", pa.binary()), ("member", pa.bool_())])
        with pq.ParquetWriter(path, schema, compression="none") as writer:
            for _ in range(60):
                images = [rng.bytes(200_000) for _ in range(25)]
                group = pa.table({"image": images, "member": [i % 2 == 0 for i in range(25)]})
                writer.write_table(group.cast(schema))
        assert path.stat().st_size > 290e6
        code = (
            "import resource, sys, numpy as np\n"
            "from miagym.data.registry import load_data, open_source\n"
            "used = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
            "before = used()\n"
            "data = load_data(sys.argv[1]); data.digest\n"
            "for seed in range(3): data.load(data.rows('test', seed, 64), 64)\n"
            "print(used() - before)"
        )
        command = [sys.executable, "-c", code, str(path)]
        grown = float(subprocess.run(command, check=True, capture_output=True).stdout)
        assert grown < 150, f"{grown:.0f} MiB for a file of 300 MB"

    def test_a_file_that_is_gone_is_said(self, lazy: ParquetPictures) -> None:
        lazy.path.unlink()
        with pytest.raises(DataError, match="can no longer be read"):
            lazy.take([0])


class TestUnreadable:
    def test_they_are_left_out_with_a_reason(self, tmp_path: Path) -> None:
        images = [png(i) for i in range(12)]
        images[2], images[3], images[5] = b"no picture", b"", png(5)[:-60]
        images[7] = bomb(30_000, 30_000)
        table = pa.table({"image": images, "member": [i % 2 == 0 for i in range(12)]})
        pq.write_table(table, tmp_path / "a.parquet")
        data = load_data(str(tmp_path / "a.parquet"))
        loaded = data.load(np.array([7, 1, 2, 3, 4, 5]), 16)
        assert loaded.rows.tolist() == [1, 4] and len(loaded.candidates) == 2
        assert (loaded.candidates.images[0] == data.candidates(np.array([1]), 16).images[0]).all()
        assert list(loaded.unreadable) == [7, 2, 3, 5]
        assert "too many pixels" in loaded.unreadable[7]
        assert loaded.unreadable[2] == "it is no picture in a format that is read"
        assert loaded.unreadable[3] == "there is no picture"
        assert "damaged" in loaded.unreadable[5]
        nothing = data.load(np.array([2]), 16)
        assert len(nothing.candidates) == 0 and nothing.candidates.images.shape == (0, 16, 16, 3)
        assert len(data.digest) == 16

    def test_missing_files_are_named(self, tmp_path: Path) -> None:
        (tmp_path / "there.png").write_bytes(png(0))
        lines = [f"{'there' if i < 10 else 'lost'}.png,{i},{i % 2 == 0}" for i in range(12)]
        (tmp_path / "a.csv").write_text("\n".join(["image,caption,member", *lines]))
        data = load_data(str(tmp_path / "a.csv"))
        loaded = data.load(np.arange(12), 16)
        assert len(loaded.rows) == 10
        assert loaded.unreadable[11] == f"{tmp_path / 'lost.png'}: the file is missing"
        assert data.captions[:2] == ("0", "1")

    @pytest.mark.parametrize("size", [(8001, 8001), (12_000, 9000), (60_000, 60_000)])
    def test_a_huge_picture_is_refused_by_its_header(self, size: tuple[int, int]) -> None:
        assert size[0] * size[1] > MAX_PIXELS
        with pytest.raises(DataError, match="pixels"):
            open_picture(bomb(*size))

    def test_formats_that_call_other_programs_are_refused(self) -> None:
        with pytest.raises(DataError, match="no picture in a format that is read"):
            read_picture(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n%%EOF\n")

    @pytest.mark.filterwarnings("ignore")  # of Pillow, about odd metadata
    def test_broken_bytes_never_escape(self) -> None:
        rng = np.random.default_rng(0)
        for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"):
            buffer = io.BytesIO()
            Image.open(io.BytesIO(png(1))).save(buffer, kind)
            for _ in range(60):
                data = bytearray(buffer.getvalue())
                for place in rng.integers(0, len(data), 8):
                    data[place] = rng.integers(256)
                with contextlib.suppress(DataError):
                    read_picture(bytes(data))


def test_a_process_decodes_in_no_more_threads_than_it_may_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(64)), raising=False)
    said = {
        "": MAX_DECODERS,
        "0": MAX_DECODERS,
        "4,2": MAX_DECODERS,
        "3": 3,
        "32": MAX_DECODERS,
    }
    for text, threads in said.items():
        monkeypatch.setenv("OMP_NUM_THREADS", text)
        assert decoders() == threads, text
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {5, 6})
    assert decoders() == 2
