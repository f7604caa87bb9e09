"""Pipelines of diffusers, put together from components that were checked one by one."""

# diffusers annotates what is configurable only roughly:
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false

from __future__ import annotations

import inspect
from typing import Any

import diffusers
import torch
from diffusers.utils.logging import disable_progress_bar
from transformers.utils import logging as transformers_logging

from miagym.errors import TargetError
from miagym.targets.loading.components import load_components
from miagym.targets.loading.index import INDEX, LEFT_OUT, OPTIONAL, Index, read_index
from miagym.targets.loading.replaced import given_parts
from miagym.targets.location import TargetLocation
from miagym.targets.pipeline.quiet import quiet_pipelines


def load_pipeline(location: TargetLocation, device: torch.device, dtype: torch.dtype) -> Any:
    """The pipeline of a folder or a hub id, from safetensors only, without safety checker.

    Raises:
        TargetError: if there is no such pipeline, or not every weight of it is accounted for.
    """
    disable_progress_bar()
    transformers_logging.disable_progress_bar()
    folder = location.folder()
    index = read_index(folder, location.name)
    given = given_parts(location, index, dtype)
    parts = load_components(folder, index, dtype, location.name, given)
    return on_device(assemble(index, parts), device)


def on_device(pipeline: Any, device: torch.device) -> Any:
    """The pipeline on a device; diffusers warns of half precision on a CPU, where it is slow."""
    with quiet_pipelines():
        return pipeline.to(device)


def assemble(index: Index, parts: dict[str, Any]) -> Any:
    """The pipeline of these components, with the settings of its index."""
    cls = getattr(diffusers, index.pipeline)
    accepted = inspect.signature(cls.__init__).parameters
    absent = {part: None for part in (*LEFT_OUT, *OPTIONAL) if part in accepted}
    settings = {key: value for key, value in index.settings.items() if key in accepted}
    if "requires_safety_checker" in accepted:
        settings["requires_safety_checker"] = False
    if unknown := set(parts) - set(accepted):
        raise TargetError(
            f"{INDEX} names {', '.join(sorted(unknown))}, which a {index.pipeline} has not; "
            "expected the components of an ordinary pipeline."
        )
    with quiet_pipelines():
        pipeline = cls(**{**absent, **settings, **parts})
    pipeline.set_progress_bar_config(disable=True)
    return pipeline
