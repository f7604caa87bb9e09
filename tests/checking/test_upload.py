"""Pictures from strangers: the right image, or a sentence."""

from __future__ import annotations

import io
import re
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from miagym.checking.upload import (
    FORMATS,
    MAX_ASPECT,
    MAX_BYTES,
    MAX_CAPTION,
    MAX_PIXELS,
    MAX_PIXELS_OF,
    MIN_SIDE,
    clean_caption,
    open_upload,
)
from miagym.data import images
from miagym.errors import DataError

SIZE = 64
DOCS = Path(__file__).parents[2] / "docs"
RED, BLUE, GREY = (200, 30, 30), (30, 30, 200), (128, 128, 128)


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def blank_png(width: int, height: int) -> bytes:
    """A valid one-bit PNG of any size, which its few bytes do not betray."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((width + 7) // 8 + 1) * height, 9)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", rows), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def halves(left: tuple[int, ...], right: tuple[int, ...], mode: str = "RGB") -> Image.Image:
    picture = Image.new(mode, (SIZE, SIZE), left)
    picture.paste(right, (SIZE // 2, 0, SIZE, SIZE))
    return picture


def turned() -> bytes:
    """Red left and blue right, to be turned a quarter clockwise."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(halves(RED, BLUE), "JPEG", exif=exif, quality=95)


def many_frames(kind: str) -> bytes:
    frames = [Image.new("RGB", (SIZE, SIZE), colour) for colour in (RED, BLUE, GREY)]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:])


def sixteen_bits() -> bytes:
    return encoded(Image.fromarray(np.full((SIZE, SIZE), 128 * 257, np.uint16)))


def see_through() -> bytes:
    return encoded(halves((*RED, 255), (0, 0, 0, 0), "RGBA"))


def printed() -> bytes:
    return encoded(Image.new("CMYK", (SIZE, SIZE), (0, 255, 255, 50)), "JPEG")


def long_text() -> bytes:
    """A PNG whose compressed text is 80 MB long."""
    notes = PngImagePlugin.PngInfo()
    notes.add_text("comment", "a" * 80_000_000, zip=True)
    return encoded(Image.new("RGB", (SIZE, SIZE), RED), pnginfo=notes)


RIGHT: dict[str, tuple[Callable[[], bytes], tuple[int, int], tuple[int, int, int], str]] = {
    "plain": (lambda: encoded(Image.new("RGB", (SIZE, SIZE), RED)), (0, 0), RED, "read as PNG"),
    "turned": (turned, (5, 30), RED, "turned upright"),
    "turned, below": (turned, (58, 30), BLUE, "turned upright"),
    "transparent": (see_through, (30, 60), (255, 255, 255), "painted white"),
    "16 bits": (sixteen_bits, (0, 0), GREY, "16 bits"),
    "CMYK": (printed, (0, 0), (205, 0, 0), "CMYK"),
    "GIF": (lambda: many_frames("GIF"), (0, 0), RED, "first of 3 frames"),
    "animated PNG": (lambda: many_frames("PNG"), (0, 0), RED, "first of 3 frames"),
    "animated WebP": (lambda: many_frames("WEBP"), (0, 0), RED, "first of 3 frames"),
    "wide": (lambda: encoded(Image.new("RGB", (640, 480), RED)), (0, 0), RED, "centre 480×480"),
    "large": (lambda: encoded(Image.new("RGB", (640, 480), RED)), (0, 0), RED, "shrunk to 64×64"),
    "small": (lambda: encoded(Image.new("RGB", (32, 32), RED)), (0, 0), RED, "enlarged to 64×64"),
    "palette": (lambda: encoded(Image.new("RGB", (64, 64), RED).quantize(4)), (0, 0), RED, "PNG"),
}


@pytest.mark.parametrize("name", RIGHT)
def test_the_right_image_and_what_was_done(name: str) -> None:
    make, (row, column), colour, words = RIGHT[name]
    upload = open_upload(make(), SIZE)
    image = upload.candidate.images[0]
    assert image.shape == (SIZE, SIZE, 3) and image.dtype == np.uint8
    assert np.abs(image[row, column].astype(int) - colour).max() <= 6
    assert words in "; ".join(upload.done)


DAMAGED = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)))


