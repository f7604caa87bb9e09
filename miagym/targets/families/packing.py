"""What a network is told about a text, in one tensor that attacks may differentiate and move.

Newer models are told more than token embeddings: a pooled embedding, a mask of the tokens. The
extra parts are laid out in rows behind the tokens, so that one (rows, width) tensor is all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor
from torch.nn.functional import pad


@dataclass(frozen=True)
class Packing:
    """Shapes of the parts of one text's embedding; the first is (tokens, width)."""

    shapes: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, parts: Sequence[Tensor]) -> Packing:
        return cls(tuple(tuple(part.shape) for part in parts))

    def pack(self, parts: Sequence[Tensor]) -> Tensor:
        """The parts of one text in one tensor (rows, width)."""
        width = self.shapes[0][1]
        rows = [
            pad(part.flatten().float(), (0, -part.numel() % width)).view(-1, width)
            for part in parts
        ]
        return torch.cat(rows)

    def unpack(self, packed: Tensor) -> list[Tensor]:
        """The parts (n, *shape) of n texts, packed as (n, rows, width)."""
        width, parts, start = self.shapes[0][1], [], 0
        for shape in self.shapes:
            size = prod(shape)
            end = start - (-size // width)
            parts.append(packed[:, start:end].flatten(1)[:, :size].unflatten(1, shape))
            start = end
        return parts
