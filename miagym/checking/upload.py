"""Pictures from strangers: the one loader of the command line and the page.

Checks go from cheap to dear, so that a hostile file is refused before it can cost anything: bytes,
format, pixels as the header states them, and only then the decoder. What was done to the picture
comes back in words, since every change of a picture changes its scores.
"""

from __future__ import annotations

import io
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from miagym.candidates import Candidates
from miagym.data.images import quietly, to_square
from miagym.errors import DataError

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
MAX_BYTES = 10_000_000
MAX_PIXELS = 25_000_000
MAX_PIXELS_OF = {"WEBP": 8_000_000}
"""Its decoder holds four copies of the picture."""
MIN_SIDE = 16
MAX_ASPECT = 10
MAX_CAPTION = 1000
"""Characters; the text encoder of Stable Diffusion reads about 300 of them."""

# Larger than any block that malloc keeps for its thread: pixels go back to the system at once.
Image.core.set_block_size(1 << 26)

_ORIENTATION = 0x0112
_DECODING = Lock()  # one at a time: the largest takes 170 MB


@dataclass(frozen=True, eq=False)
class Upload:
    """A picture and its caption, ready for a target, and what was done to them."""

    name: str
    """What answers call it."""
    candidate: Candidates
    """One picture (1, size, size, 3)."""
    done: tuple[str, ...]
    """In words, in order."""

    @property
    def captioned(self) -> bool:
        return bool(self.candidate.captions[0])


def open_upload(
    source: Path | bytes, size: int, *, caption: str | None = None, name: str = "The picture"
) -> Upload:
    """Reads a picture that anybody may have made, for a target of `size` pixels.

    Args:
        source: a file, or its bytes.
        size: side of the target's square.
        caption: of any content; control characters go, and so does what is too long.
        name: what answers and errors call it.

    Raises:
        DataError: in one sentence, if it is no picture, or none that can be used.
    """
    data = _bytes(source, name)
    with _DECODING, _opened(data, name) as picture:
        _check_size(picture, name)
        try:
            picture.load()
            done = _description(picture, size)
            pixels = to_square(picture, size)
        except Exception as error:  # decoders fail on broken files in every way there is
            raise DataError(
                f"{name} is damaged: its header is readable, its content is not; save it again as "
                "PNG or JPEG."
            ) from error
    text, cleaned = clean_caption(caption)
    return Upload(name, one_candidate(pixels, text), (*done, *cleaned))


def check_upload(source: Path | bytes, *, name: str = "The picture") -> None:
    """Checks all that can be told of a picture without its decoder and without a target.

    Raises:
        DataError: as `open_upload`.
    """
    with _opened(_bytes(source, name), name) as picture:
        _check_size(picture, name)


def one_candidate(pixels: NDArray[np.uint8], caption: str) -> Candidates:
    """One picture (height, width, 3) as candidates."""
    return Candidates(pixels[None], (caption,))


def clean_caption(caption: str | None) -> tuple[str, tuple[str, ...]]:
    """A caption without control characters, in composed form (NFC), on one line, not too long.

    Returns:
        the caption, and what was done to it in words.
    """
    given = (caption or "")[: 10 * MAX_CAPTION]
    spaced = "".join(" " if c.isspace() else c for c in given)
    visible = "".join(c for c in spaced if unicodedata.category(c)[0] != "C")
    text = " ".join(unicodedata.normalize("NFC", visible).split())
    done = []
    if len(visible) < len(given):
        done.append("control characters taken out of the caption")
    if len(text) > MAX_CAPTION:
        text = text[:MAX_CAPTION].rstrip()
        done.append(f"caption cut to {MAX_CAPTION:,} characters")
    return text, tuple(done)


def _bytes(source: Path | bytes, name: str) -> bytes:
    """All of the file, once it is known to be small."""
    try:
        if isinstance(source, Path) and not source.is_file():
            raise DataError(f"{name} is not there, or is no file; give a picture.")
        length = len(source) if isinstance(source, bytes) else source.stat().st_size
        if length > MAX_BYTES:
            raise DataError(
                f"{name} has {length / 1e6:.1f} MB; expected at most {MAX_BYTES / 1e6:.0f} MB: "
                "save a smaller copy."
            )
        data = source if isinstance(source, bytes) else source.read_bytes()
    except (OSError, ValueError) as error:  # a name may hold a NUL
        raise DataError(f"{name} cannot be read ({error}).") from error
    if not data:
        raise DataError(f"{name} is empty; give a picture.")
    return data


def _opened(data: bytes, name: str) -> Image.Image:
    """Reads the header only."""
    try:
        with quietly():  # our own limit on pixels is stricter than Pillow's
            return Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise DataError(
            f"{name} has more than {MAX_PIXELS / 1e6:.0f} million pixels; save a smaller copy."
        ) from error
    except Exception as error:
        raise DataError(
            f"{name} is no readable JPEG, PNG, WebP or GIF; convert other kinds, such as HEIC, "
            "TIFF or SVG, to PNG first."
        ) from error


def _check_size(picture: Image.Image, name: str) -> None:
    width, height = picture.size
    most = MAX_PIXELS_OF.get(picture.format or "", MAX_PIXELS)
    if width * height > most:
        kind = f" of a {picture.format}" if most < MAX_PIXELS else ""
        raise DataError(
            f"{name} has {width}×{height} pixels; expected at most {most / 1e6:.0f} million{kind}: "
            "save a smaller copy."
        )
    if min(width, height) < MIN_SIDE:
        raise DataError(
            f"{name} has {width}×{height} pixels; expected at least {MIN_SIDE} on each side."
        )
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise DataError(
            f"{name} has {width}×{height} pixels; expected one side at most {MAX_ASPECT} times as "
            "long as the other: crop it first."
        )


def _description(picture: Image.Image, size: int) -> tuple[str, ...]:
    """What `to_square` does to it."""
    width, height = picture.size
    done = [f"read as {picture.format}, {width}×{height}"]
    if getattr(picture, "n_frames", 1) > 1:
        done.append(f"only the first of {picture.n_frames} frames used")  # pyright: ignore[reportAttributeAccessIssue]
    turned = _orientation(picture)
    if turned > 1:
        done.append("turned upright as its EXIF data say")
    if turned > 4:
        width, height = height, width
    if picture.mode.startswith("I"):
        done.append("16 bits of grey scaled to 8")
    if picture.mode == "CMYK":
        done.append("CMYK turned into RGB")
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        done.append("transparent parts painted white")
    side = min(width, height)
    if width != height:
        done.append(f"cropped from {width}×{height} to the centre {side}×{side}")
    if side != size:
        done.append(f"{'shrunk' if side > size else 'enlarged'} to {size}×{size}")
    return tuple(done)


def _orientation(picture: Image.Image) -> int:
    try:
        found = picture.getexif().get(_ORIENTATION, 1)
    except Exception:  # broken EXIF of any kind; what cannot be read turns nothing
        return 1
    return found if isinstance(found, int) and 1 <= found <= 8 else 1
