"""Options of `gym.make("miagym/Single-v0", ...)` and of pools; `Settings` says what each means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypedDict

from miagym.errors import UnknownOption

if TYPE_CHECKING:
    from miagym.data.dataset import Dataset
    from miagym.targets.base import Target


class Options(TypedDict, total=False):
    """Options of one candidate's environment."""

    target: str | Target
    data: str | Dataset | None
    reference: str | Target | None
    reference_noise: str
    access: str
    split: str
    budget: int
    questions: Sequence[str] | None
    steps: int
    guidance_scale: float
    defence: str
    price: float
    noise_seed: int
    max_steps: int | None
    device: str
    batch_size: int


class PoolOptions(Options, total=False):
    """Further options of `gym.make("miagym/Pool-v0", ...)`."""

    candidates: int
    slots: int


def check_options(given: Iterable[str], known: type) -> None:
    """Checks that there are such options.

    Args:
        given: names of options.
        known: the typed dictionary that names what there is.

    Raises:
        UnknownOption: naming the first that there is not, as Python does for arguments.
    """
    names = known.__annotations__
    if unknown := sorted(set(given) - names.keys()):
        raise UnknownOption(
            f"This environment got an unexpected keyword argument {unknown[0]!r}; its options are "
            f"{', '.join(names)}."
        )
