"""Blind rows are in every run: here they are quick to fit and to save."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sklearn.ensemble import RandomForestClassifier


@pytest.fixture(scope="module", autouse=True)
def small_forests() -> Iterator[None]:
    """Forests of ten trees in this process: saving a hundred takes most of a small run."""

    def forest(trees: int, **options: Any) -> RandomForestClassifier:
        return RandomForestClassifier(min(trees, 10), **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("attacks.blind.RandomForestClassifier", forest)
        yield
