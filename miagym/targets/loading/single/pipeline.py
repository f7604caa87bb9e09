"""Single-file checkpoints, as model sites spread them: one .safetensors with all networks in it.

diffusers renames their keys and is silent about those that it misses, which stay random. So it is
checked afterwards, whatever the names: each tensor of each network has the values of one in the
file, and all that the file holds for denoiser and autoencoder was used.
"""

# diffusers annotates what is configurable only roughly:
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers.loaders.single_file_utils import SingleFileComponentError
from safetensors.torch import load_file

from miagym.errors import TargetError
from miagym.targets.loading.components import (
    UNLOADABLE,
    check_finite,
    check_tokenizers,
)
from miagym.targets.loading.filled import check_filled, check_used
from miagym.targets.loading.index import read_index
from miagym.targets.loading.pipelines import assemble, on_device
from miagym.targets.loading.replaced import given_parts
from miagym.targets.loading.single.clip_words import clip_tokenizer
from miagym.targets.loading.single.recognise import OTHER_NOISE
from miagym.targets.loading.weights import shapes_in
from miagym.targets.location import TargetLocation, first_line
from miagym.targets.pipeline.quiet import quiet_pipelines

PREFIXES = {
    "model.diffusion_model.": "unet",
    "first_stage_model.": "vae",
}
"""How a single file calls its networks; text encoders have layers more than are used."""


def load_single_file(location: TargetLocation, device: torch.device, dtype: torch.dtype) -> Any:
    """The pipeline of a single file, built as the configuration of its family says.

    Raises:
        TargetError: if the file is broken, or does not hold what its configuration names.
    """
    path, name, folder = Path(location.place), location.name, location.folder()
    marks = set(shapes_in(path, name)) & set(OTHER_NOISE)
    index = read_index(folder, name)
    _check_marks(marks, location.scheduler or folder / "scheduler", name)
    cls = getattr(diffusers, index.pipeline)
    if not hasattr(cls, "from_single_file") or index.pipeline == "FluxPipeline":
        raise TargetError(
            f"{name} is a single file of a {index.pipeline}, which miagym cannot check for "
            "completeness; give its diffusers folder or hub id."
        )
    given = given_parts(location, index, dtype)
    options = {"config": str(folder), "dtype": dtype, "local_files_only": True, **given}
    for part in index.components:
        settings = folder / part / "tokenizer_config.json"
        if part.startswith("tokenizer") and len(list(settings.parent.glob("*"))) == 1:
            options[part] = clip_tokenizer(settings)
    try:
        try:
            pipeline = _from_file(cls, path, options)
        except NotImplementedError:  # keys are missing, and their tensors were never made
            pipeline = _from_file(cls, path, {**options, "low_cpu_mem_usage": False})
    except SingleFileComponentError as error:
        raise TargetError(
            f"{name} holds not all networks of a {index.pipeline} ({first_line(error)}); expected "
            "a whole checkpoint, or what is missing put on it, as an autoencoder with +FOLDER."
        ) from error
    except UNLOADABLE as error:
        raise TargetError(
            f"{name} cannot be loaded as a {index.pipeline}: {first_line(error)}"
        ) from error
    parts = {key: pipeline.components.get(key) for key in index.components}
    own = {key: part for key, part in parts.items() if key not in given}
    networks = {key: part for key, part in own.items() if isinstance(part, torch.nn.Module)}
    weights = load_file(path)
    for part, network in networks.items():
        check_finite(network, f"{name}: {part}")
        check_filled(network, weights, f"{name}: {part}", dtype)
    for prefix, part in PREFIXES.items():
        if part in networks:
            held = [tensor for key, tensor in weights.items() if key.startswith(prefix)]
            check_used(networks[part], held, name, f"its {part}")
    check_tokenizers(parts, name)
    return on_device(assemble(index, parts), device)


def _check_marks(marks: set[str], folder: Path, name: str) -> None:
    """Refuses a configuration that contradicts what a file says of its own noise."""
    scheduler = json.loads((folder / "scheduler_config.json").read_text(encoding="utf-8"))
    if marks and scheduler.get("prediction_type") != "v_prediction":
        raise TargetError(
            f"{name} says by {min(marks)!r} that it does not predict plain noise, and its "
            f"configuration says {scheduler.get('prediction_type', 'epsilon')!r}; expected a "
            "folder whose scheduler says v_prediction, put on it with +FOLDER."
        )


def _from_file(cls: Any, path: Path, options: Mapping[str, Any]) -> Any:
    with quiet_pipelines():
        return cls.from_single_file(str(path), **options)
