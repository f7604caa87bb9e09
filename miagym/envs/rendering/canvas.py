"""Canvas with colours, text and the few shapes that all pictures are made of."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from miagym.palette import MEMBERS, NONMEMBERS, PALETTE

WIDTH, HEIGHT = 1280, 720
INK, MUTED, LINE, PANEL, PAPER = "#1F2933", "#66717D", "#D5DADF", "#EEF1F3", "#FBFBFA"
BUDGET, ANSWER, REFUSED = PALETTE[0], PALETTE[5], PALETTE[1]
SIDES = NONMEMBERS, MEMBERS
"""The colours of what speaks against membership, and for it."""
UNREADABLE = "(a caption in letters that this font lacks)"

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


class Canvas:
    """Canvas of 1280 by 720 pixels."""

    def __init__(self) -> None:
        self._image = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
        self._draw = ImageDraw.Draw(self._image)

    def pixels(self) -> NDArray[np.uint8]:
        """Pixels (720, 1280, 3), 8 bit."""
        return np.array(self._image)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: int,
        colour: str = INK,
        *,
        anchor: str = "la",
        width: float = WIDTH,
    ) -> float:
        """Draws one line, cut with dots where wider than `width` pixels; returns its width."""
        font = font_of(size)
        line = fitted(drawable(text), font, width)
        self._draw.text((x, y), line, colour, font, anchor)
        return font.getlength(line)

    def box(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """Draws a filled box of whole pixels, at least one each way."""
        left, top = round(x), round(y)
        right, bottom = round(x + width) - 1, round(y + height) - 1
        self._draw.rectangle((left, top, max(left, right), max(top, bottom)), colour)

    def frame(self, x: float, y: float, side: float, thick: int, colour: str) -> None:
        """Draws a frame around a square, outside of it."""
        corners = (x - thick, y - thick, x + side + thick - 1, y + side + thick - 1)
        self._draw.rectangle(corners, None, colour, thick)

    def picture(self, x: float, y: float, side: int, pixels: NDArray[np.uint8]) -> None:
        """Draws a picture (size, size, 3) enlarged pixel by pixel, or made smaller."""
        how = Image.Resampling.NEAREST if len(pixels) <= side else Image.Resampling.BOX
        picture = Image.fromarray(pixels).resize((side, side), how)
        self._image.paste(picture, (round(x), round(y)))
        self.frame(x, y, side, 1, LINE)

    def budget(self, x: float, y: float, width: float, height: float, share: float) -> None:
        """Draws a bar of the budget that is left."""
        self.box(x, y, width, height, PANEL)
        if share > 0:
            self.box(x, y, share * width, height, BUDGET)

    def belief(self, x: float, y: float, width: float, height: float, probability: float) -> None:
        """Draws a bar from the middle, to the left or to the right, as far as the belief goes."""
        self.box(x, y, width, height, PANEL)
        middle, reach = x + width / 2, (probability - 0.5) * width
        if abs(reach) >= 0.5:
            self.box(middle + min(0, reach), y, abs(reach), height, SIDES[int(probability > 0.5)])
        self.box(round(middle), y - 2, 1, height + 4, INK)


@lru_cache(maxsize=32)
def font_of(size: int) -> Font:
    """Font that Pillow carries, so that a picture looks the same everywhere."""
    return ImageFont.load_default(size=size)


def drawable(text: str) -> str:
    """Text without accents, with "?" for letters that the font lacks; a remark if it lacks most."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    line = " ".join("".join(c if c.isprintable() else " " for c in plain).split())
    known = "".join(c if _has_letter(c) else "?" for c in line)
    lacking = sum(a != b for a, b in zip(line, known, strict=True))
    return UNREADABLE if 2 * lacking > len(line) else known


@lru_cache(maxsize=4096)
def _has_letter(letter: str) -> bool:
    return letter == " " or _drawn(letter) != _drawn("\uffff")


def _drawn(letter: str) -> bytes:
    sheet = Image.new("L", (40, 40))
    ImageDraw.Draw(sheet).text((4, 4), letter, 255, font_of(20))
    return sheet.tobytes()


def fitted(text: str, font: Font, width: float) -> str:
    """Cuts a text to `width` pixels, with dots if that is not all."""
    if font.getlength(text) <= width:
        return text
    fits = bisect_right(range(len(text)), width, key=lambda n: font.getlength(text[:n] + "..."))
    return text[: max(0, fits - 1)].rstrip() + "..."


def quoted(caption: str) -> str:
    """Caption in quotation marks, or a remark if there is none."""
    text = drawable(caption)
    return text if text == UNREADABLE else f"“{text}”" if text else "(no caption)"
