"""Which cases of a parametrised test run in the quick tier, and which only in the slow one."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

FEW_OF_MANY = ("trajectory-partial-denoising", "trajectory-text-shift", "trajectory-network")
"""Of the variants of one attack, those that the quick tier tries."""


def quick_attacks(names: Iterable[str]) -> list[str]:
    """The attacks of which each is tried in the quick tier: few of the variants of one."""
    return [n for n in names if not n.startswith("trajectory-") or n in FEW_OF_MANY]


def mostly_slow(cases: Iterable[str], *, quick: Iterable[str]) -> list[object]:
    """The cases, all marked slow but those named.

    Args:
        cases: values of a parameter.
        quick: those of them that stay in the quick tier.

    Raises:
        ValueError: one of `quick` is none of the cases, as after a change of names.
    """
    cases, stay = list(cases), set(quick)
    if unknown := stay - set(cases):
        raise ValueError(f"Expected quick cases among {cases}; got {sorted(unknown)}.")
    return [case if case in stay else pytest.param(case, marks=pytest.mark.slow) for case in cases]
