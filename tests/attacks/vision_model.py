"""A tiny vision model on disk, as the hub would hand it out."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from transformers import ViTConfig, ViTModel
from transformers.utils import logging

PROCESSOR = {
    "image_processor_type": "ViTImageProcessor",
    "do_resize": True,
    "size": {"height": 64, "width": 64},
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.5] * 3,
    "image_std": [0.5] * 3,
}


def save_vision_model(folder: Path) -> Path:
    """Writes an untrained ViT of 17 tokens and 16 channels for 64 pixels, with its processor."""
    logging.disable_progress_bar()
    torch.manual_seed(0)
    config = ViTConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=20,
        image_size=64,
        patch_size=16,
    )
    ViTModel(config).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(PROCESSOR))
    return folder
