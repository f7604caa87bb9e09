"""Numbers that no question can be asked with are refused at every door, in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import miagym
from miagym.data.dataset import Dataset
from miagym.errors import SettingsError, UnknownName
from miagym.oracle import Oracle
from miagym.targets.dummy import DummyTarget

Call = Callable[..., object]
WRONG = [-3, 2.5, "five", True]


def refused(call: Call, name: str, least: int, values: list[object]) -> None:
    for value in values:
        with pytest.raises(SettingsError) as caught:
            call(**{name: value})
        expected = f"Expected a whole number from {least} on, got {name}={value!r}."
        assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("name", "least"),
    [("limit", 1), ("generated", 0), ("seed", 0), ("chunk", 1), ("batch_size", 1)],
)
def test_an_evaluation(
    name: str, least: int, dummy: DummyTarget, small: Dataset, tmp_path: Path
) -> None:
    def call(**options: Any) -> object:
        return miagym.evaluate(dummy, small, "pia", out=tmp_path / "run", **options)

    refused(call, name, least, [*WRONG, least - 1])
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("name", "least"), [("calibration_limit", 1), ("seed", 0), ("batch_size", 1)]
)
def test_a_check(name: str, least: int) -> None:
    picture = Image.new("RGB", (64, 64))
    refused(lambda **o: miagym.check(picture, "clipart-overfit", **o), name, least, [*WRONG, -1])


@pytest.mark.parametrize(("name", "least"), [("limit", 1), ("seed", 0)])
def test_an_audit(name: str, least: int) -> None:
    refused(lambda **o: miagym.audit("clipart-tune", **o), name, least, [*WRONG, least - 1])


def test_an_oracle_and_rows_of_data(dummy: DummyTarget, small: Dataset) -> None:
    refused(lambda **o: Oracle(dummy, **o), "batch_size", 1, [*WRONG, 0])
    refused(lambda **o: small.rows("test", **{"seed": 0} | o), "limit", 0, WRONG)
    refused(lambda **o: small.rows("test", **o), "seed", 0, WRONG)
    with pytest.raises(UnknownName, match="did you mean test"):
        small.rows("tset", seed=0)
