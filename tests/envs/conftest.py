"""A small world for the environments: the drawings that the dummy target memorised, and others."""

from __future__ import annotations

import numpy as np
import pytest

from miagym.data.dataset import CALIBRATION, TEST, Dataset
from miagym.data.registry import load_data


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
