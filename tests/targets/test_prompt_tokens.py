"""Token ids of prompts: each prompt is looked up once, whatever is asked beside it."""

from __future__ import annotations

from threading import Lock
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from miagym.targets.base import TOKENS, VOCABULARY
from miagym.targets.pipeline import tokens as prompt_tokens
from miagym.targets.pipeline.tokens import Tokens


class Letters:
    """A tokenizer whose ids are letters, padded with 7 to its own length."""

    pad_token_id = 7

    def __init__(self, length: int) -> None:
        self.model_max_length, self.asked = length, list[str]()

    def __call__(self, prompt: str, **options: Any) -> SimpleNamespace:
        self.asked.append(prompt)
        ids = [ord(letter) for letter in prompt][: self.model_max_length]
        return SimpleNamespace(input_ids=ids + [7] * (self.model_max_length - len(ids)))


def test_each_prompt_is_looked_up_once_and_rows_are_its_own() -> None:
    tokenizer = Letters(TOKENS)
    tokens = Tokens(tokenizer, Lock())
    first = tokens.of(["cat", "dog", "cat"])
    assert first.shape == (3, TOKENS) and first.dtype == np.int32
    assert first[0, :4].tolist() == [99, 97, 116, 7] and np.array_equal(first[0], first[2])
    first[:] = 0
    again = tokens.of(["dog", "cat"])
    assert again[1, 0] == 99, "what is handed out is no part of what is kept"
    assert tokenizer.asked == ["cat", "dog"]
    assert tokens.of([]).shape == (0, TOKENS)


@pytest.mark.parametrize("length", [TOKENS - 60, TOKENS + 60])
def test_other_lengths_are_cut_or_padded_and_other_ids_unknown(length: int) -> None:
    row = Tokens(Letters(length), Lock()).of(["a" * 200 + "z"])[0]
    assert row.tolist() == [97] * min(length, TOKENS) + [7] * max(TOKENS - length, 0)
    assert Tokens(Letters(TOKENS), Lock()).of(["\U0010ffff"])[0, 0] == VOCABULARY - 1


def test_without_a_tokenizer_there_are_zeros_and_not_everything_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert not Tokens(None, Lock()).of(["cat"]).any()
    monkeypatch.setattr(prompt_tokens, "MAX_CACHED_PROMPTS", 2)
    tokenizer = Letters(TOKENS)
    tokens = Tokens(tokenizer, Lock())
    tokens.of(["a", "b", "c"])
    assert tokens.of(["a"])[0, 0] == 97 and tokenizer.asked == ["a", "b", "c", "a"]
