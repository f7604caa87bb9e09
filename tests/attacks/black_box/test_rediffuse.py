"""ReDiffuse against its formula."""

from __future__ import annotations

import pytest

from attacks.black_box.rediffuse import ReDiffuse
from miagym.candidates import Candidates
from miagym.errors import AccessDenied
from miagym.oracle import Oracle
from miagym.targets.dummy import DummyTarget
from tests.attacks.plain import Plain, assert_agrees


@pytest.mark.parametrize("attack", [ReDiffuse(), *ReDiffuse(draws=3).variants()], ids=repr)
def test_formula(attack: ReDiffuse, drawings: Candidates) -> None:
    def formula(p: Plain) -> float:
        varied = [p.variation(attack.strength, 10, draw) for draw in range(attack.draws)]
        return -float((p.x - sum(varied) / attack.draws).square().sum().sqrt())

    assert_agrees(attack, formula, drawings)


def test_a_black_box_without_variation_refuses_it(dummy: DummyTarget, drawings: Candidates) -> None:
    with pytest.raises(AccessDenied, match="varies no images"):
        ReDiffuse()(Oracle(dummy, variation=False), drawings[:2])
