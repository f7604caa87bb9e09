"""Token ids of prompts, as the first text encoder of a pipeline sees them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from miagym.targets.sizes import TOKENS, VOCABULARY

MAX_CACHED_PROMPTS = 1024
"""Of a pipeline, whose tokens and embeddings are kept, so that a caption is encoded once."""


def token_ids(tokenizer: Any, prompt: str) -> list[int]:
    """Token ids of a prompt, padded and cut to the length that the tokenizer names."""
    length = tokenizer.model_max_length
    return tokenizer(prompt, padding="max_length", truncation=True, max_length=length).input_ids


class Tokens:
    """Token ids of `TOKENS` places; each distinct prompt goes through the tokenizer once.

    Where the encoder takes more or fewer tokens than that, they are cut or padded with the
    tokenizer's own padding; an id that CLIP does not have becomes its last one, "unknown".

    Args:
        tokenizer: of the first text encoder; None where there is none, and all ids are zero.
        lock: held while the tokenizer is at work, which serves one thread at a time.
    """

    def __init__(self, tokenizer: Any, lock: Lock) -> None:
        self._tokenizer, self._lock = tokenizer, lock
        self._known: OrderedDict[str, NDArray[np.int32]] = OrderedDict()

    def of(self, prompts: Sequence[str]) -> NDArray[np.int32]:
        """Ids (n, TOKENS)."""
        if self._tokenizer is None:
            return np.zeros((len(prompts), TOKENS), dtype=np.int32)
        with self._lock:
            return np.array([self._row(prompt) for prompt in prompts], np.int32).reshape(-1, TOKENS)

    def _row(self, prompt: str) -> NDArray[np.int32]:
        if prompt not in self._known:
            ids = token_ids(self._tokenizer, prompt)[:TOKENS]
            row = np.full(TOKENS, self._tokenizer.pad_token_id, dtype=np.int32)
            row[: len(ids)] = ids
            self._known[prompt] = np.minimum(row, VOCABULARY - 1)
            while len(self._known) > MAX_CACHED_PROMPTS:
                self._known.popitem(last=False)
        return self._known[prompt]
