"""The meter: never overshot, spend is the sum of charges, refused questions cost nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miagym.errors import BudgetError, BudgetExhausted
from miagym.oracle.budget import Budget, Cost, Meter

costs = st.builds(Cost, queries=st.integers(0, 3), unet_rows=st.integers(0, 5))
names = st.lists(st.sampled_from("abcd"), min_size=1, max_size=6)
limits = st.one_of(st.none(), st.integers(1, 12))


@given(st.builds(Budget, limits, limits), st.lists(st.tuples(names, costs), max_size=20))
def test_spend_is_the_sum_of_what_was_accepted_and_never_overshoots(
    budget: Budget, charges: list[tuple[list[str], Cost]]
) -> None:
    meter = Meter(budget)
    paid = dict.fromkeys("abcd", Cost())
    for candidates, cost in charges:
        before = {name: meter.spent(name) for name in "abcd"}
        try:
            meter.charge(candidates, cost)
        except BudgetExhausted:
            assert {name: meter.spent(name) for name in "abcd"} == before
            wanted = {name: before[name] + cost * candidates.count(name) for name in candidates}
            assert any(
                (budget.queries is not None and want.queries > budget.queries)
                or (budget.unet_rows is not None and want.unet_rows > budget.unet_rows)
                for want in wanted.values()
            )
            continue
        for name in candidates:
            paid[name] += cost
    assert {name: meter.spent(name) for name in "abcd"} == paid
    assert meter.total() == sum(paid.values(), Cost())
    for spent in paid.values():
        assert budget.queries is None or spent.queries <= budget.queries
        assert budget.unet_rows is None or spent.unet_rows <= budget.unet_rows


@given(st.integers(1, 30), st.integers(0, 30), st.integers(1, 5))
def test_affordable_is_exactly_what_can_be_paid(limit: int, used: int, price: int) -> None:
    meter = Meter(Budget(queries=limit))
    for _ in range(min(used, limit)):
        meter.charge(["a"], Cost(queries=1))
    times = meter.affordable(["a", "b"], Cost(queries=price))
    assert times is not None
    meter.charge(["a"] * times, Cost(queries=price)) if times else None
    with pytest.raises(BudgetExhausted):
        meter.charge(["a"], Cost(queries=price))


def test_without_a_limit_everything_is_affordable() -> None:
    assert Meter().affordable(["a"], Cost(queries=1)) is None


@pytest.mark.parametrize("limit", [0, -3, 1.5])
def test_a_budget_that_buys_nothing_is_refused(limit: int) -> None:
    with pytest.raises(BudgetError, match="buys no answer"):
        Budget(queries=limit)
