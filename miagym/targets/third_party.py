"""Targets that installed packages bring, by the entry-point group `miagym.targets`.

An entry point is a name, and a class or function that makes a `miagym.targets.base.Target` when it
is called with `name`, `device` and `dtype`.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from miagym.errors import TargetError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    import torch

    from miagym.targets.base import Target

GROUP = "miagym.targets"


@cache
def third_party() -> dict[str, EntryPoint]:
    """By name, what makes the target; nothing is imported."""
    return {point.name: point for point in entry_points(group=GROUP)}


def made_by_third_party(name: str, device: str, dtype: torch.dtype | str) -> Target:
    """The target of an entry point, whose package may be broken in any way.

    Raises:
        TargetError: if it cannot be made, or is none.
    """
    from miagym.targets.base import Target

    point = third_party()[name]
    try:
        target = point.load()(name=name, device=device, dtype=dtype)
    except Exception as error:
        raise TargetError(
            f"The target {name!r} ({point.value}) cannot be made: {error!r}; mend the package that "
            "registers it, or uninstall it."
        ) from error
    if not isinstance(target, Target):
        raise TargetError(
            f"The entry point {name!r} ({point.value}) makes a {type(target).__name__}; expected a "
            "miagym.targets.base.Target."
        )
    return target
