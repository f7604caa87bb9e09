"""Filter of a service: prompts with certain words or phrases are refused."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from miagym.errors import SettingsError

WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class PromptFilter:
    """Filter that reads prompts before anything is drawn.

    Words are compared whole, whatever their case and what stands between them; callers learn that
    a call was refused, and not by which word.

    Raises:
        SettingsError: if there are no words, or one is none.
    """

    words: Sequence[str]
    """Words or phrases, such as "nude" or "in the style of"."""
    charged: bool = False
    """Whether a refused call costs what it would have cost."""

    def __post_init__(self) -> None:
        if isinstance(self.words, str) or not self.words:
            raise SettingsError(f"Expected a list of words to refuse, got {self.words!r}.")
        for word in self.words:
            if not isinstance(word, str) or not spelled(word).strip():
                raise SettingsError(f"Expected words or phrases to refuse, got {word!r}.")
        object.__setattr__(self, "words", tuple(self.words))

    def refuses(self, prompt: str) -> bool:
        """Whether a prompt holds one of the words."""
        said = spelled(prompt)
        return any(spelled(word) in said for word in self.words)

    def __str__(self) -> str:
        cost = "charged" if self.charged else "free"
        return f"refuses prompts by {len(self.words)} words, refused calls are {cost}"


def spelled(text: str) -> str:
    """Words of a text between single spaces, in one case and one form of each letter."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return f" {' '.join(WORD.findall(plain))} "
