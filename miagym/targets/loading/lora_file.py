"""What a LoRA's file holds: layers, in the naming of peft, diffusers or kohya, and alphas."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor
from torch.nn.functional import pad

from miagym.errors import TargetError

DOWN = re.compile(r"(\.lora_A|\.lora_down|\.lora\.down|_lora\.down|\.lora_linear_layer\.down)\b")
UP = {
    ".lora_A": ".lora_B",
    ".lora_down": ".lora_up",
    ".lora.down": ".lora.up",
    "_lora.down": "_lora.up",
    ".lora_linear_layer.down": ".lora_linear_layer.up",
}
"""How the two halves of a layer's LoRA are called, by peft, kohya and diffusers."""

PEFT = "base_model.model."
"""Stands before the names of layers where peft itself saved an adapter, of one network."""

METADATA = "lora_adapter_metadata"
"""Under this name in a file's header, diffusers writes rank and alpha where keys have none."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer of a LoRA, by the keys of its halves in the file."""

    down_key: str
    up_key: str
    alpha_key: str
    down: Tensor
    up: Tensor
    alpha: float

    @property
    def scaled_up(self) -> Tensor:
        """Alpha / rank * up."""
        return self.up.float() * (self.alpha / len(self.down))

    @property
    def size(self) -> float:
        """Sum of squares of alpha / rank * up @ down."""
        change = self.scaled_up.flatten(1) @ self.down.float().flatten(1)
        return float(change.cpu().double().pow(2).sum())


def layers_of(weights: Mapping[str, Tensor], path: Path, denoiser: str) -> list[Layer]:
    """The layers of a LoRA's file, from the file alone.

    Args:
        weights: by name.
        path: of the file, whose header may say alpha.
        denoiser: "unet" or "transformer", of which an adapter is that peft itself saved.

    Raises:
        TargetError: if half a layer is missing, a key belongs to none, or nothing would change.
    """
    layers, told = [], _alphas(path, denoiser)
    for key, down in weights.items():
        match = DOWN.search(key)
        if match is None:
            continue
        partner = key.replace(match[1], UP[match[1]])
        if partner not in weights:
            raise TargetError(f"{path.name} holds half a layer: {key} has no {partner}.")
        name, alpha_key = key[: match.start()], key[: match.start()] + ".alpha"
        alpha = told(name, len(down))
        if alpha_key in weights:
            alpha = float(weights[alpha_key])
        layers.append(Layer(key, partner, alpha_key, down, weights[partner], alpha))
    used = {key for layer in layers for key in (layer.down_key, layer.up_key, layer.alpha_key)}
    if left := sorted(set(weights) - used):
        raise TargetError(
            f"{path.name} holds keys that belong to no layer of a LoRA: {', '.join(left[:4])}; "
            "expected pairs in the naming of diffusers, peft or kohya, with their alphas."
        )
    if not sum(layer.size for layer in layers) > 0:
        raise TargetError(f"{path.name} changes nothing: all it would add is zero or not a number.")
    return layers


def evened(weights: Mapping[str, Tensor], layers: Sequence[Layer]) -> dict[str, Tensor]:
    """The same changes with one rank and alpha for all layers.

    diffusers takes the commonest for all; so alpha / rank is multiplied into the upper half, and
    ranks are filled with zeros.
    """
    rank, found = max(len(layer.down) for layer in layers), dict(weights)
    for layer in layers:
        more = rank - len(layer.down)
        found[layer.down_key] = pad(layer.down, (0, 0) * (layer.down.ndim - 1) + (0, more))
        up = pad(layer.scaled_up, (0, 0) * (layer.up.ndim - 2) + (0, more))
        found[layer.up_key] = up.to(layer.up.dtype)
        if layer.alpha_key in weights:
            found[layer.alpha_key] = torch.tensor(float(rank))
    return found


def _alphas(path: Path, denoiser: str) -> Callable[[str, int], float]:
    """What a file's header says of alpha, by the name of a layer and its rank; else the rank.

    Raises:
        TargetError: if it asks for another kind of LoRA.
    """
    content = _settings(path, denoiser)
    if any(content.get(key) for key in content if key.endswith("use_dora")):
        raise TargetError(f"{path.name} is no plain LoRA: its header says DoRA.")

    def alpha(layer: str, rank: int) -> float:
        part, _, name = layer.partition(".")
        by_name = content.get(f"{part}.alpha_pattern") or {}
        default = content.get(f"{part}.lora_alpha", rank)
        value = next(
            (v for k, v in by_name.items() if name == k or name.endswith(f".{k}")), default
        )
        return float(value) * (rank**0.5 if content.get(f"{part}.use_rslora") else 1)

    return alpha


def _settings(path: Path, denoiser: str) -> dict[str, Any]:
    """What is said of a LoRA beside its tensors, by "PART.SETTING".

    Raises:
        TargetError: if peft saved it and the file that says its alpha is not there.
    """
    with safe_open(path, framework="pt") as file:
        text = (file.metadata() or {}).get(METADATA)
        by_peft = any(key.startswith(PEFT) for key in file.keys())  # noqa: SIM118, it is no dict
    if not by_peft:
        return {} if text is None else json.loads(text)
    beside = path.with_name("adapter_config.json")
    try:
        settings: dict[str, Any] = json.loads(beside.read_text(encoding="utf-8"))
        float(settings["lora_alpha"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise TargetError(
            f"{path.name} was saved by peft, which says alpha in {beside.name} beside it, and that "
            f"cannot be read ({type(error).__name__}); put it there."
        ) from error
    return {f"{denoiser}.{key}": value for key, value in settings.items()}


def without_peft_names(weights: Mapping[str, Tensor], denoiser: str) -> dict[str, Tensor]:
    """Weights by names that diffusers reads, where peft wrote names of its own.

    Args:
        weights: by the names in the file.
        denoiser: "unet" or "transformer", whatever the model has.
    """
    return {
        f"{denoiser}.{key.removeprefix(PEFT)}" if key.startswith(PEFT) else key: weight
        for key, weight in weights.items()
    }
