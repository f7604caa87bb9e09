"""A tiny CLIP and a tiny BLIP on disk, as the hub would hand them out."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import (
    BertTokenizer,
    BlipConfig,
    BlipForConditionalGeneration,
    BlipImageProcessor,
    BlipProcessor,
    CLIPConfig,
    CLIPImageProcessor,
    CLIPModel,
    CLIPProcessor,
    CLIPTokenizer,
)
from transformers.utils import logging

from miagym.targets.registry import targets_folder

SIDE = 32
LAYER = {
    "hidden_size": 16,
    "intermediate_size": 20,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
}
PIXELS = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "do_center_crop": False}
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", "a", "cat", "dog", "red", "sun"]


def save_clip(folder: Path) -> Path:
    """An untrained CLIP of 8 features for 32 pixels, with the embedded targets' tokenizer."""
    logging.disable_progress_bar()
    torch.manual_seed(0)
    tokenizer = CLIPTokenizer.from_pretrained(targets_folder() / "clipart-realistic" / "tokenizer")
    text = {
        **LAYER,
        "vocab_size": len(tokenizer),
        "max_position_embeddings": 32,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    vision = {**LAYER, "image_size": SIDE, "patch_size": 16}
    CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=8)).save_pretrained(
        folder
    )
    images = CLIPImageProcessor(size={"height": SIDE, "width": SIDE}, **PIXELS)
    CLIPProcessor(images, tokenizer).save_pretrained(folder)
    return folder


def save_captioner(folder: Path) -> Path:
    """An untrained BLIP of eleven words for 32 pixels."""
    logging.disable_progress_bar()
    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(WORDS), encoding="utf-8")
    text = {
        **LAYER,
        "encoder_hidden_size": 16,
        "vocab_size": len(WORDS),
        "max_position_embeddings": 32,
        "bos_token_id": 5,
        "eos_token_id": 3,
        "pad_token_id": 0,
        "sep_token_id": 3,
    }
    vision = {**LAYER, "image_size": SIDE, "patch_size": 16}
    config = BlipConfig(text_config=text, vision_config=vision)
    BlipForConditionalGeneration(config).save_pretrained(folder)
    images = BlipImageProcessor(size={"height": SIDE, "width": SIDE}, **PIXELS)
    tokenizer = BertTokenizer(str(folder / "vocab.txt"))
    BlipProcessor(images, tokenizer).save_pretrained(folder)
    return folder
