"""Agents of a bench by name: those of ours, and whoever brings one of their own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from miagym.agents.adaptive import AdaptiveAgent
from miagym.agents.agent import Agent
from miagym.agents.belief import LogisticBelief
from miagym.agents.fixed import FixedAgent
from miagym.envs.pool import PoolVectorEnv
from miagym.envs.spaces import Observation
from miagym.errors import SettingsError, UnknownName
from miagym.hosting.bench.services import again, uploading
from miagym.hosting.suite import HostedTask

EPISODES = 6
"""Played in each environment of `train` to learn a belief."""

Maker = Callable[[Sequence[Any]], Agent]
"""Makes an agent for a task from vector environments on `train`, one for each target of its family:
of pools, or of services."""


def even(train: Sequence[PoolVectorEnv]) -> FixedAgent:
    """Asks the cheapest question about everybody in turn, and learns from just that on `train`."""
    prices = train[0].game.prices
    schedule = (int(np.argmin(prices)),)
    asking = FixedAgent(_undecided, prices, schedule)
    belief = LogisticBelief.fit_over(train, EPISODES, seed=0, asking=asking)
    return replace(asking, belief=belief)


def adaptive(train: Sequence[PoolVectorEnv]) -> Agent:
    """Asks the cheapest question about whom it is least sure of, with the belief of `even`."""
    asking = even(train)
    return AdaptiveAgent(asking.belief, asking.prices, asking.schedule)


def _undecided(observation: Observation) -> NDArray[np.float64]:
    """One half of everybody."""
    return np.full(observation["count"].shape[:-1], 0.5)


BASELINES: dict[str, Maker] = {"even": even, "adaptive": adaptive}
SERVICE_BASELINES: dict[str, Maker] = {"again": again, "uploading": uploading}
"""Agents that stand beside whoever is measured, where there is a menu, and on services."""


def baselines_of(task: HostedTask) -> dict[str, Maker]:
    """Agents that stand beside whoever is measured on a task."""
    return SERVICE_BASELINES if task.service else BASELINES


def makers_of(agent: str, task: HostedTask) -> dict[str, Maker]:
    """Who plays a task: its baselines, and the agent that is measured.

    Raises:
        UnknownName, SettingsError: as `maker_of`, or if the agent is a baseline of other tasks.
    """
    own = baselines_of(task)
    if agent in ({*BASELINES, *SERVICE_BASELINES} - set(own)):
        kind = "is a service" if task.service else "has a menu"
        raise SettingsError(f"{task.name} {kind}, which {' and '.join(own)} play; got {agent}.")
    return {**own, agent: maker_of(agent)}


def maker_of(name: str) -> Maker:
    """Finds an agent: a baseline, "package.module:maker" or "FILE.py:maker".

    Raises:
        UnknownName: if no baseline has this name.
        SettingsError: if there is no such module, or nothing in it that can be called.
    """
    known = BASELINES | SERVICE_BASELINES
    if name in known:
        return known[name]
    place, colon, attribute = name.rpartition(":")
    if not colon:
        hint = "An agent of your own is FILE.py:MAKER or package.module:MAKER."
        raise UnknownName("agent", name, known, hint)
    found = getattr(_module(place), attribute, None)
    if not callable(found):
        raise SettingsError(
            f"Expected a function {attribute} in {place}, which makes an agent from a list of "
            f"environments; found {found!r}."
        )
    return cast(Maker, found)


def _module(place: str) -> ModuleType:
    """A module by its file or its name.

    Raises:
        SettingsError: if there is none.
    """
    if not place.endswith(".py"):
        try:
            return import_module(place)
        except ImportError as error:
            raise SettingsError(f"There is no module {place} to import ({error}).") from error
    path = Path(place)
    spec = spec_from_file_location(path.stem, path) if path.is_file() else None
    if spec is None or spec.loader is None:
        raise SettingsError(f"There is no file {place}; name the file with your agent.")
    module = module_from_spec(spec)
    sys.modules[path.stem] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module
