"""What an attack costs, measured in a dry run; what its author is told where facts do not fit."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import astuple
from typing import Any

import numpy as np

from miagym.candidates import Candidates
from miagym.errors import AttackError
from miagym.oracle.budget import Cost
from miagym.oracle.oracle import Oracle
from miagym.targets.dummy import DummyTarget

SIZE = 64
"""Side of the pictures of a dry run in pixels."""

_measured: dict[tuple[type, str, str], Cost] = {}


def metered_cost(attack: Any, ask: Callable[[Oracle, Candidates], object] | None = None) -> Cost:
    """What the meter charges for one candidate when the attack asks a target that knows another.

    The candidate is noise with a caption; the reference model is the target itself. Measured once
    for each repr of a class.

    Args:
        attack: with an `access`, which the oracle grants.
        ask: what asks the questions; by default the attack itself is called.

    Raises:
        MiagymError: whatever refuses the dry run would refuse any run.
    """
    key = type(attack), repr(attack), getattr(ask, "__qualname__", "")
    if key not in _measured:
        noise = np.random.default_rng(0).integers(0, 256, (2, SIZE, SIZE, 3), dtype=np.uint8)
        pictures = Candidates(noise, ("a black cat on a mat", "a dog in the fog"))
        target = DummyTarget(pictures[:1])
        oracle = Oracle(target, attack.access, reference=Oracle(target))
        with warnings.catch_warnings(action="ignore"), np.errstate(all="ignore"):
            (attack if ask is None else ask)(oracle, pictures[1:])
        _measured[key] = oracle.meter.total()
    return _measured[key]


def check_cost(declared: Cost, metered: Cost, adaptive: bool, name: str) -> None:
    """Refuses an attack that charges a candidate other than its `cost` says.

    Args:
        declared: the attack's `cost`.
        metered: what one candidate was charged.
        adaptive: whether `declared` is the most that it may be charged.
        name: of the attack.

    Raises:
        AttackError: with both numbers.
    """
    pairs = zip(astuple(declared), astuple(metered), strict=True)
    if declared != metered and not (adaptive and all(most >= spent for most, spent in pairs)):
        raise AttackError(
            f"{name} declares {'at most ' * adaptive}{declared} and was charged {metered}; correct "
            "`cost`, or leave it out and it is measured (what spends by what it sees is `adaptive` "
            "and declares the most)."
        )


def check_repr(attack: object) -> None:
    """Refuses an attack whose repr does not identify it in another process.

    Raises:
        AttackError: if it holds an address in memory, as the repr of a plain object does.
    """
    if re.search(r" at 0x[0-9a-fA-F]+", repr(attack)):
        raise AttackError(
            f"{attack!r} holds an address in memory, which says nothing tomorrow; make "
            f"{type(attack).__name__} a frozen dataclass of plain values, or write its __repr__."
        )
