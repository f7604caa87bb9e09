"""A small world for the environments: the drawings that the dummy target memorised, and others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from miagym.data.dataset import CALIBRATION, TEST, Dataset
from miagym.data.registry import load_data
from tests.envs.families.family_hands import LIST, POPULATION

if TYPE_CHECKING:
    from miagym.targets.base import Target


@pytest.fixture(scope="session")
def small(member: np.ndarray) -> Dataset:
    """`drawings` as a data set, half of each side for calibration."""
    data, half = load_data("clipart"), len(member) // 2
    rows = np.concatenate([np.flatnonzero(data.member == m)[:half] for m in (True, False)])
    part = np.where(np.arange(len(rows)) % half < half // 2, CALIBRATION, TEST)
    pictures, captions = (
        [column[row] for row in rows] for column in (data.pictures, data.captions)
    )
    return Dataset("small", pictures, tuple(captions), data.member[rows], part)


@pytest.fixture
def memorisers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Targets that remember what they were trained on, and answer alike in any batch."""
    from miagym.envs.family import world
    from miagym.envs.family.family import Family
    from miagym.targets.dummy import DummyTarget

    known: dict[str, Target] = {}

    def load(name: str, device: str) -> Target:
        if name not in known:
            family = Family.of(POPULATION if name.startswith(POPULATION) else LIST)
            data, number = family.dataset(), family.targets.index(name)
            inside = family.inside(np.array([number]), np.arange(len(data)))[0]
            rows = np.flatnonzero(inside & (name != "clipart-null"))
            known[name] = DummyTarget(data.candidates(rows if len(rows) else np.array([0]), 64))
        return known[name]

    monkeypatch.setattr(world, "shared_target", load)
    monkeypatch.setattr(world, "load_models", lambda settings: (load(settings.target, "cpu"), None))
