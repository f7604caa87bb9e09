"""Target, reference and candidates of an environment, loaded at the first reset and shared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, TypedDict

from miagym.envs.sampler import CandidateSplit, Split, shared_data
from miagym.envs.settings import Settings
from miagym.errors import SettingsError
from miagym.oracle import Oracle
from miagym.oracle.access import Access
from miagym.oracle.cache import Cache
from miagym.targets.base import Target
from miagym.targets.registry import shared_target

MAX_CACHE_BYTES = 256 * 2**20
"""Bytes of answers that are kept: mostly the latents of candidates that are asked about again."""


class OracleOptions(TypedDict):
    """Options of an `Oracle`."""

    access: Access
    seed: int
    cache: Cache
    batch_size: int
    defence: str


@dataclass(frozen=True, eq=False)
class World:
    """Target, reference model if there is one, and candidates of an environment."""

    target: Target
    reference: Target | None
    split: Split

    @classmethod
    def load(cls, settings: Settings) -> Self:
        """Loads what the settings name.

        Raises:
            TargetError, DataError: if it cannot be loaded.
            SettingsError: if the target cannot serve the access level, nor the reference stand
                beside it, or the split is too small.
        """
        data = settings.data_name
        data = shared_data(data) if isinstance(data, str) else data
        target, reference = load_models(settings)
        return cls(target, reference, CandidateSplit(data, settings.split, target.resolution))

    def about(self, model: int) -> Target:
        """Target of an episode, by its number within the split; here there is one."""
        return self.target

    def oracles(self, settings: Settings) -> list[Oracle]:
        """Oracles of the target, and of the reference model if there is one."""
        asked = (self.target, self.reference)
        return [
            Oracle(target, **oracle_options(settings)) for target in asked if target is not None
        ]


def load_models(settings: Settings) -> tuple[Target, Target | None]:
    """Loads target and reference, if there is one.

    Raises:
        TargetError: if one cannot be loaded.
        SettingsError: if the target cannot serve the access level, nor the reference stand beside
            it.
    """
    target = _target(settings.target, settings.device)
    settings.check_gradients(target)
    reference = settings.reference
    other = None if reference is None else _target(reference, settings.device)
    if other is not None:
        check_beside(other, target, settings)
    return target, other


def oracle_options(settings: Settings) -> OracleOptions:
    """Options of an environment's oracles; each call makes a new cache."""
    return OracleOptions(
        access=settings.level,
        seed=settings.noise_seed,
        cache=Cache(MAX_CACHE_BYTES),
        batch_size=settings.batch_size,
        defence=settings.defence,
    )


def check_beside(reference: Target, target: Target, settings: Settings) -> None:
    """Checks that a reference is another model, and can be asked whatever the target can.

    Raises:
        SettingsError: if not.
    """
    same = bool(reference.fingerprint) and reference.fingerprint == target.fingerprint
    if reference is target or same:
        raise SettingsError(
            f"The reference {reference.name} is the target itself; name a model that was trained "
            "on other pictures."
        )
    if reference.resolution != target.resolution:
        raise SettingsError(
            f"The reference {reference.name} works on {reference.resolution} pixels a side, the "
            f"target {target.name} on {target.resolution}; name one of the same size."
        )
    settings.check_gradients(reference)


def _target(target: str | Target, device: str) -> Target:
    return shared_target(target, device) if isinstance(target, str) else target
