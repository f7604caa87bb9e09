"""Whether networks hold what a single file holds, whatever the names: by the values of tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from miagym.errors import TargetError
from miagym.targets.loading.components import check_keys


def check_filled(
    network: torch.nn.Module, weights: Mapping[str, Tensor], part: str, dtype: torch.dtype
) -> None:
    """Refuses a network of which a tensor has not the values of one in the file.

    Raises:
        TargetError: naming the first such tensors.
    """
    sizes: dict[int, list[float]] = {}
    for key, tensor in weights.items():
        thirds = tensor.chunk(3) if "in_proj" in key or "qkv" in key else ()
        for piece in (tensor, *thirds):
            sizes.setdefault(piece.numel(), []).append(_size(piece))
    rtol = 1e-5 if dtype == torch.float32 else 2e-2
    missing = [
        key
        for key, tensor in network.named_parameters()
        if tensor.is_meta
        or not np.isclose(sizes.get(tensor.numel(), []), _size(tensor), rtol=rtol, atol=0).any()
    ]
    check_keys(part, missing, [], [])


def check_used(network: torch.nn.Module, held: Sequence[Tensor], name: str, part: str) -> None:
    """Refuses a file that holds more, or less, of a network than was loaded.

    Raises:
        TargetError: with both numbers.
    """
    numbers = sum(tensor.numel() for tensor in held)
    loaded = sum(tensor.numel() for tensor in network.parameters())
    if numbers != loaded:
        raise TargetError(
            f"{name} holds {numbers:,} numbers for {part}, of which {loaded:,} were expected; "
            "expected a checkpoint of the family that its configuration names."
        )


def _size(tensor: Tensor) -> float:
    return float(tensor.detach().cpu().double().pow(2).sum())
