"""Characters that nobody sees: byte-order marks, zero-width spaces, controls."""

from __future__ import annotations

import codecs
import unicodedata
from itertools import chain

BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""How a text is encoded that begins so."""

_RANGES = (
    *((0x00, 0x08), (0x0E, 0x1B), (0x7F, 0x84), (0x86, 0x9F)),  # controls that are no spaces
    *((0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C)),
    *((0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x3164, 0x3164), (0xFFA0, 0xFFA0)),
    *((0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0xFEFF, 0xFEFF), (0xFFF0, 0xFFFB)),
)
INVISIBLE = frozenset(chr(c) for c in chain.from_iterable(range(a, b + 1) for a, b in _RANGES))
"""No variation selectors and tags, with which emoji end."""

_SPACES = "".join(c for c in map(chr, range(0x3001)) if c.isspace())
_NOTHING = _SPACES + "".join(sorted(INVISIBLE))


def decoded(content: bytes, errors: str = "strict") -> str:
    """Text in UTF-8, or in UTF-16 and UTF-32 by their marks, which are no part of it.

    Raises:
        UnicodeDecodeError: if it is none, and `errors` is "strict".
    """
    marks = (code for mark, code in BYTE_ORDER_MARKS.items() if content.startswith(mark))
    return content.decode(next(marks, "utf-8"), errors)


def visible(text: str) -> str:
    r"""A text without what nobody sees at its ends, spaces among it; what is inside stays.

    >>> visible("\ufeff a cat\u200b ")
    'a cat'
    """
    return text.strip(_NOTHING)


def without_marks(text: str) -> str:
    r"""A text without invisible characters at its ends; spaces that stand there alone stay.

    How a table spaces its captions can tell the sides apart, and an audit has to see it; a mark
    belongs to the encoding.

    >>> without_marks("\ufeffa cat "), without_marks("a cat \u200b")
    ('a cat ', 'a cat')
    """
    inside = text.strip(_NOTHING)
    start = len(text) - len(text.lstrip(_NOTHING))
    end = len(text.rstrip(_NOTHING))
    before, after = text[:start], text[max(start, end) :]
    if not INVISIBLE.isdisjoint(before):
        before = ""
    if not INVISIBLE.isdisjoint(after):
        after = ""
    return before + inside + after


def in_words(text: str) -> str:
    r"""A text in which invisible characters stand by their names.

    >>> in_words("a\u200bb")
    'a[U+200B zero width space]b'
    """
    return "".join(_named(c) if c in INVISIBLE else c for c in text)


def has_invisible(text: str) -> bool:
    """Whether there is a character in it that nobody sees."""
    return not INVISIBLE.isdisjoint(text)


def _named(character: str) -> str:
    name = unicodedata.name(character, "control character").lower()
    return f"[U+{ord(character):04X} {name}]"
