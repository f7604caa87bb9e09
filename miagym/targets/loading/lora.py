"""LoRAs (Hu et al. 2022), merged into the weights by diffusers, and verified.

A LoRA that is silently not applied is the classical fault: names that fit no layer are passed over.
So what the file holds is computed from the file alone, and what the layers would add from the
layers alone; the two have the same size, or the file is refused. The size, the sum of squares of
alpha / rank * up @ down over all layers, does not change when layers are renamed or split.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from miagym.errors import TargetError
from miagym.targets.location import Addition
from miagym.targets.quiet import quiet_pipelines

DOWN = re.compile(r"(\.lora_A|\.lora_down|\.lora\.down|_lora\.down|\.lora_linear_layer\.down)\b")
UP = {
    ".lora_A": ".lora_B",
    ".lora_down": ".lora_up",
    ".lora.down": ".lora.up",
    "_lora.down": "_lora.up",
    ".lora_linear_layer.down": ".lora_linear_layer.up",
}
"""How the two halves of a layer's LoRA are called, by peft, kohya and diffusers."""

OTHER_KINDS = ("hada_w", "lokr_w", "oft_", "dora_scale", "lora_mid", "diff_b")
"""What is called LoRA too, and changes weights in other ways."""

TOLERANCE = 1e-2
"""Relative difference of sizes; layers in half precision round."""

NETWORKS = ("unet", "transformer", "text_encoder", "text_encoder_2", "text_encoder_3")


def is_lora(keys: Iterable[str]) -> bool:
    """Whether these are names of a LoRA's weights, or of its relatives'."""
    return any("lora" in key or key.rpartition(".")[2].startswith(OTHER_KINDS) for key in keys)


def add_lora(pipeline: Any, addition: Addition) -> None:
    """Merges a LoRA into the weights of a pipeline.

    Args:
        pipeline: changed in place, unless the scale is 0.
        addition: the file, and its scale.

    Raises:
        TargetError: if it is for another model, changes nothing, or is not applied as it is.
    """
    path = addition.path
    weights = load_file(path)
    _check_kind(weights, path.name)
    expected = size_in_file(weights, path.name)
    if not hasattr(pipeline, "load_lora_weights"):
        raise TargetError(f"{path.name} is a LoRA, and a {type(pipeline).__name__} takes none.")
    try:
        with quiet_pipelines():
            pipeline.load_lora_weights(dict(weights), adapter_name="added")
    except Exception as error:  # of peft, diffusers or torch, and of any kind
        _unload(pipeline)
        raise TargetError(
            f"{path.name} does not fit this model ({_first_line(error)}); expected a LoRA that was "
            f"trained on a {type(pipeline).__name__} of the same widths."
        ) from error
    applied = size_in_layers(pipeline)
    if not abs(applied - expected) <= TOLERANCE * expected:
        _unload(pipeline)
        raise TargetError(
            f"Of {path.name} only a part would be applied: its layers add up to {expected:.4g}, "
            f"those that fit this model to {applied:.4g} (sums of squares); expected a LoRA whose "
            f"every key belongs to a {type(pipeline).__name__}."
        )
    if addition.scale:
        with quiet_pipelines():
            pipeline.fuse_lora(components=_trained(pipeline), lora_scale=addition.scale)
    _unload(pipeline)


def size_in_file(weights: Mapping[str, Tensor], name: str) -> float:
    """Sum of squares of all alpha / rank * up @ down, from the file alone.

    Raises:
        TargetError: if half a layer is missing, or the LoRA changes nothing.
    """
    total, used = 0.0, set()
    for key, down in weights.items():
        match = DOWN.search(key)
        if match is None:
            continue
        partner = key.replace(match[1], UP[match[1]])
        if partner not in weights:
            raise TargetError(f"{name} holds half a layer: {key} has no {partner}.")
        alpha_key = key[: match.start()] + ".alpha"
        up, rank = weights[partner].float(), len(down)
        alpha = float(weights[alpha_key]) if alpha_key in weights else rank
        used |= {key, partner, alpha_key}
        change = up.flatten(1) @ down.float().flatten(1) * (alpha / rank)
        total += float(change.double().pow(2).sum())
    left = sorted(set(weights) - used)
    if left:
        raise TargetError(
            f"{name} holds keys that belong to no layer of a LoRA: {', '.join(left[:4])}; expected "
            "pairs in the naming of diffusers, peft or kohya, with their alphas."
        )
    if not total > 0:
        raise TargetError(f"{name} changes nothing: all it would add is zero or not a number.")
    return total


def size_in_layers(pipeline: Any) -> float:
    """Sum of squares of what peft's layers would add to the weights of a pipeline."""
    total = 0.0
    for network in _networks(pipeline):
        for layer in map(_any, network.modules()):
            if "added" in getattr(layer, "lora_A", {}):
                with torch.inference_mode():
                    total += float(layer.get_delta_weight("added").double().pow(2).sum())
    return total


def _check_kind(weights: Mapping[str, Tensor], name: str) -> None:
    for kind in OTHER_KINDS:
        found = [key for key in weights if kind in key]
        if found:
            raise TargetError(
                f"{name} is no plain LoRA: {found[0]} changes weights in another way (LoHa, LoKr, "
                "DoRA and others are not loaded); merge it into its model, and give that."
            )


def _any(layer: Any) -> Any:
    return layer


def _networks(pipeline: Any) -> list[torch.nn.Module]:
    found = (pipeline.components.get(name) for name in NETWORKS)
    return [network for network in found if network is not None]


def _trained(pipeline: Any) -> list[str]:
    """Names of the networks that have layers of the LoRA."""
    return [
        name
        for name in NETWORKS
        if pipeline.components.get(name) is not None
        and any("added" in getattr(m, "lora_A", {}) for m in pipeline.components[name].modules())
    ]


def _unload(pipeline: Any) -> None:
    with quiet_pipelines():
        pipeline.unload_lora_weights()


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[1] if len(lines) > 1 and lines[0].endswith(":") else (lines or [""])[0]
    return text[:200] or type(error).__name__
