"""What is put on a model: LoRAs, verified to be applied as they are, and learned embeddings."""

from __future__ import annotations

from typing import Any

from miagym.errors import TargetError
from miagym.targets.loading.embedding import add_embedding, is_embedding
from miagym.targets.loading.lora import add_lora, is_lora
from miagym.targets.loading.weights import shapes_in
from miagym.targets.location import Addition


def add_to(pipeline: Any, addition: Addition, name: str) -> None:
    """Applies a file to a pipeline, by what is in it.

    Args:
        pipeline: changed in place.
        addition: the file, and its scale.
        name: of the target, for errors.

    Raises:
        TargetError: if it is neither, or does not fit the model.
    """
    keys = shapes_in(addition.path, name)
    if not keys:
        raise TargetError(
            f"{addition.path} is empty; expected the weights of a LoRA or of an embedding."
        )
    if is_lora(keys):
        add_lora(pipeline, addition)
    elif is_embedding(keys):
        add_embedding(pipeline, addition)
    else:
        raise TargetError(
            f"{addition.path} is no LoRA in the naming of diffusers, peft or kohya, and no learned "
            f"embedding: its keys are called {next(iter(keys))!r} and so on."
        )
