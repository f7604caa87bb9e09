"""Small models as single files, in the names that the first training code gave their weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor

LEVELS, LAYERS = 2, 1
"""Of the small models: levels of UNet and autoencoder, layers of a level."""

RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
ATTENTION = {
    "group_norm": "norm",
    "to_q": "q",
    "to_k": "k",
    "to_v": "v",
    "to_out.0": "proj_out",
}


def write(pipeline: Any, path: Path, **extra: Tensor) -> Path:
    """Writes all networks of a Stable Diffusion pipeline in one file."""
    weights = {
        **{f"model.diffusion_model.{k}": v for k, v in _unet(pipeline.unet).items()},
        **{f"first_stage_model.{k}": v for k, v in _autoencoder(pipeline.vae).items()},
        **{
            f"cond_stage_model.transformer.text_model.{k}": v
            for k, v in pipeline.text_encoder.state_dict().items()
        },
        **extra,
    }
    save_file({key: value.contiguous() for key, value in weights.items()}, path)
    return path


def autoencoder(pipeline: Any, path: Path, prefix: str = "") -> Path:
    """Writes the autoencoder alone, as model sites have it."""
    weights = {f"{prefix}{k}": v.contiguous() for k, v in _autoencoder(pipeline.vae).items()}
    save_file(weights, path)
    return path


def _unet(network: Any) -> dict[str, Tensor]:
    stride = LAYERS + 1
    names = {
        "time_embedding.linear_1": "time_embed.0",
        "time_embedding.linear_2": "time_embed.2",
        "conv_in": "input_blocks.0.0",
        "conv_norm_out": "out.0",
        "conv_out": "out.2",
        "mid_block.resnets.0": "middle_block.0",
        "mid_block.attentions.0": "middle_block.1",
        "mid_block.resnets.1": "middle_block.2",
    }
    for level in range(LEVELS):
        for layer in range(LAYERS):
            place = f"input_blocks.{stride * level + layer + 1}"
            names[f"down_blocks.{level}.resnets.{layer}"] = f"{place}.0"
            names[f"down_blocks.{level}.attentions.{layer}"] = f"{place}.1"
        names[f"down_blocks.{level}.downsamplers.0.conv"] = (
            f"input_blocks.{stride * (level + 1)}.0.op"
        )
        for layer in range(LAYERS + 1):
            place = f"output_blocks.{stride * level + layer}"
            names[f"up_blocks.{level}.resnets.{layer}"] = f"{place}.0"
            names[f"up_blocks.{level}.attentions.{layer}"] = f"{place}.1"
        # behind the attention, where there is one: the first level up has none
        last = f"output_blocks.{stride * (level + 1) - 1}"
        names[f"up_blocks.{level}.upsamplers.0.conv"] = f"{last}.{1 if level == 0 else 2}.conv"
    return {_renamed(key, names, RESNET): value for key, value in network.state_dict().items()}


def _autoencoder(network: Any) -> dict[str, Tensor]:
    names = {}
    for half in ("encoder", "decoder"):
        names |= {
            f"{half}.mid_block.resnets.0": f"{half}.mid.block_1",
            f"{half}.mid_block.resnets.1": f"{half}.mid.block_2",
            f"{half}.mid_block.attentions.0": f"{half}.mid.attn_1",
            f"{half}.conv_norm_out": f"{half}.norm_out",
        }
    for level in range(LEVELS):
        up = LEVELS - 1 - level
        names[f"encoder.down_blocks.{level}.downsamplers.0"] = f"encoder.down.{level}.downsample"
        names[f"decoder.up_blocks.{level}.upsamplers.0"] = f"decoder.up.{up}.upsample"
        for layer in range(LAYERS + 1):
            names[f"encoder.down_blocks.{level}.resnets.{layer}"] = (
                f"encoder.down.{level}.block.{layer}"
            )
            names[f"decoder.up_blocks.{level}.resnets.{layer}"] = f"decoder.up.{up}.block.{layer}"
    inner = ATTENTION | {"conv_shortcut": "nin_shortcut"}
    weights = {}
    for key, value in network.state_dict().items():
        name = _renamed(key, names, inner)
        is_projection = ".attn_1." in name and value.ndim == 2
        weights[name] = value[:, :, None, None] if is_projection else value
    return weights


def _renamed(key: str, names: dict[str, str], inner: dict[str, str]) -> str:
    for old, new in sorted(names.items(), key=lambda pair: -len(pair[0])):
        if key.startswith(old + "."):
            rest = key.removeprefix(old + ".")
            for part, other in inner.items():
                if rest.startswith(part + ".") and ".transformer_blocks." not in key:
                    rest = rest.replace(part, other, 1)
            return f"{new}.{rest}"
    return key
