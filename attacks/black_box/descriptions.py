"""Descriptions of pictures as vectors: what they look like, and what a captioner says of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor
from torch.nn.functional import normalize

from attacks.black_box.image_encoders import PATCHES, patches
from attacks.black_box.vision_models import BATCH, load_model
from miagym.oracle import AttackError, UnknownName

Describe = Callable[[Tensor], Tensor]
"""Pictures (n, 3, h, w) in [0, 1] to unit vectors (n, d)."""

NOBODY = ""
"""Instead of a captioner: pictures are compared by what they look like alone."""
WORDS = 20
"""Longest caption that a captioner writes, in tokens."""


@cache
def load_describer(encoder: str, captioner: str = NOBODY) -> Describe:
    """A description by models of these names, loaded once.

    Args:
        encoder: `PATCHES`, plain pixels less their mean, or a folder or hub id of a CLIP model,
            such as `openai/clip-vit-large-patch14`.
        captioner: `NOBODY`, or a folder or hub id of a model from images to text, such as
            `Salesforce/blip2-opt-2.7b`, whose caption the encoder's text side reads.

    Raises:
        UnknownName: if there is no such model, or its weights are no safetensors.
        AttackError: if there is a captioner and the encoder reads no text.
    """
    if encoder == PATCHES:
        if captioner:
            raise AttackError(
                f"{captioner} writes captions, which {PATCHES} cannot read; name a CLIP model as "
                "the encoder."
            )
        return _centred_patches
    clip, read = load_model("AutoModel", "AutoProcessor", "image encoder", encoder, [PATCHES])
    if not hasattr(clip, "get_text_features"):
        raise UnknownName("image encoder", encoder, [PATCHES], "It is no CLIP model.")
    write = _captions_by(captioner) if captioner else None

    @torch.inference_mode()
    def describe(pictures: Tensor) -> Tensor:
        clip.to(pictures.device)
        rows = []
        for batch in (pictures * 255).round().byte().cpu().split(BATCH):
            seen = read(images=list(batch), return_tensors="pt").to(pictures.device)
            parts = [normalize(clip.get_image_features(**seen).pooler_output.float())]
            if write is not None:
                texts = read(text=write(batch), return_tensors="pt", padding=True, truncation=True)
                told = clip.get_text_features(**texts.to(pictures.device))
                parts.append(normalize(told.pooler_output.float()))
            rows.append(normalize(torch.cat(parts, dim=1)))
        return torch.cat(rows)

    return describe


def _centred_patches(pictures: Tensor) -> Tensor:
    pixels = patches(pictures).flatten(1)
    return normalize(pixels - pixels.mean(1, keepdim=True))


def _captions_by(name: str) -> Callable[[Tensor], list[str]]:
    """Captions of 8-bit pictures (n, 3, h, w): the likeliest words, so that they are always so."""
    model, read = load_model("AutoModelForImageTextToText", "AutoProcessor", "captioner", name, [])

    def write(batch: Tensor) -> list[str]:
        seen = read(images=list(batch), return_tensors="pt").to(model.device)
        tokens = model.generate(**seen, do_sample=False, num_beams=1, max_new_tokens=WORDS)
        return read.batch_decode(tokens, skip_special_tokens=True)

    return write
