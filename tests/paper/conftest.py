"""A world of two settings without a network: planted scores in the form of a finished run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from miagym.api.names import attacks_of
from miagym.paper.scores import Scores
from miagym.paper.settings import SIGNALS, trajectory
from miagym.paper.worlds import EMBEDDED, PaperWorld

SETTINGS = ("partial-denoising", "reversed-noise")
ABOUT = {"target": "a model", "data": "pictures"}


@dataclass(frozen=True, eq=False)
class Planted:
    """Scores in which members of the first setting score higher, and in the second nobody does."""

    world: PaperWorld
    scores: Scores


def plant(folder: Path, n: int, strength: float) -> Planted:
    """Writes scores.parquet: n members and n non-members calibrate, as many test."""
    world = EMBEDDED.under(settings=SETTINGS, limit=n, choose_on=n)
    rng, tables = np.random.default_rng(0), []
    for part in ("calibration", "test"):
        member = rng.permutation(np.repeat([True, False], n))
        for setting in SETTINGS:
            for signal in SIGNALS:
                name = trajectory(setting, signal, world.draws)
                for number, variant in enumerate(attacks_of([name])[name].variants()):
                    shift = strength * (setting == SETTINGS[0])
                    columns = {
                        "attack": [name] * 2 * n,
                        "variant": [repr(variant)] * 2 * n,
                        "part": [part if part != "test" or not number else "paper"] * 2 * n,
                        "candidate": [f"{part} {row}" for row in range(2 * n)],
                        "group": pa.array([None] * 2 * n, pa.int64()),
                        "member": member,
                        "score": rng.normal(size=2 * n) + shift * member,
                    }
                    tables.append(pa.table(columns))
    pq.write_table(pa.concat_tables(tables), folder / "scores.parquet")
    return Planted(world, Scores.read(folder))


@pytest.fixture
def planted(tmp_path: Path) -> Callable[[int, float], Planted]:
    """Plants a signal of some strength in so many members."""
    return lambda n, strength: plant(tmp_path, n, strength)
