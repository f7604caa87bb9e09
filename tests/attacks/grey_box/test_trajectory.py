"""The seed paper's family of trajectory attacks: every knob by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from torch import Tensor

from attacks.grey_box.trajectory import SETTINGS, Signal, Trajectory
from miagym.candidates import Candidates
from miagym.noise import paired_noise
from miagym.oracle import Oracle
from miagym.targets.base import FINAL
from miagym.targets.dummy import WIDTH, DummyTarget
from tests.attacks.plain import Plain, assert_agrees

S = 7.5


def start(p: Plain, level: int = 300, draw: int = 0) -> Tensor:
    return p.noised(p.noise(level, draw), level)


def down(p: Plain, z: Tensor, *visited: int, guidance: float = S) -> Tensor:
    for t in visited:
        z = p.phi(z, t, t - 100, guidance)
    return z


def loss(p: Plain, z: Tensor, t: int, eps: Tensor) -> float:
    return -float((eps - p.eps(z, t)).square().mean())


def latent(p: Plain, z: Tensor) -> float:
    return -float((z - p.z0).square().mean())


def pixel(p: Plain, z: Tensor) -> float:
    return -float((255 * p.x - 255 * p.decode(z)).abs().mean())


def partial_loss(p: Plain) -> float:
    return loss(p, down(p, start(p), 300, 200), 100, p.noise(300))


def partial_latent(p: Plain) -> float:
    return latent(p, down(p, start(p), 300, 200, 100))


def partial_pixel(p: Plain) -> float:
    return pixel(p, down(p, start(p), 300, 200, 100))


def first_visit(p: Plain) -> float:
    return latent(p, down(p, start(p), 300))


def to_the_end(p: Plain) -> float:
    return latent(p, p.phi(down(p, start(p), 300, 200, 100), 0, FINAL, S))


def two_draws(p: Plain) -> float:
    return sum(latent(p, down(p, start(p, draw=i), 300, 200, 100)) for i in range(2)) / 2


def without_guidance(p: Plain) -> float:
    return latent(p, down(p, start(p), 300, 200, 100, guidance=1))


def big_guidance(p: Plain) -> float:
    return latent(p, down(p, start(p), 100, 200, 300, guidance=15))


def renoised(p: Plain) -> float:
    return latent(p, down(p, start(p, 200), 200))


def renoised_loss(p: Plain) -> float:
    return loss(p, start(p, 200), 200, p.noise(200))


def told_another_level(p: Plain) -> float:
    return latent(p, down(p, start(p, 100), 300))


def told_another_level_loss(p: Plain) -> float:
    return loss(p, start(p, 100), 300, p.noise(100))


def reversed_steps(p: Plain) -> float:
    return latent(p, down(p, start(p), 100, 200, 300))


def wrong_start(p: Plain) -> float:
    return latent(p, down(p, start(p, 100), 300, 200, 100))


def shifted_latent(p: Plain) -> float:
    z = down(p, start(p), 300) + p.noise_of("latent shift", 0)
    return latent(p, down(p, z, 200, 100))


def shifted_text(p: Plain) -> float:
    unit = paired_noise(0, p.one.keys, (1, WIDTH), "text shift", 0)
    shifted = p.target.embed([p.caption]) + 0.5 * unit
    z = start(p)
    for t in (300, 200, 100):
        empty = p.eps(z, t, "")
        eps = empty + S * (p.target.predict_noise(z, t, shifted) - empty)
        x0 = (z - (1 - p.ab(t)) ** 0.5 * eps) / p.ab(t) ** 0.5
        z = p.ab(t - 100) ** 0.5 * x0 + (1 - p.ab(t - 100)) ** 0.5 * eps
    return latent(p, z)


FORMULAS: list[tuple[Trajectory, Callable[[Plain], float]]] = [
    (Trajectory(signal=Signal.LOSS), partial_loss),
    (Trajectory(signal=Signal.LATENT), partial_latent),
    (Trajectory(signal=Signal.PIXEL), partial_pixel),
    (Trajectory(position=0), first_visit),
    (Trajectory(stop=0), to_the_end),
    (Trajectory(draws=2), two_draws),
    (SETTINGS["no-classifier-free-guidance"], without_guidance),
    (SETTINGS["reversed-noise-big-classifier-free-guidance"], big_guidance),
    (replace(SETTINGS["diff-starts"], position=1), renoised),
    (replace(SETTINGS["diff-starts"], position=1, signal=Signal.LOSS), renoised_loss),
    (SETTINGS["noise-100-everytime"], told_another_level),
    (replace(SETTINGS["noise-100-everytime"], signal=Signal.LOSS), told_another_level_loss),
    (SETTINGS["reversed-noise"], reversed_steps),
    (SETTINGS["wrong-start"], wrong_start),
    (SETTINGS["shift"], shifted_latent),
    (SETTINGS["text-shift-05"], shifted_text),
]


@pytest.mark.parametrize(("attack", "formula"), FORMULAS, ids=lambda x: getattr(x, "__name__", ""))
def test_formula(
    attack: Trajectory, formula: Callable[[Plain], float], drawings: Candidates
) -> None:
    assert_agrees(attack, formula, drawings)


def test_sixteen_settings_differ(dummy: DummyTarget, drawings: Candidates) -> None:
    assert len(SETTINGS) == len(set(SETTINGS.values())) == 16
    scores = [setting(Oracle(dummy), drawings[38:42]) for setting in SETTINGS.values()]
    assert len(np.unique(scores, axis=0)) == 16


@pytest.mark.parametrize("name", SETTINGS)
def test_members_of_a_memoriser_score_higher(
    name: str, dummy: DummyTarget, drawings: Candidates, member: np.ndarray
) -> None:
    assert roc_auc_score(member, SETTINGS[name](Oracle(dummy), drawings)) > 0.6


@pytest.mark.parametrize("position", [-1, 0, 2])
def test_variants_are_every_signal_at_every_visit(position: int) -> None:
    attack = Trajectory(position=position)
    variants = attack.variants()
    assert variants[0] == attack
    places = {(v.signal, v._index) for v in variants if isinstance(v, Trajectory)}
    assert len(variants) == len(places) == 9


@pytest.mark.parametrize(("position", "visits"), [(0, 1), (1, 2), (2, 3), (-1, 3)])
def test_a_walk_ends_where_it_is_read(position: int, visits: int) -> None:
    assert Trajectory(position=position).cost.unet_rows == 2 * visits
    assert Trajectory(position=position, iterative=False).cost.unet_rows == 2


def test_one_walk_gives_every_variant(dummy: DummyTarget, drawings: Candidates) -> None:
    few, walk = drawings[38:42], SETTINGS["shift"]
    errors = walk.errors(Oracle(dummy), few, list(Signal), range(3)).numpy()
    for variant in walk.variants():
        assert isinstance(variant, Trajectory)
        expected = -errors[:, variant._index, list(Signal).index(variant.signal)]
        np.testing.assert_allclose(variant(Oracle(dummy), few), expected, rtol=1e-6)


@pytest.mark.parametrize("setting", SETTINGS.values())
def test_repr_is_the_constructor_call(setting: Trajectory) -> None:
    assert eval(repr(setting)) == setting
    assert "signal=Signal.LATENT" in repr(setting)
