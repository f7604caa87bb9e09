"""Image encoders: pictures to tokens, by plain patches or by a vision model of transformers."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor
from torch.nn.functional import unfold

from attacks.black_box.vision_models import BATCH, load_model

Encoder = Callable[[Tensor], Tensor]
"""Pictures (n, 3, h, w) in [0, 1] to tokens (n, tokens, channels)."""

PATCHES = "patches"
"""The encoder without weights."""
PATCH = 4
"""Side of a patch in pixels."""


@cache
def load_encoder(name: str) -> Encoder:
    """An encoder by name; a vision model is loaded once.

    Args:
        name: `PATCHES`, or a folder or hub id of a vision model with its image processor, such as
            `facebook/deit-base-distilled-patch16-384`. Its weights must be safetensors.

    Raises:
        UnknownName: if there is no such model, or no way to read it.
    """
    return patches if name == PATCHES else _vision_model(name)


def patches(images: Tensor) -> Tensor:
    """Pictures cut up: a token is a patch, a channel the place and colour of a pixel in it."""
    return unfold(images * 2 - 1, kernel_size=PATCH, stride=PATCH).transpose(1, 2)


def _vision_model(name: str) -> Encoder:
    model, processor = load_model(
        "AutoModel", "AutoImageProcessor", "image encoder", name, [PATCHES]
    )

    @torch.inference_mode()
    def encode(images: Tensor) -> Tensor:
        model.to(images.device)
        tokens = []
        for batch in (images * 255).round().byte().cpu().split(BATCH):
            seen = processor(images=list(batch), return_tensors="pt").to(images.device)
            tokens.append(model(**seen).last_hidden_state.float())
        return torch.cat(tokens)

    return encode
