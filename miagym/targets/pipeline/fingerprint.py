"""A digest of all that decides a model's answers: weights, settings, words."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import torch

ELSEWHERE = ("dtype", "torch_dtype", "transformers_version", "architectures")
"""Settings that say how a network was written, and nothing of its answers."""


def fingerprint(pipeline: Any, networks: Sequence[torch.nn.Module], dtype: torch.dtype) -> str:
    """The digest of a pipeline, and the precision of its denoiser.

    Every number of every tensor counts, since a LoRA may leave the beginning of one as it is; so
    do the settings of networks and scheduler, and the tokenizers' words, which embeddings add to.

    Args:
        pipeline: of diffusers.
        networks: those whose weights count.
        dtype: of the denoiser.
    """
    state = hashlib.sha256()
    for network in networks:
        _add(state, _settings(network))
        for name, tensor in sorted(network.state_dict().items()):
            _add(state, [name, list(tensor.shape)])
            numbers = tensor.detach().cpu().contiguous().reshape(-1)
            state.update(numbers.view(torch.uint8).numpy().tobytes())
    _add(state, _settings(pipeline.scheduler))
    _add(state, bool(pipeline.config.get("force_zeros_for_empty_prompt")))
    for part, words in sorted(pipeline.components.items()):
        if part.startswith("tokenizer") and words is not None:
            _add(state, sorted(words.get_vocab().items()))
    return f"{state.hexdigest()[:16]} {dtype}"


def _settings(part: Any) -> dict[str, Any]:
    """Settings that were said: a default that a newer library adds makes no other model."""
    config: Any = part.config
    content = dict(config) if isinstance(config, Mapping) else config.to_diff_dict()
    unsaid = {*ELSEWHERE, *content.get("_use_default_values", ())}
    return {k: v for k, v in content.items() if not k.startswith("_") and k not in unsaid}


def _add(state: Any, content: object) -> None:
    state.update(json.dumps(content, sort_keys=True, default=str).encode())