def blank_webp(side: int) -> bytes:
    return encoded(Image.new("RGB", (side, side)), "WEBP", method=0)


REFUSED: dict[str, tuple[bytes | Callable[[], bytes], str]] = {
    "empty": (b"", "is empty"),
    "81 megapixels": (lambda: blank_png(9000, 9000), "at most 25 million"),
    "144 megapixels": (lambda: blank_png(12000, 12000), "at most 25 million"),
    "400 megapixels": (lambda: blank_png(20000, 20000), "more than 25 million"),
    "9 megapixels of WebP": (lambda: blank_webp(3000), "at most 8 million of a WEBP"),
    "1×1": (lambda: blank_png(1, 1), "at least 16"),
    "5000×1": (lambda: blank_png(5000, 1), "at least 16"),
    "5000×20": (lambda: blank_png(5000, 20), "at most 10 times"),
    "truncated PNG": (DAMAGED[: len(DAMAGED) // 2], "damaged"),
    "truncated JPEG": (lambda: turned()[:700], "damaged"),
    "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no readable"),
    "HEIC": (b"\0\0\0\x18ftypheic" + bytes(100), "convert"),
    "text": (b"I am no picture", "no readable"),
    "TIFF": (lambda: encoded(Image.new("RGB", (SIZE, SIZE)), "TIFF"), "no readable"),
    "80 MB of text": (long_text, "no readable|damaged"),
    "too many bytes": (bytes(MAX_BYTES + 1), "at most 10 MB"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_sentence_and_little_memory(name: str) -> None:
    content, words = REFUSED[name]
    data = content if isinstance(content, bytes) else content()
    tracemalloc.start()
    with pytest.raises(DataError, match=words) as refused:
        open_upload(data, SIZE, name="It")
    assert tracemalloc.get_traced_memory()[1] < 150e6
    tracemalloc.stop()
    assert re.fullmatch(r"It [^\n]*\.", str(refused.value))


@pytest.mark.parametrize("path", ["absent.png", ".", "/dev/zero", "a\0b"])
def test_no_file_no_picture(path: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="It "):
        open_upload(tmp_path / path, SIZE, name="It")


def test_files_and_bytes_are_read_alike(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(see_through())
    one, other = (open_upload(source, SIZE) for source in (tmp_path / "a.png", see_through()))
    np.testing.assert_array_equal(one.candidate.images, other.candidate.images)


@given(st.binary(max_size=300), st.integers(0, 2))
def test_no_bytes_end_in_another_error(tail: bytes, kind: int) -> None:
    head = (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"\xff\xd8\xff\xe1", b"GIF89a")[kind]
    with pytest.raises(DataError, match="picture"):
        open_upload(head + tail, SIZE)


@given(st.text())
def test_captions_become_one_clean_line(text: str) -> None:
    caption, _ = clean_caption(text)
    caption.encode()
    assert len(caption) <= MAX_CAPTION and caption.isprintable() and caption == caption.strip()
    assert clean_caption(caption)[0] == caption


def test_what_is_done_to_a_caption_is_said() -> None:
    assert clean_caption(None) == ("", ())
    assert clean_caption("a\0 cat\n\u202eon  a mat")[0] == "a cat on a mat"
    assert "control" in clean_caption("a\0")[1][0]
    assert len(clean_caption("ab " * 4000)[0]) <= MAX_CAPTION and clean_caption("x" * 10_000)[1]
    assert clean_caption("lone \ud800 surrogate")[0] == "lone surrogate"


def test_the_guide_names_what_is_taken() -> None:
    guide = (DOCS / "check" / "check.md").read_text(encoding="utf-8")
    said = " ".join(guide.partition("A picture to check is a ")[2].partition("\n\n")[0].split())
    taken, _, refused = said.partition("Others are refused")
    most, of_webp = MAX_PIXELS // 10**6, MAX_PIXELS_OF["WEBP"] // 10**6
    for words in (
        f"at most {MAX_BYTES // 10**6} MB and {most} million pixels (a WebP: {of_webp} million)",
        f"at least {MIN_SIDE} pixels on each side",
        f"at most {MAX_ASPECT} times as long",
    ):
        assert words in taken
    for kind in images.SUFFIXES:
        assert kind.lower() in (taken if kind in FORMATS else refused).lower()
