"""Embeddings learned for a new word (textual inversion, Gal et al. 2023)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safetensors.torch import load_file
from torch import Tensor

from miagym.errors import TargetError
from miagym.targets.location import Addition
from miagym.targets.pipeline.quiet import quiet_pipelines

ENCODERS = {"clip_l": ("text_encoder", "tokenizer"), "clip_g": ("text_encoder_2", "tokenizer_2")}
"""Keys of an embedding for SDXL, and the encoder that each is for."""


def is_embedding(keys: Mapping[str, tuple[int, ...]]) -> bool:
    """Whether these are the tensors of a learned embedding, and of nothing else."""
    return len(keys) <= 2 and all(len(shape) in (1, 2) for shape in keys.values())


def add_embedding(pipeline: Any, addition: Addition) -> None:
    """Teaches a pipeline a new word: what its file calls it, or else the name of the file.

    Raises:
        TargetError: if the embedding is for other text encoders.
    """
    weights = load_file(addition.path)
    if addition.scale != 1:
        raise TargetError(
            f"{addition.path.name} is an embedding, which has no scale, got {addition.scale:g}; "
            "only a LoRA has one."
        )
    second = pipeline.components.get("text_encoder_2") is not None
    if set(weights) <= set(ENCODERS) or second:
        if set(weights) != set(ENCODERS):
            raise TargetError(
                f"{addition.path.name} holds {', '.join(sorted(weights))}; expected clip_l and "
                "clip_g, one for each text encoder of this model."
            )
        for key, tensor in weights.items():
            _teach(pipeline, tensor, addition.path.stem, *ENCODERS[key], addition)
        return
    (key, tensor), *others = weights.items()
    if others:
        raise TargetError(
            f"{addition.path.name} holds {len(weights)} embeddings; expected one word, or clip_l "
            "and clip_g of SDXL."
        )
    word = addition.path.stem if key == "emb_params" else key
    _teach(pipeline, tensor, word, "text_encoder", "tokenizer", addition)


def _teach(
    pipeline: Any, tensor: Tensor, word: str, encoder: str, tokenizer: str, addition: Addition
) -> None:
    network, words = (pipeline.components.get(part) for part in (encoder, tokenizer))
    if network is None or not hasattr(pipeline, "load_textual_inversion"):
        raise TargetError(
            f"{addition.path.name} is an embedding for {encoder}, which this "
            f"{type(pipeline).__name__} has not."
        )
    width = network.get_input_embeddings().weight.shape[1]
    if tensor.shape[-1] != width:
        raise TargetError(
            f"{addition.path.name} is an embedding of width {tensor.shape[-1]}, the text encoder "
            f"of this model has {width}; expected one that was learned on a model of its family."
        )
    if word != word.lower():
        raise TargetError(
            f"{addition.path.name} teaches the word {word!r}, which tokenizers read in small "
            f"letters, so that only a part of it would be found; call it {word.lower()!r}."
        )
    if word in words.get_vocab():
        raise TargetError(
            f"{addition.path.name} teaches the word {word!r}, which the model knows already; "
            "rename the file or its key."
        )
    with quiet_pipelines():
        pipeline.load_textual_inversion(
            {word: tensor}, token=word, text_encoder=network, tokenizer=words
        )
