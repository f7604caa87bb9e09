"""Structural similarity by hand: windows one by one, and the way up that SecMI goes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from attacks.grey_box.secmi import SecMI
from attacks.grey_box.structural import Structural, ssim
from miagym.candidates import Candidates
from miagym.errors import AttackError
from miagym.oracle import Cache, Oracle
from miagym.targets.dummy import DummyTarget
from tests.attacks.plain import Plain, assert_agrees


def plain_ssim(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Wang et al. (2004), Eq. 13, window by window, of pictures (3, h, w)."""
    line = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    weight = np.outer(line, line) / np.outer(line, line).sum()
    found = []
    for channel in range(3):
        for top in range(x.shape[1] - 10):
            for left in range(x.shape[2] - 10):
                a, b = (p[channel, top : top + 11, left : left + 11] for p in (x, y))
                m_a, m_b = (weight * a).sum(), (weight * b).sum()
                v_a, v_b = (weight * (a - m_a) ** 2).sum(), (weight * (b - m_b) ** 2).sum()
                both = (weight * (a - m_a) * (b - m_b)).sum()
                light = (2 * m_a * m_b + 1e-4) / (m_a**2 + m_b**2 + 1e-4)
                found.append(light * (2 * both + 9e-4) / (v_a + v_b + 9e-4))
    return float(np.mean(found))


def test_similarity_is_that_of_its_windows() -> None:
    rng = np.random.default_rng(0)
    x = rng.random((4, 3, 24, 20))
    y = np.clip(x + rng.normal(0, [[[[0.0]]], [[[0.1]]], [[[0.4]]], [[[2.0]]]], x.shape), 0, 1)
    found = ssim(torch.from_numpy(x), torch.from_numpy(y)).tolist()
    assert found == pytest.approx([plain_ssim(*pair) for pair in zip(x, y, strict=True)], abs=1e-9)
    assert found[0] == pytest.approx(1) and found == sorted(found, reverse=True)


def test_formula(drawings: Candidates) -> None:
    def formula(p: Plain) -> float:
        z = p.z0
        for s in (0, 20, 40):
            z = p.phi(z, s, s + 20)
        return plain_ssim(p.x.double().numpy(), p.decode(z).double().numpy())

    assert_agrees(Structural(timestep=60), formula, drawings)


def test_it_asks_what_secmi_has_asked(dummy: DummyTarget, drawings: Candidates) -> None:
    cache = Cache()
    SecMI()(Oracle(dummy, cache=cache), drawings[:4])
    before = set(cache.saved())
    Structural()(Oracle(dummy, cache=cache), drawings[:4])
    new = set(cache.saved()) - before
    assert len(new) == 4 and all("decode" in str(question) for question in new)


def test_a_timestep_off_the_grid_is_refused() -> None:
    with pytest.raises(AttackError, match="multiple of k, got t = 50, k = 20"):
        Structural(timestep=50)


def test_members_score_higher(dummy: DummyTarget, drawings: Candidates, member: np.ndarray) -> None:
    assert roc_auc_score(member, Structural(timestep=300)(Oracle(dummy), drawings)) > 0.6
