"""What the front door hands out can be printed: a line or a table, and never a picture's bytes."""

from __future__ import annotations

import numpy as np
import pytest

import miagym
from miagym.targets.registry import load_target

TOO_LONG = 2_000


def data() -> miagym.Dataset:
    return miagym.load_data("clipart-tune")


def some() -> object:
    return data().load(np.arange(100), 64)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (data, "<Dataset 'clipart-tune': 899 pictures; calibration 126 members and 130 non-"),
        (some, "<Candidates: 100 of 64×64 pixels"),
        (lambda: load_target("clipart-null"), "StableDiffusion"),
        (lambda: miagym.Oracle(load_target("clipart-null")), "Oracle"),
        (lambda: miagym.Budget(100), "Budget(queries=100"),
    ],
    ids=["data", "candidates", "target", "oracle", "budget"],
)
def test_it_prints_in_a_line(make: object, says: str) -> None:
    assert callable(make)
    printed = repr(make())
    assert says in printed
    assert len(printed) < TOO_LONG
