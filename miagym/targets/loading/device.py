"""The device that a target is loaded on."""

from __future__ import annotations

import torch

from miagym.errors import TargetError, UnknownName

DTYPES = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
}


def best_device() -> str:
    """The name of the fastest kind of device that torch finds here."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def choose_device(device: str) -> torch.device:
    """The device of this name; "auto" takes a GPU where there is one, Apple's too.

    Raises:
        TargetError: if there is no such device.
    """
    if device == "auto":
        device = best_device()
    try:
        chosen = torch.device(device)
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError) as error:
        raise TargetError(f"There is no device {device!r} here; try auto or cpu.") from error
    return chosen


def choose_dtype(device: torch.device, dtype: torch.dtype | str) -> torch.dtype:
    """The precision of this name; "auto" is half precision on a CUDA GPU and float32 elsewhere.

    Raises:
        UnknownName: if there is no such precision.
    """
    if isinstance(dtype, torch.dtype):
        return dtype
    if dtype == "auto":
        return torch.float16 if device.type == "cuda" else torch.float32
    if dtype not in DTYPES:
        raise UnknownName("precision", dtype, ("auto", *DTYPES))
    return DTYPES[dtype]
