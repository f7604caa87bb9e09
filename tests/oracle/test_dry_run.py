"""What an attack costs is measured, and its author is told where a declaration is wrong."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pytest

from attacks.base import Attack, LearnedAttack, Scores
from attacks.grey_box.pia import PIA
from attacks.learning.rules import Rule
from miagym.errors import AccessDenied, AttackError
from miagym.oracle import Access, Candidates, Cost, Oracle, check_cost, check_repr, metered_cost

COSTS = Cost(queries=3, unet_rows=2, encodes=1)


def test_the_meter_says_what_an_attack_costs() -> None:
    assert metered_cost(PIA()) == PIA().cost == COSTS


def test_access_and_call_make_an_attack() -> None:
    class Minimal(Attack):
        access = Access.GREY

        def __call__(self, oracle: Oracle, candidates: Candidates) -> Scores:
            z0 = oracle.encode(candidates)
            return -np.asarray(oracle.predict_noise(candidates, z0, 0).flatten(1).norm(dim=1))

    assert Minimal().cost == Cost(queries=2, unet_rows=1, encodes=1)
    assert Minimal().paper == "" and not Minimal().adaptive


def test_what_learns_is_measured_on_its_features() -> None:
    class Learner(LearnedAttack):
        access = Access.GREY

        def features(self, oracle: Oracle, candidates: Candidates) -> np.ndarray:
            return np.asarray(oracle.encode(candidates).flatten(1))

        def new_rule(self) -> Rule:
            raise NotImplementedError

    assert Learner().cost == Cost(queries=1, encodes=1)


def test_it_is_measured_once_for_each_class_and_repr() -> None:
    runs: list[int] = []

    def made(queries: int) -> Attack:
        @dataclass(frozen=True)
        class Same(Attack):
            access = Access.GREY

            def __call__(self, oracle: Oracle, candidates: Candidates) -> Scores:
                runs.append(queries)
                for _ in range(queries):
                    oracle.encode(candidates)
                return np.zeros(len(candidates))

        return Same()

    one, two = made(1), made(2)
    assert repr(one) == repr(two)
    assert [one.cost, one.cost, two.cost] == [Cost(q, encodes=q) for q in (1, 1, 2)]
    assert runs == [1, 2]


def test_a_dry_run_warns_nobody() -> None:
    class Careless(Attack):
        access = Access.BLACK

        def __call__(self, oracle: Oracle, candidates: Candidates) -> Scores:
            oracle.generate(candidates, steps=1)
            warnings.warn("careless", stacklevel=1)
            return np.ones(len(candidates)) / np.zeros(len(candidates))

    assert Careless().cost == Cost(queries=1, unet_rows=2, decodes=1)


def test_a_dry_run_grants_no_more_than_the_attack_says() -> None:
    class Greedy(PIA):
        access = Access.BLACK

    with pytest.raises(AccessDenied, match="needs grey access, this oracle grants black"):
        _ = Greedy().cost


def test_a_wrong_cost_is_told_with_both_numbers() -> None:
    wrong = Cost(queries=2, unet_rows=2, encodes=1)
    with pytest.raises(AttackError) as told:
        check_cost(wrong, COSTS, False, "mine")
    assert f"mine declares {wrong} and was charged {COSTS}; correct `cost`" in str(told.value)
    with pytest.raises(AttackError, match="declares at most"):
        check_cost(wrong, COSTS, True, "mine")
    check_cost(COSTS, wrong, True, "mine")
    check_cost(COSTS, COSTS, False, "mine")
    with pytest.raises(AttackError):
        check_cost(COSTS, wrong, False, "mine")


def test_a_repr_that_says_nothing_tomorrow() -> None:
    @dataclass(frozen=True)
    class Holds:
        what: object

    check_repr(PIA())
    check_repr(Holds(2))
    for attack in (object(), Holds(object()), Holds(lambda: 0)):
        with pytest.raises(AttackError, match="holds an address in memory"):
            check_repr(attack)
