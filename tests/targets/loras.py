"""LoRAs of small models, in the namings that people's files have."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

RANK = 3

UNET = "down_blocks.0.attentions.0.transformer_blocks.0.attn1"
"""An attention of the UNet of `models.unet`; its widths are 16."""


def halves(outputs: int, inputs: int, seed: int) -> tuple[Tensor, Tensor]:
    """Up (outputs, RANK) and down (RANK, inputs)."""
    generator = torch.Generator().manual_seed(seed)
    up = torch.randn(outputs, RANK, generator=generator)
    return up, torch.randn(RANK, inputs, generator=generator)


def layers(width: int = 16) -> dict[str, tuple[Tensor, Tensor]]:
    """By the name of a layer of the UNet: up and down."""
    names = [f"{UNET}.{part}" for part in ("to_q", "to_k", "to_v", "to_out.0")]
    return {name: halves(width, width, seed) for seed, name in enumerate(names)}


def peft(folder: Path, width: int = 16) -> Path:
    """`unet.NAME.lora_A.weight`, as diffusers' training scripts write it."""
    weights = {}
    for name, (up, down) in layers(width).items():
        weights[f"unet.{name}.lora_A.weight"] = down
        weights[f"unet.{name}.lora_B.weight"] = up
    return _saved(weights, folder / "peft.safetensors")


def saved_by_peft(folder: Path, alpha: float = float(RANK)) -> Path:
    """`base_model.model.NAME.lora_A.weight`, alpha in a file beside it, as peft itself saves."""
    weights = {}
    for name, (up, down) in layers().items():
        weights[f"base_model.model.{name}.lora_A.weight"] = down
        weights[f"base_model.model.{name}.lora_B.weight"] = up
    (folder / "adapter_config.json").write_text(json.dumps({"r": RANK, "lora_alpha": alpha}))
    return _saved(weights, folder / "adapter_model.safetensors")


def diffusers_old(folder: Path) -> Path:
    """`unet.NAME.lora.down.weight`, as diffusers' training scripts used to write it."""
    weights = {}
    for name, (up, down) in layers().items():
        weights[f"unet.{name}.lora.down.weight"] = down
        weights[f"unet.{name}.lora.up.weight"] = up
    return _saved(weights, folder / "old.safetensors")


def kohya(folder: Path, alpha: float = float(RANK), *, with_text: bool = True) -> Path:
    """`lora_unet_NAME.lora_down.weight` with alphas, as kohya's scripts and model sites have it."""
    weights = {}
    for name, (up, down) in layers().items():
        key = "lora_unet_" + name.replace(".", "_")
        weights |= _kohya(key, up, down, alpha)
    if with_text:
        weights |= _text(alpha)
    return _saved(weights, folder / f"kohya-{alpha:g}-{with_text}.safetensors")


def only_text(folder: Path) -> Path:
    """A LoRA of the text encoder alone."""
    return _saved(_text(float(RANK)), folder / "text.safetensors")


def change(alpha: float = float(RANK)) -> dict[str, Tensor]:
    """What a LoRA of `layers` adds to each weight, from the paper: alpha / rank * up @ down."""
    return {name: alpha / RANK * up @ down for name, (up, down) in layers().items()}


def _text(alpha: float) -> dict[str, Tensor]:
    weights = {}
    for seed, part in enumerate(("q_proj", "k_proj", "v_proj", "out_proj")):
        key = f"lora_te_text_model_encoder_layers_0_self_attn_{part}"
        weights |= _kohya(key, *halves(32, 32, 10 + seed), alpha)
    for seed, (part, outputs, inputs) in enumerate((("fc1", 37, 32), ("fc2", 32, 37))):
        key = f"lora_te_text_model_encoder_layers_0_mlp_{part}"
        weights |= _kohya(key, *halves(outputs, inputs, 20 + seed), alpha)
    return weights


def _kohya(key: str, up: Tensor, down: Tensor, alpha: float) -> dict[str, Tensor]:
    return {
        f"{key}.lora_up.weight": up,
        f"{key}.lora_down.weight": down,
        f"{key}.alpha": torch.tensor(alpha),
    }


def _saved(weights: dict[str, Tensor], path: Path) -> Path:
    save_file(weights, path)
    return path
