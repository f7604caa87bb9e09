"""Every attack of the registry, on one contract; and each formula against a plain recomputation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor

from attacks import REFERENCE, attack_names, make_attack
from attacks.base import Attack, LearnedAttack
from attacks.partial_denoising import Signal
from miagym.access import Access
from miagym.budget import Budget, Cost
from miagym.data.candidates import Candidates
from miagym.errors import AccessDenied, BudgetExhausted, NotFitted, TargetError, UnknownName
from miagym.oracle import Oracle
from miagym.targets.base import FINAL
from miagym.targets.dummy import DummyTarget

NAMES = attack_names(with_reference=True)
ASKING = [name for name in attack_names() if not isinstance(make_attack(name), LearnedAttack)]


@pytest.fixture(scope="module")
def reference(drawings: Candidates) -> DummyTarget:
    """A public model that knows one member and one non-member alike."""
    return DummyTarget(drawings[[0, 79]])


def ready(name: str, drawings: Candidates, member: np.ndarray, oracle: Oracle) -> Attack:
    """The attack of a name, fitted if it has to be."""
    attack = make_attack(name)
    if isinstance(attack, LearnedAttack):
        return attack.fit(attack.features(oracle, drawings), member)
    return attack


@pytest.mark.parametrize("name", NAMES)
def test_contract(
    name: str, dummy: DummyTarget, reference: DummyTarget, drawings: Candidates, member: np.ndarray
) -> None:
    def oracle(**options: int) -> Oracle:
        return Oracle(dummy, attack.access, reference=Oracle(reference), **options)

    attack = make_attack(name)
    attack = ready(name, drawings, member, oracle())
    few = drawings[30:50]
    asked = oracle()
    scores = attack(asked, few)
    assert scores.shape == (20,) and scores.dtype == np.float64 and np.isfinite(scores).all()
    np.testing.assert_array_equal(attack(oracle(), few), scores)
    np.testing.assert_allclose(attack(oracle(batch_size=3), few), scores, rtol=1e-5, atol=1e-6)
    order = np.random.default_rng(0).permutation(20)
    np.testing.assert_allclose(attack(oracle(), few[order]), scores[order], rtol=1e-5, atol=1e-6)
    for key in few.keys:
        assert asked.meter.spent(key) == attack.cost
    if not isinstance(attack, LearnedAttack):
        assert eval(repr(attack), vars_of_attacks()) == attack


def vars_of_attacks() -> dict[str, object]:
    """The names that the repr of an attack uses."""
    import attacks

    return {**vars(attacks), "Signal": Signal}


@pytest.mark.parametrize("name", ASKING)
def test_refused_below_its_access(name: str, dummy: DummyTarget, drawings: Candidates) -> None:
    attack = make_attack(name)
    oracle = Oracle(dummy, Access(attack.access - 1))
    with pytest.raises(AccessDenied):
        attack(oracle, drawings[:2])
    assert oracle.meter.total() == Cost()


@pytest.mark.parametrize("name", ASKING)
def test_members_of_a_memoriser_score_higher(
    name: str, dummy: DummyTarget, drawings: Candidates, member: np.ndarray
) -> None:
    scores = make_attack(name)(Oracle(dummy, Access.GREY), drawings)
    assert roc_auc_score(member, scores) > 0.6


@pytest.mark.parametrize("name", ["text-to-image", "variation"])
def test_black_box_attacks_spend_what_the_budget_allows(
    name: str, dummy: DummyTarget, drawings: Candidates
) -> None:
    attack = replace(make_attack(name), draws=4)
    oracle = Oracle(dummy, attack.access, budget=Budget(queries=2))
    few = drawings[:3]
    np.testing.assert_array_equal(attack(oracle, few), replace(attack, draws=2)(Oracle(dummy), few))
    assert oracle.meter.spent(few.keys[0]).queries == 2
    with pytest.raises(BudgetExhausted):
        attack(oracle, few)


def test_reference_needs_a_reference(dummy: DummyTarget, drawings: Candidates) -> None:
    with pytest.raises(TargetError, match="--reference"):
        make_attack("loss" + REFERENCE)(Oracle(dummy), drawings[:2])


def test_an_attack_that_was_not_fitted_says_so(dummy: DummyTarget, drawings: Candidates) -> None:
    with pytest.raises(NotFitted, match="calibration"):
        make_attack("blind-captions")(Oracle(dummy), drawings[:2])


def test_unknown_names_get_suggestions() -> None:
    with pytest.raises(UnknownName, match="did you mean secmi"):
        make_attack("secmy")


# Plain recomputation, one image at a time, from the symbols, against the target itself.


class Plain:
    """A target asked by hand: no oracle, no batch, no cache."""

    def __init__(self, target: DummyTarget, one: Candidates) -> None:
        self.target = target
        self.caption = one.captions[0]
        self.x = torch.from_numpy(one.images[0].transpose(2, 0, 1).astype(np.float32)) / 255
        self.z0 = target.encode(self.x[None] * 2 - 1)

    def ab(self, t: int) -> float:
        return (
            self.target.final_alpha_cumprod if t == FINAL else float(self.target.alphas_cumprod[t])
        )

    def eps(self, z: Tensor, t: int, prompt: str | None = None) -> Tensor:
        text = self.caption if prompt is None else prompt
        return self.target.predict_noise(z, t, [text])

    def noised(self, eps: Tensor, t: int) -> Tensor:
        return self.ab(t) ** 0.5 * self.z0 + (1 - self.ab(t)) ** 0.5 * eps

    def phi(self, z: Tensor, s: int, t: int) -> Tensor:
        eps = self.eps(z, s)
        x0 = (z - (1 - self.ab(s)) ** 0.5 * eps) / self.ab(s) ** 0.5
        return self.ab(t) ** 0.5 * x0 + (1 - self.ab(t)) ** 0.5 * eps


def noises(target: DummyTarget, one: Candidates, t: int, draws: int) -> list[Tensor]:
    return [Oracle(target).noise(one, t, draw) for draw in range(draws)]


def plain_loss(p: Plain, one: Candidates) -> float:
    errors = [
        ((p.eps(p.noised(e, 200), 200) - e) ** 2).mean() for e in noises(p.target, one, 200, 3)
    ]
    return -float(sum(errors)) / 3


def plain_sima(p: Plain, one: Candidates) -> float:
    return -float((p.eps(p.z0, 100) ** 4).sum() ** 0.25)


def plain_pia(p: Plain, one: Candidates) -> float:
    e0 = p.eps(p.z0, 0)
    return -float((abs(e0 - p.eps(p.noised(e0, 200), 200)) ** 4).sum() ** 0.25)


def plain_secmi(p: Plain, one: Candidates) -> float:
    z = p.z0
    for s in (0, 20, 40, 60, 80):
        z = p.phi(z, s, s + 20)
    back = p.phi(p.phi(z, 100, 120), 120, 100)
    return -float(((z - back) ** 2).mean())


def plain_clid(p: Plain, one: Candidates) -> float:
    gain = 0.0
    for e in noises(p.target, one, 400, 2):
        z = p.noised(e, 400)
        gain += float(((p.eps(z, 400, "") - e) ** 2).mean() - ((p.eps(z, 400) - e) ** 2).mean())
    return gain / 2


def walk(p: Plain, one: Candidates, visited: tuple[int, ...]) -> Tensor:
    z = p.noised(noises(p.target, one, 300, 1)[0], 300)
    for t in visited:
        z = p.phi(z, t, t - 100)
    return z


def plain_partial(p: Plain, one: Candidates) -> float:
    return -float(((walk(p, one, (300, 200, 100)) - p.z0) ** 2).mean())


def plain_partial_pixel(p: Plain, one: Candidates) -> float:
    image = p.target.decode(walk(p, one, (300, 200, 100)))[0] / 2 + 0.5
    return -float((255 * p.x - 255 * image).abs().mean())


def plain_reversed(p: Plain, one: Candidates) -> float:
    return -float(((walk(p, one, (100, 200, 300)) - p.z0) ** 2).mean())


def plain_variation(p: Plain, one: Candidates) -> float:
    images = []
    for draw in range(2):
        z = p.noised(Oracle(p.target)._noise(one, "vary", draw), 201)
        for t, following in ((201, 101), (101, 1), (1, FINAL)):
            z = p.phi(z, t, following)
        images.append(p.target.decode(z)[0] / 2 + 0.5)
    return -float((p.x - sum(images) / 2).square().sum().sqrt())


PLAIN = {
    "loss": plain_loss,
    "sima": plain_sima,
    "pia": plain_pia,
    "secmi": plain_secmi,
    "clid": plain_clid,
    "partial-denoising": plain_partial,
    "partial-denoising-pixel": plain_partial_pixel,
    "reversed-noising": plain_reversed,
    "variation": plain_variation,
}


@pytest.mark.parametrize("name", PLAIN)
def test_formula(name: str, drawings: Candidates) -> None:
    target = DummyTarget(drawings[:10])  # few, and blurred: rows 10.. are denoised to a mixture
    few = drawings[6:14]
    scores = make_attack(name)(Oracle(target), few)
    plain = [PLAIN[name](Plain(target, few[[i]]), few[[i]]) for i in range(len(few))]
    np.testing.assert_allclose(scores, plain, rtol=1e-4, atol=1e-6)
