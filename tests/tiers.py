"""Which cases of a parametrised test run in the quick tier, and which in the slow or long one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

FAMILY = (
    "trajectory-partial-denoising",
    "trajectory-text-shift",
    "trajectory-logistic",
    "trajectory-network",
)
"""Of the seed paper's family, these ask all kinds of questions, and learn in two ways."""


def few_of_the_family(names: Iterable[str]) -> list[str]:
    """The attacks, but for most variants of the seed paper's."""
    return [n for n in names if not n.startswith("trajectory-") or n in FAMILY]


def mostly_slow(
    cases: Iterable[Any], *, quick: Iterable[Any], are_long: bool = False
) -> list[object]:
    """The cases, all marked slow but those named.

    Args:
        cases: values of a parameter.
        quick: those of them that stay in the quick tier.
        are_long: whether the others are of the long tier.

    Raises:
        ValueError: one of `quick` is none of the cases, as after a change of names.
    """
    cases, stay = list(cases), list(quick)
    if unknown := [case for case in stay if case not in cases]:
        raise ValueError(f"Expected quick cases among {cases}; got {unknown}.")
    marks = [pytest.mark.slow, pytest.mark.long][: 1 + are_long]
    return [case if case in stay else pytest.param(case, marks=marks) for case in cases]
