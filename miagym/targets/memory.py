"""What fits in memory: batches that are halved where it runs out, and room for answers.

Rows of a batch do not depend on each other, so that what is answered stays the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from miagym.errors import MemoryRanOut, told
from miagym.targets.base import Target

OTHER_WORDS = ("out of memory", "can't allocate memory", "not enough memory")
"""What devices without an error class of their own say: MPS, and the CPU."""

_fits: dict[tuple[int, str, str], int] = {}
"""Largest batch that may still fit, by target and question, where a larger one ran out of memory.
What is found stays for as long as the process, so that it runs out once and not at each batch."""


SHARES = {"cpu": 8, "mps": 4}
"""Into how many parts the machine's memory is cut, of which kept answers may take one: on a CPU,
up to four chunks are at work."""


def room(device: torch.device) -> int | None:
    """Bytes that answers which are kept on a device may take; None where nobody knows.

    Of a GPU, half of what is free. Elsewhere a share of all there is, since what is free for the
    moment is mostly what files have not yet been cached in.
    """
    if device.type == "cuda":
        kept_by_torch = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return (torch.cuda.mem_get_info(device)[0] + kept_by_torch) // 2
    try:
        machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows has no such function
        return None
    share = SHARES.get(device.type)
    return machine // share if share and machine > 0 else None


def in_parts(
    target: Target,
    question: str,
    compute: Callable[[list[int]], Tensor],
    rows: Sequence[int],
    most: int | None = None,
) -> Tensor:
    """Answers (n, ...) to a question about n rows, in as few batches as fit in memory.

    Args:
        target: what is asked.
        question: its name; each has a size of its own.
        compute: takes row numbers and returns their answers (rows, ...).
        rows: the numbers.
        most: of them in one batch.

    Raises:
        MemoryRanOut: if there is not enough for one row.
    """
    key, left = (id(target), target.name, question), list(rows)
    most = max(len(left), 1) if most is None else most
    answers: list[Tensor] = []
    while left or not answers:
        part = left[: min(most, _fits.get(key, most))]
        answer = _if_it_fits(compute, part)
        if answer is not None:
            answers.append(answer)
            left = left[len(part) :]
        elif len(part) <= 1:
            raise _no_room(target, question)
        else:  # another thread may have gone further down meanwhile
            _fits[key] = min(len(part) // 2, _fits.get(key, len(part)))
            _hand_back(target.device)
    return answers[0] if len(answers) == 1 else torch.cat(answers)


def _if_it_fits(compute: Callable[[list[int]], Tensor], rows: list[int]) -> Tensor | None:
    """Answers, or None where memory ran out.

    The error is gone when this returns: its traceback holds what the batch had allocated.
    """
    try:
        return compute(rows)
    except RuntimeError as error:
        if isinstance(error, torch.OutOfMemoryError):
            return None
        if any(words in str(error) for words in OTHER_WORDS):
            return None
        raise


def _hand_back(device: torch.device) -> None:
    """Lets go of memory that torch keeps in pieces of the size of the larger batch."""
    if device.type in ("cuda", "mps"):
        getattr(torch, device.type).empty_cache()


def _no_room(target: Target, question: str) -> MemoryRanOut:
    half = told("--dtype float16", "dtype='float16'")
    elsewhere = told("--device", "device=")
    return MemoryRanOut(
        f"Memory ran out on {target.device} where {target.name} was to answer {question!r} for one "
        f"row, the smallest batch there is; free some, load the model by {half}, or name a device "
        f"with more by {elsewhere}."
    )
