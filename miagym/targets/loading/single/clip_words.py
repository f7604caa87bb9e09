"""The tokenizer of CLIP, from its merges: single-file checkpoints bring none."""

from __future__ import annotations

import gzip
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from transformers import CLIPTokenizer

BEGIN, END = "<|startoftext|>", "<|endoftext|>"
TOKENS = 77


def clip_tokenizer(configuration: Path) -> CLIPTokenizer:
    """CLIP's tokenizer with the padding that a configuration names.

    Args:
        configuration: a tokenizer_config.json with `pad_token`.
    """
    packed = files("miagym").joinpath("assets/configurations/clip_merges.txt.gz").read_bytes()
    merges: Any = [
        tuple(line.split()) for line in gzip.decompress(packed).decode("utf-8").splitlines()
    ]
    letters = _letters()
    words = [*letters, *(letter + "</w>" for letter in letters), *map("".join, merges), BEGIN, END]
    pad = json.loads(configuration.read_text(encoding="utf-8"))["pad_token"]
    vocabulary = {word: number for number, word in enumerate(words)}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, pad_token=pad, model_max_length=TOKENS)


def _letters() -> list[str]:
    """How byte-pair encoding spells the 256 bytes: those that print, then the others as 256 + i."""
    printing = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printing]
    return [chr(byte) for byte in printing] + [chr(256 + i) for i in range(len(others))]
