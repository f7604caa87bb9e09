"""Every attack on a target on another device than the host's."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import pytest

from attacks import attack_names, make_attack
from attacks.base import Attack, LearnedAttack, Scores
from miagym.candidates import Candidates
from miagym.oracle import Access, Oracle
from miagym.targets.dummy import DummyTarget
from tests.pretended_card import PretendedCard, TargetOnCard
from tests.tiers import few_of_the_family, mostly_slow

ASKING = [name for name in attack_names() if make_attack(name).access > Access.BLIND]
QUICK = [n for n in few_of_the_family(ASKING) if n not in {"pfami-nn", "secmi-nn", "sd-mia"}]
Maker = Callable[[str], Attack]


def scores(
    attack: Attack,
    target: DummyTarget,
    drawings: Candidates,
    member: np.ndarray,
    device: AbstractContextManager[Any],
) -> Scores:
    """Of the last four, learned from all: what is asked is asked on the device."""
    oracle = Oracle(target, reference=Oracle(target))
    if isinstance(attack, LearnedAttack):
        with device:
            features = attack.features(oracle, drawings)
        attack = attack.fit(features, member)
    with device:
        return attack(oracle, drawings[-4:])


@pytest.mark.parametrize("name", mostly_slow(ASKING, quick=QUICK))
def test_scores_are_those_of_the_host(
    name: str, drawings: Candidates, member: np.ndarray, quick: Maker
) -> None:
    """On Apple's, which has no float64 either; what differs on CUDA is the oracle's alone."""
    few = slice(30, 50)
    asked = drawings[few], member[few]
    with PretendedCard("mps") as card:
        target = TargetOnCard(drawings[:40], card)
    found = scores(quick(name), target, *asked, card)
    host = scores(quick(name), DummyTarget(drawings[:40]), *asked, nullcontext())
    np.testing.assert_array_equal(found, host)
