"""Space of prompts: any Unicode text up to a length."""

from __future__ import annotations

import string
from typing import Any

from gymnasium import spaces

from miagym.candidates import check_texts
from miagym.errors import ActionError, DataError

MAX_PROMPT = 500
"""Characters of a prompt; models read the first 77 tokens."""
LETTERS = string.ascii_letters + string.digits + string.punctuation + " "


class Prompt(spaces.Text):
    """Text of up to `MAX_PROMPT` characters, whatever they are; samples are of ASCII."""

    def __init__(self) -> None:
        super().__init__(max_length=MAX_PROMPT, min_length=0, charset=LETTERS)

    def contains(self, x: Any) -> bool:
        return isinstance(x, str) and len(x) <= MAX_PROMPT

    def __repr__(self) -> str:
        return "Prompt()"


def checked_prompts(value: object, episodes: int) -> tuple[str, ...]:
    """Checks prompts, one for each of so many episodes.

    Raises:
        ActionError: if one is no text, too long, or cannot be written down.
    """
    prompts = tuple(value) if isinstance(value, list | tuple) else (value,)
    if len(prompts) != episodes:
        raise ActionError(f"Expected a 'prompt' for each of {episodes}, got {len(prompts)}.")
    for prompt in prompts:
        if not isinstance(prompt, str) or len(prompt) > MAX_PROMPT:
            got = f"{len(prompt)} characters" if isinstance(prompt, str) else repr(prompt)
            raise ActionError(
                f"Expected a text of up to {MAX_PROMPT} characters as 'prompt', got {got}."
            )
    try:
        check_texts(prompts)
    except DataError as error:
        raise ActionError(f"Expected Unicode text as 'prompt'. {error}") from error
    return tuple(map(str, prompts))
