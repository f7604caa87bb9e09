"""Every attack of the registry, on one contract."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from attacks import REFERENCE, TURNED, attack_names, make_attack
from attacks.base import Attack, LearnedAttack
from attacks.contract import check_contract, check_refusal
from miagym.candidates import Candidates
from miagym.errors import (
    AttackError,
    BudgetExhausted,
    DataError,
    NoCaption,
    NotFitted,
    TargetError,
    UnknownName,
)
from miagym.oracle import Oracle
from miagym.oracle.access import Access
from miagym.oracle.budget import Budget, Cost
from miagym.targets.dummy import DummyTarget
from tests.tiers import few_of_the_family, mostly_slow

MODIFIED = tuple(
    f"{name}{modifier}"
    for name in ("loss", "rediffuse", "sima", "pfami", "nearest-generated")
    for modifier in (TURNED, TURNED + REFERENCE)
)
NAMES = (*attack_names(with_reference=True), *MODIFIED)
QUICK_NAMES = [
    *few_of_the_family(attack_names()),
    *(f"{name}{REFERENCE}" for name in ("loss", "rediffuse", "sima")),
    *(f"{name}{TURNED}" for name in ("loss", "rediffuse", "sima")),
]
"""Each attack, and each modifier with few of them."""
ASKING = [name for name in attack_names() if make_attack(name).access > Access.BLIND]
LEARNED = [name for name in attack_names() if isinstance(make_attack(name), LearnedAttack)]
THRESHOLDS = [name for name in ASKING if name not in LEARNED]
Maker = Callable[[str], Attack]


@pytest.fixture(scope="module")
def reference(drawings: Candidates) -> DummyTarget:
    """A public model that knows one member and one non-member alike."""
    return DummyTarget(drawings[[0, 79]])


@pytest.mark.parametrize("name", mostly_slow(NAMES, quick=QUICK_NAMES))
def test_contract(
    name: str,
    dummy: DummyTarget,
    reference: DummyTarget,
    drawings: Candidates,
    member: np.ndarray,
    tmp_path: Path,
    quick: Maker,
) -> None:
    check_contract(quick(name), dummy, reference, drawings, member, tmp_path)


@pytest.mark.parametrize("name", mostly_slow(ASKING, quick=few_of_the_family(ASKING)))
def test_refused_below_its_access(
    name: str, dummy: DummyTarget, drawings: Candidates, member: np.ndarray, quick: Maker
) -> None:
    check_refusal(quick(name), dummy, drawings, member)


@pytest.mark.parametrize("name", ASKING)
def test_a_budget_for_no_score_at_all_is_one_sentence(
    name: str, dummy: DummyTarget, drawings: Candidates, quick: Maker
) -> None:
    attack = quick(name)
    oracle = Oracle(dummy, attack.access, budget=Budget(unet_rows=1), reference=Oracle(dummy))
    needed = attack.cost.unet_rows
    if needed <= 1:
        pytest.skip("one row is enough for this one")
    with pytest.raises(BudgetExhausted):
        attack.features(oracle, drawings[:2]) if isinstance(attack, LearnedAttack) else attack(
            oracle, drawings[:2]
        )


# A prompt either matches or not on the dummy: no embedding there is better than another.
@pytest.mark.parametrize("name", [name for name in THRESHOLDS if name != "mofit"])
def test_members_of_a_memoriser_score_higher(
    name: str,
    dummy: DummyTarget,
    reference: DummyTarget,
    drawings: Candidates,
    member: np.ndarray,
) -> None:
    scores = make_attack(name)(Oracle(dummy, reference=Oracle(reference)), drawings)
    assert roc_auc_score(member, scores) > 0.6


@pytest.mark.parametrize("name", LEARNED)
def test_what_learns_says_so_and_needs_both_kinds(
    name: str, dummy: DummyTarget, drawings: Candidates
) -> None:
    attack, oracle = make_attack(name), Oracle(dummy)
    assert isinstance(attack, LearnedAttack)
    with pytest.raises(NotFitted, match="calibration"):
        attack(oracle, drawings[:2])
    assert oracle.meter.total() == Cost()
    with pytest.raises(DataError, match="4 members and 0 non-members"):
        attack.fit(np.zeros((4, 3)), np.ones(4, dtype=bool))


@pytest.mark.parametrize("name", ["text-to-image", "clid", "clid-vector", "reconstruction"])
def test_captions_are_asked_for(name: str, dummy: DummyTarget, drawings: Candidates) -> None:
    mute = Candidates(drawings.images[:2], ("a cat", ""))
    attack, oracle = make_attack(name), Oracle(dummy)
    ask = attack.features if isinstance(attack, LearnedAttack) else attack
    with pytest.raises(NoCaption, match="1 of 2 candidates have none"):
        ask(oracle, mute)
    assert oracle.meter.total() == Cost()


@pytest.mark.parametrize("name", ["pia", "rediffuse", "gsa1", "mofit"])
def test_images_of_another_size(name: str, dummy: DummyTarget, drawings: Candidates) -> None:
    small = Candidates(drawings.images[:2, :32, :32], drawings.captions[:2])
    attack = make_attack(name)
    ask = attack.features if isinstance(attack, LearnedAttack) else attack
    with pytest.raises(DataError, match="load them with size=64"):
        ask(Oracle(dummy), small)


def test_reference_needs_a_reference(dummy: DummyTarget, drawings: Candidates) -> None:
    with pytest.raises(TargetError, match="name one as the reference"):
        make_attack("loss" + REFERENCE)(Oracle(dummy), drawings[:2])


def test_unknown_names_get_suggestions() -> None:
    with pytest.raises(UnknownName, match="did you mean secmi"):
        make_attack("secmy")
    with pytest.raises(AttackError, match="learns its rule"):
        make_attack("cdi" + REFERENCE)
