"""Embeddings of pictures: from a file, or from a CLIP-like model in a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from miagym.data.images import read_picture
from miagym.data.pictures import Picture, take
from miagym.errors import DataError

BATCH = 16
"""Pictures in one call of a model."""


def embeddings_of(
    path: Path, pictures: Sequence[Picture], rows: NDArray[np.integer]
) -> NDArray[np.float32]:
    """Embeddings of some rows (k, d).

    Args:
        path: an `.npy` or one-tensor `.safetensors` file with a row for each of the n pictures, or
            a folder of a vision model of transformers with safetensors weights.
        pictures: all n, encoded.
        rows: which ones, all readable.

    Raises:
        DataError: if there is nothing that fits.
    """
    if path.is_dir():
        return _encoded(path, pictures, rows)
    try:
        found = _read(path)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path} cannot be read as embeddings ({error}).") from error
    if found.ndim != 2 or len(found) != len(pictures) or not np.issubdtype(found.dtype, np.number):
        raise DataError(
            f"{path} must hold numbers of shape ({len(pictures)}, d), a row for each picture; it "
            f"holds {found.dtype} of shape {found.shape}."
        )
    return found[rows].astype(np.float32)


def _read(path: Path) -> NDArray[Any]:
    if path.suffix == ".npy":
        return np.load(path, mmap_mode="r", allow_pickle=False)
    if path.suffix != ".safetensors":
        raise ValueError("expected .npy, .safetensors or a model folder")
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        tensors = list(load_file(path).values())
    except SafetensorError as error:
        raise ValueError(str(error)) from error
    if len(tensors) != 1:
        raise ValueError(f"expected one tensor, found {len(tensors)}")
    return tensors[0]


def _encoded(
    folder: Path, pictures: Sequence[Picture], rows: NDArray[np.integer]
) -> NDArray[np.float32]:
    import torch
    from transformers import AutoImageProcessor, AutoModel

    try:
        processor = AutoImageProcessor.from_pretrained(folder, local_files_only=True)
        model: Any = AutoModel.from_pretrained(
            folder, local_files_only=True, use_safetensors=True
        ).eval()
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        raise DataError(f"{folder} holds no vision model with its processor: {reason}") from error
    encode = getattr(model, "get_image_features", model)
    found = []
    with torch.inference_mode():
        for start in range(0, len(rows), BATCH):
            batch = [read_picture(p) for p in take(pictures, rows[start : start + BATCH])]
            answer = encode(**processor(images=batch, return_tensors="pt"))
            pooled = answer if isinstance(answer, torch.Tensor) else answer.pooler_output
            found.append(pooled.float().flatten(1).numpy())
    return np.concatenate(found)
