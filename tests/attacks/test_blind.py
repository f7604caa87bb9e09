"""Blind baselines: nothing in them is a matter of luck."""

from __future__ import annotations

import numpy as np
import pytest

from attacks import make_attack
from attacks.base import LearnedAttack


@pytest.mark.parametrize("name", ["blind-captions", "blind-pixels", "blind-both"])
def test_another_order_of_the_calibration_part_tells_the_same(name: str) -> None:
    """A forest of 100 trees, whose draws depend on it, told 15 to 29 members."""
    rng = np.random.default_rng(0)
    attack = make_attack(name)
    assert isinstance(attack, LearnedAttack)
    width = 2 * 2048 + 3 if name == "blind-captions" else 90 + (4099 if name == "blind-both" else 0)
    member = np.arange(200) < 100
    features = rng.random((200, width)) * (rng.random((200, width)) < 0.05)
    features[:, -5:] = rng.normal(size=(200, 5)) + member[:, None]
    fresh = features[::2] + 0.01
    order = rng.permutation(200)
    scores = [attack.fit(features[o], member[o]).score(fresh) for o in (np.arange(200), order)]
    assert scores[0] == pytest.approx(scores[1], abs=1e-6)
    assert np.ptp(scores[0]) > 0.1
