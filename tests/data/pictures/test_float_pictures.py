"""Pictures of floats, as scientific tools write them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from miagym.data.images import read_picture
from miagym.errors import DataError


@pytest.mark.parametrize(("low", "high", "reads"), [(0, 1, 255), (0, 255, 255), (-0.02, 1.03, 255)])
def test_floats_are_scaled(low: float, high: float, reads: int, tmp_path: Path) -> None:
    grey = np.linspace(low, high, 16 * 16, dtype=np.float32).reshape(16, 16)
    Image.fromarray(grey).save(tmp_path / "a.tif")
    pixels = np.asarray(read_picture(tmp_path / "a.tif"))
    assert pixels.min() == 0 and pixels.max() == reads and 120 < pixels.mean() < 135


@pytest.mark.parametrize("grey", [[-1.0, 1.0], [0.0, 4095.0], [0.0, np.nan]])
def test_floats_of_no_known_range_are_refused(grey: list[float], tmp_path: Path) -> None:
    Image.fromarray(np.array([grey], dtype=np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(DataError, match=r"floats from .*; expected 0 to 1 or 0 to 255"):
        read_picture(tmp_path / "a.tif")


def test_whole_numbers_of_32_bits_are_refused(tmp_path: Path) -> None:
    """White may be 255, 65,535 or 4,294,967,295; nobody knows which."""
    grey = np.linspace(0, 200, 64, dtype=np.int32).reshape(8, 8)
    Image.fromarray(grey).save(tmp_path / "a.tif")
    with pytest.raises(DataError, match=r"whole numbers of 32 bits from 0 to 200, .* 8 or 16 bits"):
        read_picture(tmp_path / "a.tif")


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_16_bits_are_scaled(ending: str, tmp_path: Path) -> None:
    grey = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    Image.fromarray(grey).save(tmp_path / f"a.{ending}")
    pixels = np.asarray(read_picture(tmp_path / f"a.{ending}"))[..., 0].ravel()
    assert np.abs(pixels - np.arange(256.0)).max() <= 1
