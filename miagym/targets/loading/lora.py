"""LoRAs (Hu et al. 2022), merged into the weights by diffusers, and verified.

A LoRA that is silently not applied is the classical fault: names that fit no layer are passed over.
So what the file holds is computed from the file alone, and what the layers would add from the
layers alone; the two have the same sizes, or the file is refused. A size, the sum of squares of
alpha / rank * up @ down, does not change when a layer is renamed, and is shared when it is split.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from miagym.errors import TargetError
from miagym.targets.loading.lora_file import evened, layers_of, without_peft_names
from miagym.targets.location import Addition
from miagym.targets.pipeline.quiet import quiet_pipelines

OTHER_KINDS = ("hada_w", "lokr_w", "oft_", "dora_scale", "lora_mid", "diff_b")
"""What is called LoRA too, and changes weights in other ways."""

TOLERANCE = {torch.float32: 1e-4, torch.float16: 1e-2, torch.bfloat16: 2e-2}
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
    path, denoiser = addition.path, "unet" if "unet" in pipeline.components else "transformer"
    weights = {
        key.replace(".default.weight", ".weight"): weight
        for key, weight in without_peft_names(load_file(path), denoiser).items()
    }
    _check_kind(weights, path.name)
    layers = layers_of(weights, path, denoiser)
    expected = [layer.size for layer in layers]
    if not hasattr(pipeline, "load_lora_weights"):
        raise TargetError(f"{path.name} is a LoRA, and a {type(pipeline).__name__} takes none.")
    weights_before = [p for network in _networks(pipeline) for p in network.parameters()]
    learning = [weight.requires_grad for weight in weights_before]
    try:
        with quiet_pipelines():
            pipeline.load_lora_weights(evened(weights, layers), adapter_name="added")
        applied = sizes_in_layers(pipeline)
    except Exception as error:  # of peft, diffusers or torch, and of any kind
        _unload(pipeline)
        raise TargetError(
            f"{path.name} does not fit this model ({_first_line(error)}); expected a LoRA that was "
            f"trained on a {type(pipeline).__name__} of the same widths."
        ) from error
    dtype = _networks(pipeline)[0].dtype
    if lost := _lost(expected, applied, TOLERANCE.get(dtype, 2e-2)):
        _unload(pipeline)
        raise TargetError(
            f"Of {path.name} only a part would be applied: {lost} of its {len(expected)} layers "
            f"have no place in this model; expected a LoRA whose every key belongs to a "
            f"{type(pipeline).__name__}."
        )
    if addition.scale:
        with quiet_pipelines():
            pipeline.fuse_lora(components=_trained(pipeline), lora_scale=addition.scale)
    _unload(pipeline)
    for weight, learns in zip(weights_before, learning, strict=True):
        weight.requires_grad_(learns)  # peft has frozen what it adds to


def _lost(expected: Sequence[float], applied: Sequence[float], rtol: float) -> int:
    """How many layers of a file are not among those applied.

    A layer may have been split into some of the next, as fused queries, keys and values are: then
    the sums agree, and no layer of the model is without one of the file.
    """
    left, lost = sorted(applied), []
    for size in sorted(expected, reverse=True):
        near = [other for other in left if abs(other - size) <= rtol * size]
        if near:
            left.remove(near[0])
        elif size > 0:
            lost.append(size)
    if lost and left and abs(sum(left) - sum(lost)) <= rtol * sum(lost):
        return 0
    return len(lost)


def sizes_in_layers(pipeline: Any) -> list[float]:
    """Of each of peft's layers: the sum of squares of what it would add to the weights."""
    sizes = []
    for network in _networks(pipeline):
        for layer in network.modules():
            if "added" in getattr(layer, "lora_A", {}):
                with torch.inference_mode():
                    sizes.append(float(layer.get_delta_weight("added").cpu().double().pow(2).sum()))
    return sizes


def _check_kind(weights: Mapping[str, Tensor], name: str) -> None:
    for kind in OTHER_KINDS:
        found = [key for key in weights if kind in key]
        if found:
            raise TargetError(
                f"{name} is no plain LoRA: {found[0]} changes weights in another way (LoHa, LoKr, "
                "DoRA and others are not loaded); merge it into its model, and give that."
            )


def _networks(pipeline: Any) -> list[Any]:
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
