"""Fine-tuning by a LoRA (Hu et al. 2022): the base stays as it is, a small file is learned."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from peft import LoraConfig
from safetensors.torch import save_file
from torch import Tensor, nn

from miagym.atomic import replacing
from miagym.errors import RunError
from miagym.targets.pipeline.target import PipelineTarget
from miagym.targets.registry import LORA as FILE
from miagym.targets.registry import unet_folder
from miagym.training.saving import writing_weights

LAYERS = ("to_q", "to_k", "to_v", "to_out.0")
"""Layers of attention that get one, as in the scripts of diffusers; alpha is the rank."""

Kind = Literal["attention", "convolutions", "all"]
"""Which layers learn: those of attention, all convolutions but those of one pixel, or all."""

ADAPTER = "learned"


def layers_of(network: nn.Module, kind: Kind) -> list[str]:
    """Names of the layers of a denoiser that learn."""
    if kind == "attention":
        return list(LAYERS)
    return [
        name
        for name, layer in network.named_modules()
        if (isinstance(layer, nn.Conv2d) and (kind == "all" or max(layer.kernel_size) > 1))
        or (isinstance(layer, nn.Linear) and kind == "all")
    ]


def add_lora(target: PipelineTarget, rank: int, seed: int, kind: Kind = "attention") -> nn.Module:
    """Puts a LoRA that changes nothing yet on a target's denoiser.

    Args:
        target: changed in place.
        rank: of all its layers.
        seed: of its halves that do not begin at zero.
        kind: which layers get one.

    Raises:
        RunError: if the denoiser has no such layer.

    Returns:
        What learns: the parameters of the LoRA, by name.
    """
    layers = layers_of(target.network, kind)
    if not layers:
        raise RunError(f"The denoiser of {target.name} has no {kind} for a LoRA to change.")
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        config: Any = LoraConfig(
            r=rank, lora_alpha=rank, init_lora_weights="gaussian", target_modules=layers
        )
        target.network.add_adapter(config, adapter_name=ADAPTER)
    parameters = dict(target.network.named_parameters())
    return _Named({name: p for name, p in parameters.items() if f".{ADAPTER}." in name})


def lora_file(folder: Path, epoch: int | None = None) -> Path:
    """The file of a training in this folder: the last, or that after an epoch."""
    return folder / FILE if epoch is None else unet_folder(folder, epoch).parent / FILE


def save_lora(
    parts: nn.Module, target: PipelineTarget, path: Path, dtype: torch.dtype = torch.float32
) -> None:
    """Writes what was learned in the naming of peft, which diffusers and `--lora` read.

    Args:
        parts: as `add_lora` returned them, or their average.
        target: says whose denoiser it is for.
        path: of the file.
        dtype: of its weights.
    """
    part = "transformer" if hasattr(target.pipeline, "transformer") else "unet"
    weights = {
        f"{part}.{key.replace('/', '.').replace(f'.{ADAPTER}.', '.')}": value.detach()
        .to(dtype)
        .contiguous()
        for key, value in parts.state_dict().items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing_weights(path), replacing(path) as partial:
        save_file(weights, partial)


class _Named(nn.Module):
    """Parameters by their names in another module, whose dots a module's own may not have."""

    def __init__(self, parameters: Mapping[str, Tensor]) -> None:
        super().__init__()
        for name, parameter in parameters.items():
            assert isinstance(parameter, nn.Parameter)
            self.register_parameter(name.replace(".", "/"), parameter)
