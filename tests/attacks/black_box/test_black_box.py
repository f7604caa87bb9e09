"""What black-box attacks share: budgets, and scores at rising budgets from one run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from attacks.black_box.base import BlackBoxAttack, doublings
from attacks.black_box.degrade_restore import DegradeRestoreCompare
from attacks.black_box.nearest import NearestGenerated
from attacks.black_box.rediffuse import ReDiffuse
from attacks.black_box.text_to_image import TextToImage
from miagym.candidates import Candidates
from miagym.errors import BudgetExhausted
from miagym.oracle import Oracle
from miagym.oracle.budget import Budget
from miagym.targets.dummy import DummyTarget

ALL = [TextToImage(), ReDiffuse(), NearestGenerated(), DegradeRestoreCompare()]
each = pytest.mark.parametrize("attack", ALL, ids=lambda attack: type(attack).__name__)


@pytest.mark.parametrize(
    ("last", "budgets"),
    [
        (1, [1]),
        (2, [1, 2]),
        (3, [1, 2, 3]),
        (4, [1, 2, 4]),
        (8, [1, 2, 4, 8]),
        (9, [1, 2, 4, 8, 9]),
    ],
)
def test_budgets_double_up_to_the_last(last: int, budgets: list[int]) -> None:
    assert doublings(last) == budgets


@each
def test_one_run_holds_the_scores_of_all_shorter_runs(
    attack: BlackBoxAttack, dummy: DummyTarget, drawings: Candidates
) -> None:
    few, oracle = drawings[36:44], Oracle(dummy)
    curve = replace(attack, draws=5).anytime(oracle, few)
    assert list(curve) == [1, 2, 4, 5]
    assert oracle.meter.spent(few.keys[0]) == attack.query * 5
    for queries, scores in curve.items():
        np.testing.assert_array_equal(attack.within(queries)(Oracle(dummy), few), scores)
    assert all((curve[1] != curve[k]).any() for k in (2, 4, 5))


@each
def test_within_is_the_same_attack_with_other_draws(attack: BlackBoxAttack) -> None:
    assert attack.within(7) == replace(attack, draws=7)
    assert attack.within(7).cost == attack.query * 7


@each
def test_they_spend_what_the_budget_allows(
    attack: BlackBoxAttack, dummy: DummyTarget, drawings: Candidates
) -> None:
    few, four = drawings[:3], attack.within(4)
    oracle = Oracle(dummy, attack.access, budget=Budget(queries=2))
    np.testing.assert_array_equal(four(oracle, few), attack.within(2)(Oracle(dummy), few))
    assert oracle.meter.spent(few.keys[0]).queries == 2
    with pytest.raises(BudgetExhausted, match="does not cover one picture"):
        four(oracle, few)
    rows = Budget(unet_rows=3 * attack.query.unet_rows + 1)
    assert list(four.anytime(Oracle(dummy, budget=rows), few)) == [1, 2, 3]


@each
def test_members_score_higher(
    attack: BlackBoxAttack, dummy: DummyTarget, drawings: Candidates, member: np.ndarray
) -> None:
    assert roc_auc_score(member, attack(Oracle(dummy), drawings)) > 0.6
