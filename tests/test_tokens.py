"""Captions as tokens: what the text encoder is told, always of one length."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import CLIPTokenizer

from miagym.targets.base import TOKENS, VOCABULARY, Target
from miagym.targets.dummy import DummyTarget
from miagym.targets.registry import load_target

PROMPTS = ["a cat", "a dog, in the fog", "", "a cat " * 100]


@pytest.fixture(scope="module")
def embedded() -> Target:
    return load_target("clipart-null")


def well_formed(tokens: np.ndarray, n: int) -> bool:
    return (
        tokens.shape == (n, TOKENS)
        and tokens.dtype == np.int32
        and bool(((tokens >= 0) & (tokens < VOCABULARY)).all())
    )


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction"])
def test_tokens_are_those_of_the_text_encoder(kind: str, pipelines: dict[str, Path]) -> None:
    tokens = load_target(str(pipelines[kind])).tokenize(PROMPTS)
    tokenizer = CLIPTokenizer.from_pretrained(pipelines[kind], subfolder="tokenizer")
    asked = tokenizer(PROMPTS, padding="max_length", truncation=True, max_length=TOKENS)
    np.testing.assert_array_equal(tokens, asked.input_ids)
    assert well_formed(tokens, len(PROMPTS))


def test_a_shorter_text_encoder_is_padded_with_its_own_padding(embedded: Target) -> None:
    """The embedded targets take 32 tokens."""
    tokens = embedded.tokenize(PROMPTS)
    assert well_formed(tokens, len(PROMPTS))
    assert embedded.embed(["a cat"]).shape[1] == 32
    padding = tokens[2, 1]
    assert (tokens[:, 32:] == padding).all()
    assert (tokens[3, :31] != padding).all()


def test_a_longer_text_encoder_is_cut(tmp_path: Path, pipelines: dict[str, Path]) -> None:
    longer = shutil.copytree(pipelines["epsilon"], tmp_path / "longer")
    config = longer / "tokenizer" / "tokenizer_config.json"
    assert '"model_max_length": 77' in config.read_text()
    config.write_text(config.read_text().replace('_length": 77', '_length": 99'))
    short, whole = (load_target(str(f)).tokenize(PROMPTS) for f in (pipelines["epsilon"], longer))
    assert well_formed(whole, len(PROMPTS))
    np.testing.assert_array_equal(whole[:3], short[:3])
    np.testing.assert_array_equal(whole[3, :76], short[3, :76])


@given(st.lists(st.text(), max_size=4))
def test_tokens_of_a_row_do_not_depend_on_the_others(embedded: Target, prompts: list[str]) -> None:
    tokens = embedded.tokenize(prompts)
    assert well_formed(tokens, len(prompts))
    for row, prompt in zip(tokens, prompts, strict=True):
        np.testing.assert_array_equal(embedded.tokenize([prompt])[0], row)


@given(st.lists(st.text(max_size=200), max_size=4))
def test_the_dummy_reads_bytes(dummy: DummyTarget, prompts: list[str]) -> None:
    tokens = dummy.tokenize(prompts)
    assert well_formed(tokens, len(prompts))
    for row, prompt in zip(tokens, prompts, strict=True):
        text = prompt.encode()[:TOKENS]
        assert bytes(row.tolist()) == text.ljust(TOKENS, b"\0")
