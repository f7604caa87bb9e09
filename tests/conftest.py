"""Shared parts: a dummy target that memorises, attacks that are quick to fit, small pipelines."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import typer.main
import typer.testing
from hypothesis import settings

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier

    from attacks import Attack
    from miagym.candidates import Candidates
    from miagym.targets.dummy import DummyTarget

# Model libraries are imported by what uses them: the process that deals tests to others needs none.
os.environ["HF_HUB_OFFLINE"] = "1"  # no test may reach for the hub

# Modules of assertions that tests share: when one fails, pytest shows its values as in a test.
pytest.register_assert_rewrite(
    "tests.app.visiting",
    "attacks.contract",
    "miagym.targets.contract",
    "tests.attacks.plain",
    "tests.command_line",
    "tests.envs.side_by_side",
)

# The commands are made of their functions' signatures once in a process, and not at every call.
typer.main.get_command = typer.testing._get_command = cache(typer.main.get_command)

settings.register_profile("busy", deadline=None)  # a busy machine is no failure
settings.load_profile("busy")
MEMBERS = 40


@pytest.fixture(scope="session", autouse=True)
def threads() -> None:
    """Two threads, where nothing else is said."""
    import torch

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))


@pytest.fixture(scope="session", autouse=True)
def no_own_pictures_unasked() -> Iterator[None]:
    """Runs have pictures of the target's own only if asked: else they would take most of a test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("miagym.evaluation.config.OWN_PICTURES", 0)
        yield


@pytest.fixture(scope="session")
def drawings() -> Candidates:
    """40 members and 40 non-members of the embedded art, members first."""
    from miagym.data.registry import load_data

    data = load_data("clipart")
    rows = [np.flatnonzero(data.member == member)[:MEMBERS] for member in (True, False)]
    return data.candidates(np.concatenate(rows), 64)


@pytest.fixture(scope="session")
def member() -> np.ndarray:
    """The labels of `drawings`."""
    return np.arange(2 * MEMBERS) < MEMBERS


@pytest.fixture(scope="session")
def dummy(drawings: Candidates) -> DummyTarget:
    """A target that has memorised the members of `drawings`."""
    from miagym.targets.dummy import DummyTarget

    return DummyTarget(drawings[:MEMBERS])


QUICK: dict[str, dict[str, Any]] = {
    "cdi": {"timesteps": (0, 300, 600)},
    "gsa1": {"timesteps": (100, 500), "trees": 20},
    "gsa2": {"timesteps": (100, 500), "trees": 20},
    "nearest-generated": {"draws": 3},
    "pfami-nn": {"timesteps": (0, 200), "crops": (0.95, 0.81)},
    "trajectory-forest": {"trees": (10,)},
}
"""Smaller grids than the papers', where asking and fitting would take most of a test."""


@pytest.fixture(scope="session")
def quick() -> Callable[[str], Attack]:
    """Makes an attack by name, quick to fit."""
    from attacks import make_attack

    return lambda name: replace(make_attack(name), **QUICK.get(name, {}))


@pytest.fixture(scope="module")
def small_forests() -> Iterator[None]:
    """Blind rows, which are in every run, of ten boosted trees: quick to fit and to save."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    def boosting(max_iter: int, **options: Any) -> HistGradientBoostingClassifier:
        return HistGradientBoostingClassifier(max_iter=min(max_iter, 10), **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("attacks.blind.HistGradientBoostingClassifier", boosting)
        yield


@pytest.fixture(scope="session")
def pipelines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of untrained pipelines: epsilon as in SD 1.x, v-prediction as in SD 2.x."""
    from tests.small_pipelines import save_pipeline

    root = tmp_path_factory.mktemp("pipelines")
    return {
        "epsilon": save_pipeline(root / "epsilon", scheduler="pndm"),
        "v_prediction": save_pipeline(root / "v", prediction_type="v_prediction"),
    }
