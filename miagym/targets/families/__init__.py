"""Families of diffusion models, one file each, and which pipeline class belongs to which."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from miagym.targets.pipeline.target import PipelineTarget

FAMILIES = {
    "StableDiffusionPipeline": "stable_diffusion:StableDiffusion",
    "StableDiffusionXLPipeline": "stable_diffusion_xl:StableDiffusionXL",
    "StableDiffusion3Pipeline": "stable_diffusion_3:StableDiffusion3",
    "FluxPipeline": "flux:Flux",
    "PixArtAlphaPipeline": "pixart:PixArt",
    "PixArtSigmaPipeline": "pixart:PixArt",
    "DiTPipeline": "dit:DiT",
    "DDPMPipeline": "pixels:Pixels",
    "DDIMPipeline": "pixels:Pixels",
}
"""Pipeline classes, as model_index.json names them, and the target class of their family."""


def family(pipeline_class: str) -> type[PipelineTarget]:
    """The target class of a pipeline class in `FAMILIES`."""
    module, _, name = FAMILIES[pipeline_class].partition(":")
    return getattr(import_module(f"miagym.targets.families.{module}"), name)
