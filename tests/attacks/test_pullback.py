"""The decoder's metric, against what is written here for one picture, and by finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from attacks import make_attack
from attacks.filters.pullback import Pullback, decoder_metric
from miagym.candidates import Candidates
from miagym.errors import AccessDenied, AttackError, DataError, TargetError
from miagym.noise import paired_noise
from miagym.oracle import Cost, Oracle
from miagym.targets.dummy import DummyTarget
from miagym.targets.registry import load_target
from tests.attacks.plain import Plain, assert_agrees

RESIDUAL = ["loss", "multiple-loss", "sima", "pia", "pian", "secmi"]


def plain_mask(p: Plain, draws: int, keep: float) -> np.ndarray:
    """Of the dummy, whose decoder repeats each latent over 4 × 4 pixels."""
    square = 0
    for draw in range(draws):
        v = paired_noise(0, p.one.keys, (3, 64, 64), "pullback", draw)[0].numpy()
        square = square + v.reshape(3, 16, 4, 16, 4).sum((2, 4)) ** 2
    d = np.log(square / draws) / 2
    kept = round(keep * d.size)
    return d >= np.sort(d.flatten())[-kept]


def test_formula(drawings: Candidates) -> None:
    def formula(p: Plain) -> float:
        e0 = p.eps(p.z0, 0)
        r = (e0 - p.eps(p.noised(e0, 200), 200))[0].numpy() * plain_mask(p, 3, 0.5)
        return -float((abs(r) ** 4).sum() ** 0.25)

    attack = make_attack("pia+pullback(draws=3, keep=0.5)")
    assert_agrees(attack, formula, drawings)


@pytest.mark.parametrize("name", RESIDUAL)
def test_a_mask_that_keeps_all_changes_nothing(
    name: str, dummy: DummyTarget, drawings: Candidates
) -> None:
    attack, few = make_attack(name), drawings[38:42]
    whole = Pullback(attack, draws=1, keep=1.0)
    np.testing.assert_allclose(whole(Oracle(dummy), few), attack(Oracle(dummy), few), rtol=1e-4)
    oracle = Oracle(dummy)
    some = Pullback(attack, draws=1)(oracle, few)
    assert not np.allclose(some, attack(Oracle(dummy), few), rtol=1e-3)
    asked = Cost(queries=2, encodes=1, decodes=3)
    assert oracle.meter.spent(few.keys[0]) == attack.cost + asked == whole.cost


def test_filters_stand_on_filters(dummy: DummyTarget, drawings: Candidates) -> None:
    """In either order, and not to the same effect."""
    few = drawings[38:42]
    scores = [
        make_attack(f"sima{both}")(Oracle(dummy), few)
        for both in ("+lowpass+pullback", "+pullback+lowpass", "+lowpass", "+pullback", "")
    ]
    for i, one in enumerate(scores):
        assert all(not np.allclose(one, other, rtol=1e-4) for other in scores[i + 1 :])
    named = make_attack("sima(timestep=50)+lowpass(cutoff=0.25)+pullback(keep=0.5)")
    assert len(set(map(repr, named.variants()))) == 1


def test_the_metric_of_a_real_decoder_is_that_of_finite_differences() -> None:
    target = load_target("clipart-realistic")
    z = paired_noise(0, ["a"], target.latent_shape, "z")
    v = paired_noise(0, ["a"], (3, 64, 64), "v")
    found = target.decoder_gradient(z, v)
    for place in ((0, 0, 3, 5), (0, 3, 9, 9), (0, 1, 15, 0)):
        step = torch.zeros_like(z)
        step[place] = 1e-2
        with torch.inference_mode():
            up, down = (target.decoded(z + s) for s in (step, -step))  # type: ignore[attr-defined]
        slope = float(((up - down).double() * v).sum() / 2e-2)
        assert float(found[place]) == pytest.approx(slope, rel=0.02, abs=0.05)


def test_scores_do_not_depend_on_who_is_asked_beside(drawings: Candidates) -> None:
    target, few = DummyTarget(drawings[:10]), drawings[6:12]
    attack = make_attack("sima+pullback")
    together = attack(Oracle(target, batch_size=4), few)
    alone = [attack(Oracle(target), few[[i]])[0] for i in range(len(few))]
    np.testing.assert_allclose(together, alone, rtol=1e-4)


class TestRefusals:
    def test_an_attack_without_a_residual(self) -> None:
        for name in ("rediffuse", "pfami"):
            with pytest.raises(AttackError, match="use \\+pullback on loss"):
                make_attack(f"{name}+pullback")

    def test_a_share_that_is_none(self) -> None:
        with pytest.raises(AttackError, match=r"a share in \(0, 1\], got 0.0"):
            make_attack("sima+pullback(keep=0.0)")

    def test_a_model_of_pixels_has_no_decoder(self) -> None:
        data = Candidates(np.zeros((1, 32, 32, 3), np.uint8), ("",))
        oracle = Oracle("clipart-pixels")
        with pytest.raises(TargetError, match="no decoder; leave \\+pullback out"):
            decoder_metric(oracle, data, 1)
        assert oracle.meter.total() == Cost(queries=1, encodes=1)

    def test_a_black_box_hands_out_no_gradient(
        self, dummy: DummyTarget, drawings: Candidates
    ) -> None:
        few = drawings[:1]
        z0 = Oracle(dummy).encode(few)
        oracle = Oracle(dummy, "black")
        with pytest.raises(AccessDenied, match="The decoder's gradient needs grey access"):
            oracle.decoder_gradient(few, z0, torch.zeros(1, 3, 64, 64))
        with pytest.raises(DataError, match="Expected weights of shape"):
            oracle.decoder_gradient(few, z0, torch.zeros(1, 3, 32, 32))
        assert oracle.meter.total() == Cost()
