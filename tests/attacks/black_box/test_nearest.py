"""Nearest generated pictures against the formula."""

from __future__ import annotations

import pytest

from attacks.black_box.nearest import NearestGenerated
from attacks.black_box.text_to_image import TextToImage
from miagym.candidates import Candidates
from miagym.oracle import Oracle
from miagym.targets.dummy import DummyTarget
from tests.attacks.plain import Plain, assert_agrees


@pytest.mark.parametrize(("draws", "neighbours"), [(4, 3), (4, 1), (2, 3)])
def test_formula(draws: int, neighbours: int, drawings: Candidates) -> None:
    def formula(p: Plain) -> float:
        pool = [p.generation(4, draw, 7.5) for draw in range(draws)]
        distances = sorted(float((p.x - x_hat).square().sum().sqrt()) for x_hat in pool)
        return -sum(distances[:neighbours])

    assert_agrees(NearestGenerated(draws=draws, neighbours=neighbours), formula, drawings)


def test_a_neighbour_more_is_farther_away(dummy: DummyTarget, drawings: Candidates) -> None:
    few, oracle = drawings[36:44], Oracle(dummy)
    one, two, three = (NearestGenerated(neighbours=k)(oracle, few) for k in (1, 2, 3))
    assert (one - two >= -one).all() and (two - three >= one - two).all()


def test_the_pool_is_shared_with_text_to_image(dummy: DummyTarget, drawings: Candidates) -> None:
    few, oracle = drawings[:3], Oracle(dummy)
    NearestGenerated(draws=4)(oracle, few)
    computed = oracle.cache.computed
    TextToImage(draws=4)(oracle, few)
    assert oracle.cache.computed == computed
    assert oracle.meter.spent(few.keys[0]).queries == 8  # sharing is no discount
