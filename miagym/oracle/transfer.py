"""The way of tensors from the host to the device of a target."""

from __future__ import annotations

import torch
from torch import Tensor


def sent(tensor: Tensor, device: torch.device) -> Tensor:
    """The tensor on a device; a CUDA card fetches it by itself while the host goes on.

    Of memory that is not pinned a copy is waited for, until all that was asked of the card before
    is done, and the card then waits for the host to draw the next noise.
    """
    if device.type == "cuda" and tensor.device.type == "cpu":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)
