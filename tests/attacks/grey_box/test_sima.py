"""SimA against its formula."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from attacks.grey_box.sima import SimA
from miagym.candidates import Candidates
from miagym.oracle import Oracle
from miagym.targets.dummy import DummyTarget
from tests.attacks.plain import Plain, assert_agrees


@pytest.mark.parametrize(("t", "p"), [(100, 4), (0, 2)])
def test_formula(t: int, p: int, drawings: Candidates) -> None:
    def formula(one: Plain) -> float:
        return -float((one.eps(one.z0, t).abs() ** p).sum() ** (1 / p))

    assert_agrees(SimA(t, p), formula, drawings)


def test_members_score_higher(dummy: DummyTarget, drawings: Candidates, member: np.ndarray) -> None:
    assert roc_auc_score(member, SimA()(Oracle(dummy), drawings)) > 0.6
