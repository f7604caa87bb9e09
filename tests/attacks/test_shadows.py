"""LiRA, RMIA and BaVarIA: against formulas written for one picture, and on models that memorise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import invgamma, norm
from sklearn.metrics import roc_auc_score

from attacks import make_attack
from attacks.base import Attack
from attacks.grey_box.sima import SimA
from attacks.shadow.bavaria import BaVarIA
from attacks.shadow.likelihood import Scale, bavaria, lira_offline, lira_online, rmia
from attacks.shadow.lira import LiRA
from attacks.shadow.rmia import RMIA
from miagym.candidates import Candidates
from miagym.errors import AttackError, DataError, TargetError, TooFewShadows
from miagym.oracle import Access, Budget, Cost, Oracle, Shadows
from miagym.targets.dummy import DummyTarget

K, N = 12, 40


@pytest.fixture(scope="module")
def deal() -> np.ndarray:
    """Which of 12 shadow models and a target saw which of 40 pictures (13, 40)."""
    rng = np.random.default_rng(5)
    return np.stack([rng.permutation(N) < N // 2 for _ in range(K + 1)])


@pytest.fixture(scope="module")
def synthetic() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Signal, signals, inside and labels: pictures differ by 5, members are 1 higher, sd .5."""
    rng = np.random.default_rng(0)
    inside = rng.permuted(np.tile(np.arange(K) < K // 2, (300, 1)), axis=1).T
    member = rng.random(300) < 0.5
    level = rng.normal(0, 5, 300)
    signals = level + inside + rng.normal(0, 0.5, inside.shape)
    return level + member + rng.normal(0, 0.5, 300), signals, inside, member


def sides(i: int, signals: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return signals[inside[:, i], i], signals[~inside[:, i], i]


def test_the_pooled_scale_is_that_of_models_and_not_of_pictures(synthetic) -> None:
    _, signals, inside, _ = synthetic
    scale = Scale.of(signals, inside)
    assert scale.inside == pytest.approx(0.5, rel=0.05)
    assert scale.outside == pytest.approx(0.5, rel=0.05)
    assert scale.gain == pytest.approx(1, abs=0.1)


def test_lira_is_the_ratio_of_two_gaussians(synthetic) -> None:
    signal, signals, inside, _ = synthetic
    scale = Scale(0.6, 0.4, 1.0)
    for i in range(5):
        ours, theirs = sides(i, signals, inside)
        s = signal[i]
        expected = norm(ours.mean(), 0.6).logpdf(s) - norm(theirs.mean(), 0.4).logpdf(s)
        assert lira_online(signal, signals, inside, scale)[i] == pytest.approx(expected)
        own = norm(ours.mean(), ours.std(ddof=1)).logpdf(s)
        own -= norm(theirs.mean(), theirs.std(ddof=1)).logpdf(s)
        assert lira_online(signal, signals, inside, None)[i] == pytest.approx(own)
        offline = lira_offline(signal, signals, inside, scale)[i]
        assert norm.cdf(offline) == pytest.approx(1 - norm(theirs.mean(), 0.4).sf(s))


@pytest.mark.parametrize("online", [True, False])
def test_rmia_ranks_as_its_pairwise_form(synthetic, online: bool) -> None:
    """Authors' Eq. 2: the share of population pictures z with ratio(x) / ratio(z) >= gamma."""
    signal, signals, inside, _ = synthetic
    signal, signals = signal / 5, signals / 5  # so that exp overflows nowhere
    ratios = []
    for i in range(len(signal)):
        ours, theirs = (np.exp(side).mean() for side in sides(i, signals, inside))
        ratios.append(np.exp(signal[i]) / ((ours + theirs) / 2 if online else theirs))
    found = rmia(signal, signals, inside, 1.0, online)
    np.testing.assert_allclose(found, np.log(ratios))
    x, z = np.array(ratios[:200]), np.array(ratios[200:])
    pairwise = (x[:, None] / z >= 1.05).mean(1)
    order = np.argsort(found[:200])
    assert (np.diff(pairwise[order]) >= 0).all()


@pytest.mark.slow
def test_bavaria_is_the_posterior_predictive(synthetic) -> None:
    """Integrated over the variance numerically; the mean, given it, is normal."""
    signal, signals, inside, _ = synthetic
    scale, k0, v0 = Scale(0.6, 0.4, 1.0), 1.5, 6.0
    found = bavaria(signal, signals, inside, scale, k0, v0)
    for i in range(4):
        level = np.mean(signals[:, i] - (inside[:, i] - 0.5))
        logs = []
        for side, pooled, sign in zip(sides(i, signals, inside), (0.6, 0.4), (1, -1), strict=True):
            m0, n = level + sign / 2, len(side)
            rate = v0 * pooled**2 / 2 + side.var() * n / 2
            rate += k0 * n / (k0 + n) * (side.mean() - m0) ** 2 / 2
            variance = invgamma((v0 + n) / 2, scale=rate)
            m = (k0 * m0 + n * side.mean()) / (k0 + n)

            def density(v, m=m, n=n, variance=variance, s=signal[i]) -> float:
                return variance.pdf(v) * norm(m, np.sqrt(v * (1 + 1 / (k0 + n)))).pdf(s)

            logs.append(np.log(quad(density, 1e-6, 20, limit=200)[0]))
        assert found[i] == pytest.approx(logs[0] - logs[1], rel=1e-3, abs=1e-4)


def test_bavaria_becomes_lira_where_it_is_sure(synthetic) -> None:
    signal, signals, inside, _ = synthetic
    found = bavaria(signal, signals, inside, Scale(0.5, 0.5, 1.0), 0.0, 1e9)
    plain = []
    for i in range(len(signal)):
        ours, theirs = sides(i, signals, inside)
        spread = [0.5 * np.sqrt(1 + 1 / len(side)) for side in (ours, theirs)]
        plain.append(
            norm(ours.mean(), spread[0]).logpdf(signal[i])
            - norm(theirs.mean(), spread[1]).logpdf(signal[i])
        )
    np.testing.assert_allclose(found, plain, rtol=1e-4, atol=1e-5)


def test_all_of_them_see_past_what_makes_pictures_differ(synthetic) -> None:
    signal, signals, inside, member = synthetic
    scale = Scale.of(signals, inside)
    alone = roc_auc_score(member, signal)
    for found in (
        lira_online(signal, signals, inside, scale),
        lira_offline(signal, signals, inside, scale),
        rmia(signal, signals, inside, scale.outside, online=True),
        bavaria(signal, signals, inside, scale, 1.0, 8.0),
    ):
        assert roc_auc_score(member, found) > max(0.85, alone + 0.2)


@pytest.fixture(scope="module")
def shadows(drawings: Candidates, deal: np.ndarray) -> Shadows:
    some = drawings[:N]
    models = [DummyTarget(some[np.flatnonzero(one)]) for one in deal[:K]]
    keys = np.array(some.keys)
    return Shadows(
        tuple(Oracle(model) for model in models),
        tuple(frozenset(keys[one]) for one in deal[:K]),
        some,
    )


ATTACKS = [LiRA(SimA()), LiRA(SimA(), online=False), RMIA(SimA()), BaVarIA(SimA())]


@pytest.mark.parametrize("attack", ATTACKS)
def test_on_models_that_memorise(
    attack: Attack, drawings: Candidates, deal: np.ndarray, shadows: Shadows
) -> None:
    target, some = DummyTarget(drawings[:N][np.flatnonzero(deal[K])]), drawings[:N]
    oracle = Oracle(target, Access.GREY, shadows=shadows)
    scores = attack(oracle, some)
    assert roc_auc_score(deal[K], scores) > 0.95
    assert oracle.meter.total() == Cost(queries=2, unet_rows=1, encodes=1) * N
    assert attack.cost == SimA().cost and attack.access == Access.GREY
    order = np.random.default_rng(0).permutation(N)[:15]
    again = attack(Oracle(target, shadows=shadows), some[order])
    np.testing.assert_allclose(again, scores[order], rtol=1e-4, atol=1e-5)
    assert eval(repr(attack)) == attack
    assert [type(one) for one in attack.variants()] == [type(attack)] * 4


def test_by_name_with_parameters_and_over_other_modifiers() -> None:
    assert repr(make_attack("sima+lira(online=False)")) == repr(LiRA(SimA(), online=False))
    both = make_attack("loss(draws=1)+turned+bavaria(trust=4.0)")
    assert repr(both).startswith("BaVarIA(attack=Turned(attack=LossThreshold(")
    assert both.cost.unet_rows == 2 and both.uses_shadows


def test_without_enough_shadows_it_is_refused_before_anything_is_charged(
    drawings: Candidates, shadows: Shadows
) -> None:
    stranger = drawings[N : N + 2]
    oracle = Oracle(DummyTarget(drawings[:1]), shadows=shadows)
    with pytest.raises(TooFewShadows, match=r"needs 2 shadow models .* of 12, 0 were trained"):
        LiRA(SimA())(oracle, stranger)
    assert oracle.meter.total() == Cost()
    assert len(LiRA(SimA(), online=False)(oracle, stranger)) == 2
    with pytest.raises(TargetError, match="name some"):
        LiRA(SimA())(Oracle(DummyTarget(drawings[:1])), stranger)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("cdi+lira", "learns its rule"),
        ("sima+rmia(temperature=0.0)", "temperature above 0"),
        ("sima+bavaria(trust=-1.0)", "strength and trust from 0"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(name: str, why: str) -> None:
    with pytest.raises(AttackError, match=why):
        make_attack(name)


def test_shadows_without_models_are_refused(drawings: Candidates) -> None:
    with pytest.raises(DataError, match="Expected shadow models"):
        Shadows((), (), drawings[:1])


def test_a_budget_binds_the_target_and_not_the_shadows(
    drawings: Candidates, shadows: Shadows
) -> None:
    oracle = Oracle(
        DummyTarget(drawings[:1]), Access.BLACK, budget=Budget(queries=1), shadows=shadows
    )
    scores = make_attack("rediffuse+lira")(oracle, drawings[:3])
    assert len(scores) == 3 and oracle.meter.total().queries == 3
