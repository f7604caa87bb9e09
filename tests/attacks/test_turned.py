"""The picture turned as its own reference, against what is written here for one picture."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from attacks import make_attack
from attacks.base import Attack
from attacks.black_box.rediffuse_weak import ReDiffuseWeak
from attacks.grey_box.loss import LossThreshold
from attacks.grey_box.pfami import PFAMI
from attacks.grey_box.sima import SimA
from attacks.grey_box.turned_sima import TurnedSimA
from attacks.turned import SYMMETRIES, Symmetry, Turned, turned
from miagym.candidates import Candidates
from miagym.errors import AttackError, BudgetExhausted
from miagym.oracle import Access, Budget, Oracle
from miagym.targets.dummy import DummyTarget


@pytest.mark.parametrize("symmetry", SYMMETRIES)
def test_a_symmetry_keeps_the_pixels_and_who_pays(symmetry: Symmetry) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1, 8, 8, 3), dtype=np.uint8)
    original = Candidates(noise, ("noise",))
    other = turned(original, symmetry)
    assert other.keys == original.keys and other.pictures != original.pictures
    assert sorted(other.images.ravel()) == sorted(noise.ravel())


def test_a_quarter_turn_is_anticlockwise(drawings: Candidates) -> None:
    """The right edge of the picture comes to the top."""
    image = drawings.images[0]
    np.testing.assert_array_equal(turned(drawings[:1], "90").images[0, 0], image[:, -1])


@pytest.mark.parametrize("by", [("90",), ("180", "mirror", "colours")])
def test_sima_of_picture_and_turns(
    by: tuple[Symmetry, ...], dummy: DummyTarget, drawings: Candidates
) -> None:
    x = drawings[38:39]

    def size(candidates: Candidates) -> float:
        oracle = Oracle(dummy)
        z0 = oracle.encode(candidates)
        return float((oracle.predict_noise(candidates, z0, 100).double() ** 4).sum() ** 0.25)

    turns = [size(x.with_images(SYMMETRIES[g](x.images).copy())) for g in by]
    expected = np.mean(turns) - size(x)
    assert TurnedSimA(by=by)(Oracle(dummy), x)[0] == pytest.approx(expected, rel=1e-5)
    assert Turned(SimA(), by)(Oracle(dummy), x)[0] == pytest.approx(expected, rel=1e-5)
    ratio = np.mean(np.log(np.array(turns) / size(x)))
    assert Turned(SimA(), by, ratio=True)(Oracle(dummy), x)[0] == pytest.approx(ratio, rel=1e-4)


def test_noise_is_that_of_the_picture_itself(dummy: DummyTarget, drawings: Candidates) -> None:
    """A picture without orientation is its own turn, so nothing is left of its score."""
    plain = Candidates(np.full((1, 64, 64, 3), 90, np.uint8), ("a grey square",))
    assert Turned(LossThreshold())(Oracle(dummy), plain)[0] == 0
    assert Turned(make_attack("rediffuse"))(Oracle(dummy), plain)[0] == 0


@pytest.mark.parametrize("attack", [Turned(LossThreshold(draws=2)), TurnedSimA()])
def test_chance_where_both_sides_were_turned_alike(
    attack: Attack, drawings: Candidates, member: np.ndarray
) -> None:
    """A model that has memorised each picture and its turn tells nothing by the turn."""
    both = np.concatenate([drawings.images[:40], turned(drawings[:40], "90").images])
    knows_both = DummyTarget(Candidates(both, drawings.captions[:40] * 2))
    scores = attack(Oracle(knows_both), drawings[:40])
    alone = attack(Oracle(DummyTarget(drawings[:40])), drawings[:40])
    assert np.abs(scores).max() < 0.5 * np.abs(alone).max()


def test_a_ratio_wants_distances(dummy: DummyTarget, drawings: Candidates) -> None:
    with pytest.raises(AttackError, match="leave out `ratio`"):
        Turned(PFAMI(timesteps=(100,)), ratio=True)(Oracle(dummy), drawings[:20])


def test_a_budget_is_shared_by_the_picture_and_its_turns(
    dummy: DummyTarget, drawings: Candidates
) -> None:
    attack = Turned(make_attack("rediffuse(draws=8)"), ("90", "180"))
    assert attack.within(10).cost.queries == 9
    oracle = Oracle(dummy, Access.BLACK, budget=Budget(queries=7))
    assert list(attack.anytime(oracle, drawings[:2])) == [3, 6]
    assert oracle.meter.spent(drawings.keys[0]).queries == 6
    with pytest.raises(BudgetExhausted):
        attack(Oracle(dummy, Access.BLACK, budget=Budget(queries=2)), drawings[:2])


def test_rediffuse_against_its_weak_variation(dummy: DummyTarget, drawings: Candidates) -> None:
    oracle, x = Oracle(dummy), drawings[38:39]

    def varied(strength: float, draw: int) -> torch.Tensor:
        return oracle.vary(x, strength=strength, draw=draw, steps=10, guidance_scale=1.0)

    mean = (varied(0.3, 0) + varied(0.3, 1)) / 2
    expected = -float((varied(0.1, 0) - mean).double().norm())
    assert ReDiffuseWeak()(Oracle(dummy), x)[0] == pytest.approx(expected, rel=1e-5)
    first = ReDiffuseWeak().anytime(Oracle(dummy), x)[1][0]
    alone = -float((varied(0.1, 0) - oracle.pixels(x)).double().norm())
    assert first == pytest.approx(alone, rel=1e-5)
