"""A device that there need not be: tensors know that they are on it, and the host's do not mix.

Numbers are computed by the host. What would fail on a real card fails here, where no card is: one
operation on tensors of two devices, a tensor of the card as an array, and, on Apple's, float64.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from miagym.candidates import Candidates
from miagym.targets.dummy import DummyTarget

READS = {"cpu", "item", "tolist", "nonzero", "equal", "__bool__", "__float__", "__int__"}


class Mixed(Exception):
    """What a real card refuses."""


class PretendedCard(TorchFunctionMode):
    """Within it, tensors sent to `kind` are on it, and so is whatever is made of them.

    Args:
        kind: "cuda" or "mps".
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.device = torch.device(kind)
        self.pinned = self.waited = self.read = 0
        """Transfers to the card that went by pinned memory, and others; how often the host waited
        for what the card had computed."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs, name = dict(kwargs or {}), getattr(func, "__name__", "")
        self.read += name in READS and self.has(args[0])
        if func == Tensor.device.__get__:  # type: ignore[attr-defined]
            return self.device if self.has(args[0]) else func(*args)
        if name == "__set__":  # as `.data`, by which modules are moved
            if isinstance(args[1], Tensor):
                args[0].on_card = self.has(args[1])
            return func(*args)
        if name == "_has_compatible_shallow_copy_type":
            return True
        if name == "__get__" or name in {"size", "dim", "stride", "__len__", "is_inference"}:
            return self.marked(func(*args, **kwargs), self.has(args[0]))
        if name in {"cpu", "cuda", "to", "type_as"} and isinstance(args[0], Tensor):
            return self.moved(func, args, kwargs)
        if name == "__iter__":
            return iter(self.marked(list(func(*args)), self.has(args[0])))
        if name == "pin_memory":
            fresh = args[0].clone()
            fresh.pinned = True
            return fresh
        if name in {"numpy", "__array__"} and self.has(args[0]):
            raise Mixed(f"can't convert a tensor on {self.device} to an array")
        there = self.is_here(kwargs.get("device"))
        if there:
            del kwargs["device"]
        given = args  # but indices may be the host's
        if name in {"__getitem__", "__setitem__", "index_select"}:
            given = args[::2] if name == "__setitem__" else args[:1]
        sides = {self.has(t) for t in tensors(given, kwargs) if self.has(t) or t.ndim}
        if len(sides) == 2:
            raise Mixed(f"{name}: tensors on {self.device} and on the host")
        return self.marked(func(*args, **kwargs), there or True in sides)

    def has(self, tensor: Any) -> bool:
        return getattr(tensor, "on_card", False)

    def is_here(self, device: Any) -> bool:
        return device is not None and torch.device(device).type == self.device.type

    def moved(self, func: Callable[..., Any], args: Any, kwargs: Any) -> Tensor:
        """A copy where it is sent; what is on its way to a card need not be waited for."""
        tensor, *rest = args
        places = [
            a for a in (*rest, *kwargs.values()) if isinstance(a, (torch.device, str, Tensor))
        ]
        here = self.has(tensor)
        for place in places:
            here = self.has(place) if isinstance(place, Tensor) else self.is_here(place)
        here = func is not Tensor.cpu and here
        if here and not self.has(tensor) and tensor.ndim:
            fast = kwargs.get("non_blocking", False) and getattr(tensor, "pinned", False)
            self.pinned, self.waited = self.pinned + fast, self.waited + (not fast)
        dtypes = [a.dtype if isinstance(a, Tensor) else a for a in (*rest, *kwargs.values())]
        kept = [dtype for dtype in dtypes if isinstance(dtype, torch.dtype)]
        found = tensor.to(kept[0]) if kept else tensor
        return self.marked(found.clone() if here != self.has(tensor) else found, here)

    def marked(self, found: Any, here: bool) -> Any:
        """What was found, on the card or not."""
        if not here:
            return found
        for tensor in tensors(found, {}):
            if self.device.type == "mps" and tensor.dtype == torch.float64:
                raise Mixed("the MPS framework doesn't support float64")
            tensor.on_card = True  # type: ignore[attr-defined]
        return found


def tensors(args: Any, kwargs: Any) -> Iterator[Tensor]:
    return (leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor))


class TargetOnCard(DummyTarget):
    """The dummy target on a card, within which it is made and asked."""

    fingerprint = "dummy"

    def __init__(self, training: Candidates, card: PretendedCard) -> None:
        super().__init__(training)
        self.device, self._card = card.device, card
        card.marked((self._memory, self._keys), True)

    def embed(self, prompts: Any) -> Tensor:
        words = super().embed(prompts)
        return self._card.marked(words, True) if hasattr(self, "_card") else words
