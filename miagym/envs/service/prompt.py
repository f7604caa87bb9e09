"""Prompts of a batch of calls, checked: any Unicode text up to a length."""

from __future__ import annotations

from miagym.candidates import check_texts
from miagym.errors import ActionError, DataError
from miagym.remote.services import MAX_PROMPT


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
