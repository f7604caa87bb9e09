"""PIA and PIAN against their formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from attacks.grey_box.pia import PIA, PIAN
from miagym.candidates import Candidates
from miagym.oracle import Oracle
from miagym.targets.dummy import DummyTarget
from tests.attacks.plain import Plain, assert_agrees


def test_pia(drawings: Candidates) -> None:
    def formula(p: Plain) -> float:
        e0 = p.eps(p.z0, 0)
        return -float((abs(e0 - p.eps(p.noised(e0, 200), 200)) ** 4).sum() ** 0.25)

    assert_agrees(PIA(timestep=200, norm=4), formula, drawings)


def test_pian(drawings: Candidates) -> None:
    def formula(p: Plain) -> float:
        e0 = p.eps(p.z0, 0)
        e0 = e0 * (2 / math.pi) ** 0.5 / (e0.abs().sum() / e0.numel())
        return -float((abs(e0 - p.eps(p.noised(e0, 200), 200)) ** 4).sum() ** 0.25)

    assert_agrees(PIAN(timestep=200, norm=4), formula, drawings)


def test_pian_leaves_standard_normal_noise_alone() -> None:
    noise = torch.randn((2, 4, 64, 64), generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(PIAN().as_noise(3 * noise), noise, rtol=0.02, atol=0)


def test_they_share_the_first_prediction(dummy: DummyTarget, drawings: Candidates) -> None:
    oracle, few = Oracle(dummy), drawings[:3]
    PIA()(oracle, few)
    PIAN()(oracle, few)
    assert oracle.cache.computed.unet_rows == 3 * 3
    assert oracle.meter.spent(few.keys[0]).unet_rows == 4  # sharing is no discount


@pytest.mark.parametrize("attack", [PIA(), PIAN()], ids=repr)
def test_members_score_higher(
    attack: PIA, dummy: DummyTarget, drawings: Candidates, member: np.ndarray
) -> None:
    assert roc_auc_score(member, attack(Oracle(dummy), drawings)) > 0.6
