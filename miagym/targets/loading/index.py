"""What a folder of diffusers says it holds: model_index.json, read without torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from miagym.errors import TargetError
from miagym.targets.families import FAMILIES

INDEX = "model_index.json"
"""Written last by `miagym train`: a folder that has it holds a finished pipeline."""

LEFT_OUT = ("safety_checker", "feature_extractor", "image_encoder")
"""Components that no answer depends on."""

OPTIONAL = ("text_encoder_3", "tokenizer_3")
"""Components that a family works without."""

ALLOWED = {
    "diffusers": [
        "AutoencoderKL",
        "AutoencoderTiny",
        "UNet2DConditionModel",
        "UNet2DModel",
        "SD3Transformer2DModel",
        "FluxTransformer2DModel",
        "PixArtTransformer2DModel",
        "DiTTransformer2DModel",
        "Transformer2DModel",
    ],
    "transformers": [
        "CLIPTextModel",
        "CLIPTextModelWithProjection",
        "T5EncoderModel",
        "CLIPTokenizer",
        "CLIPTokenizerFast",
        "T5Tokenizer",
        "T5TokenizerFast",
    ],
}
"""Classes that a component may have, beside diffusers' schedulers."""


@dataclass(frozen=True)
class Index:
    """The pipeline class of a folder, its components and its settings."""

    pipeline: str
    components: Mapping[str, tuple[str, str]]
    """Of each component, the library and the class."""
    settings: Mapping[str, Any]


def read_index(folder: Path, name: str) -> Index:
    """Reads and checks a folder's model_index.json.

    Raises:
        TargetError: if it cannot be read, is of no family that miagym knows, lacks a component, or
            names a class that miagym does not load.
    """
    content = _content(folder, name)
    pipeline = content.get("_class_name")
    if pipeline not in FAMILIES:
        raise TargetError(
            f"{name} is a {pipeline}; expected one of {', '.join(FAMILIES)}, whose class "
            f"{INDEX} names."
        )
    components, settings = {}, {}
    for key, value in content.items():
        if isinstance(value, list) and len(value) == 2 and key not in LEFT_OUT:
            if value[0] is not None:
                components[key] = _allowed(key, value, name)
        elif not key.startswith("_") and not isinstance(value, list):
            settings[key] = value
    _check_complete(pipeline, components, name)
    return Index(pipeline, components, settings)


def _content(folder: Path, name: str) -> dict[str, Any]:
    path = folder / INDEX
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise TargetError(f"{name}: {INDEX} cannot be read: {reason}") from error
    if not isinstance(content, dict):
        raise TargetError(f"{name}: {INDEX} holds no settings.")
    return content


def _allowed(key: str, value: list[Any], name: str) -> tuple[str, str]:
    library, kind = map(str, value)
    is_scheduler = library == "diffusers" and kind.endswith("Scheduler")
    if not is_scheduler and kind not in ALLOWED.get(library, ()):
        raise TargetError(
            f"{name} names {library}.{kind} as its {key}, which miagym does not load; expected a "
            "component of an ordinary pipeline of its family."
        )
    return library, kind


def _check_complete(pipeline: str, components: Mapping[str, object], name: str) -> None:
    needed = {
        "StableDiffusionPipeline": "vae unet text_encoder tokenizer",
        "StableDiffusionXLPipeline": "vae unet text_encoder_2 tokenizer_2",
        "StableDiffusion3Pipeline": "vae transformer text_encoder text_encoder_2",
        "FluxPipeline": "vae transformer text_encoder text_encoder_2",
        "DiTPipeline": "vae transformer",
        "DDPMPipeline": "unet",
        "DDIMPipeline": "unet",
    }.get(pipeline, "vae transformer text_encoder tokenizer")
    for part in (*needed.split(), "scheduler"):
        if part not in components:
            raise TargetError(
                f"{name} has no {part.replace('_', ' ')}; expected a {pipeline} with "
                f"{needed.replace(' ', ', ').replace('_', ' ')} and scheduler."
            )
