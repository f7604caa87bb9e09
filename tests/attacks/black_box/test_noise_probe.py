"""Noise as a probe, by hand: up under the base, down under the target."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from attacks.black_box.noise_probe import NoiseProbe, noise_leading_to
from miagym.candidates import Candidates
from miagym.errors import DataError, TargetError
from miagym.oracle import Oracle
from miagym.oracle.budget import Cost
from miagym.targets.base import FINAL
from miagym.targets.dummy import DummyTarget
from tests.attacks.plain import Plain


@pytest.fixture(scope="module")
def base(drawings: Candidates) -> DummyTarget:
    """A public model that knows none of the candidates."""
    return DummyTarget(drawings[30:36])


@pytest.mark.parametrize("guidance_scale", [1.0, 3.0])
def test_formula(guidance_scale: float, base: DummyTarget, drawings: Candidates) -> None:
    target, few = DummyTarget(drawings[:10]), drawings[6:14]
    timesteps = target.timesteps(5)

    def formula(one: Candidates) -> float:
        by, p = Plain(base, one), Plain(target, one)
        z, below = by.z0, FINAL
        for t in reversed(timesteps):
            eps = by.eps(z, t)
            x0 = (z - (1 - by.ab(below)) ** 0.5 * eps) / by.ab(below) ** 0.5
            z, below = by.noised(eps, t, x0), t
        drawn = p.decode(p.denoise(z, timesteps, guidance_scale))
        return -float(((drawn - p.x) ** 2).mean())

    attack = NoiseProbe(steps=5, guidance_scale=guidance_scale)
    scores = attack(Oracle(target, reference=Oracle(base)), few)
    plain = [formula(few[[i]]) for i in range(len(few))]
    assert np.ptp(plain) > 0
    np.testing.assert_allclose(scores, plain, rtol=1e-4, atol=1e-6)


def test_members_come_back(base: DummyTarget, drawings: Candidates) -> None:
    target, member = DummyTarget(drawings[:10]), np.arange(20) < 10
    scores = NoiseProbe()(Oracle(target, reference=Oracle(base)), drawings[:20])
    assert roc_auc_score(member, scores) > 0.7


def test_only_what_the_target_draws_is_charged(base: DummyTarget, drawings: Candidates) -> None:
    oracle = Oracle(DummyTarget(drawings[:10]), "black", reference=Oracle(base))
    NoiseProbe(steps=4)(oracle, drawings[:2])
    assert oracle.meter.total() == Cost(queries=2, unet_rows=8, decodes=2)


def test_without_a_public_base_it_is_refused_for_nothing(
    dummy: DummyTarget, drawings: Candidates
) -> None:
    oracle = Oracle(dummy, "black")
    with pytest.raises(TargetError, match="name one as the reference"):
        NoiseProbe()(oracle, drawings[:2])
    assert oracle.meter.total() == Cost()


def test_noise_of_another_shape_is_refused_for_nothing(
    dummy: DummyTarget, drawings: Candidates
) -> None:
    oracle = Oracle(dummy, "black")
    with pytest.raises(DataError, match="Expected a latent for each candidate"):
        oracle.generate(drawings[:2], initial=noise_leading_to(Oracle(dummy), drawings[:1], 2))
    assert oracle.meter.total() == Cost()


def test_another_noise_is_another_question(dummy: DummyTarget, drawings: Candidates) -> None:
    oracle, few = Oracle(dummy), drawings[:2]
    first = noise_leading_to(Oracle(dummy), few, 3)
    one, again, other = (oracle.generate(few, initial=z, steps=3) for z in (first, first, -first))
    assert (one == again).all() and (one != other).any()
