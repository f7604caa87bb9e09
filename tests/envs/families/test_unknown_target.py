"""The model of a target that nobody names: which it is like is told by the answers of the pool."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from miagym.agents.answer_models.gaussian import AnswerModel
from miagym.agents.answer_models.unknown_target import UnknownTargetModel
from miagym.agents.knowledge_gradient import KnowledgeGradientAgent
from miagym.agents.observations import ObservationBatch

DEVIATION = np.array([1.0, 0.8, 0.7])
RHO = np.array([[1, 0.8, 0.7], [0.8, 1, 0.9], [0.7, 0.9, 1]])


def target(member: float) -> AnswerModel:
    """Ratios of members are about so much, of others about 0."""
    return AnswerModel(np.array([[0.0] * 3, [member] * 3]), np.stack([DEVIATION] * 2),
                       np.stack([RHO] * 2))  # fmt: skip


REMEMBERS, FORGETS = target(-3.0), target(0.0)
MODEL = UnknownTargetModel((REMEMBERS, FORGETS))


def pool(n: int, member: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Ratios (n,) of a pool of which half are members, and numbers of answers (n,)."""
    rng = np.random.default_rng(seed)
    count = rng.integers(1, 4, n)
    return np.where(np.arange(n) % 2, member, 0) + DEVIATION[count - 1] * rng.normal(size=n), count


def test_weights_are_bayes_rule_written_out() -> None:
    ratio, count = pool(6, -3.0)
    ratio, count = np.append(ratio, 0.0), np.append(count, 0)
    likelihoods = []
    for far in (-3.0, 0.0):
        each = [(norm.pdf(x, 0, DEVIATION[k - 1]) + norm.pdf(x, far, DEVIATION[k - 1])) / 2
                for x, k in zip(ratio, count, strict=True) if k]  # fmt: skip
        likelihoods.append(np.prod(each))
    weights = MODEL.weights(ratio, count)[:, 0]
    assert weights == pytest.approx(np.array(likelihoods) / sum(likelihoods))
    by_target = [model.probability(ratio, count) for model in (REMEMBERS, FORGETS)]
    assert MODEL.probability(ratio, count) == pytest.approx(weights @ np.stack(by_target))
    assert MODEL.probability(ratio, count)[-1] == pytest.approx(0.5)


def test_the_pool_tells_which_target_it_is() -> None:
    for far, which in ((-3.0, 0), (0.0, 1)):
        assert MODEL.weights(*pool(16, far))[which, 0] > 0.95
    ratio, count = pool(16, 0.0)
    assert abs(MODEL.probability(ratio, count) - 0.5).max() < 0.05
    assert abs(REMEMBERS.probability(ratio, count) - 0.5).max() > 0.4, "which one rule would say"


def test_of_one_target_it_is_that_target_s_model() -> None:
    ratio, count = np.stack([pool(5, -1.0, seed)[0] for seed in (1, 2)]), np.full((2, 5), 2)
    alone = UnknownTargetModel((REMEMBERS,))
    assert np.allclose(alone.probability(ratio, count), REMEMBERS.probability(ratio, count))
    assert np.allclose(alone.gain(ratio, count), REMEMBERS.gain(ratio, count))


def test_pools_of_a_batch_are_each_alone() -> None:
    pools = [pool(8, far, seed) for seed, far in enumerate((-3.0, 0.0, -3.0))]
    ratio, count = (np.stack(part) for part in zip(*pools, strict=True))
    for how in (MODEL.probability, MODEL.gain):
        each = np.stack([how(*one) for one in pools])
        assert np.allclose(how(ratio, count), each)


def test_the_gain_is_what_a_simulation_finds() -> None:
    ratio, count = np.array([-1.2, -0.4, 0.5]), np.array([1, 2, 0])
    rng, n = np.random.default_rng(0), 200_000
    weights = MODEL.weights(ratio, count)
    gains = MODEL.gain(ratio, count)
    for i, (now, k) in enumerate(zip(ratio, count, strict=True)):
        which = rng.choice(2, size=n, p=weights[:, 0])
        p = np.array([m.probability(now, k) for m in (REMEMBERS, FORGETS)])
        member = rng.random(n) < p[which]
        far = np.where(member, np.where(which == 0, -3.0, 0.0), 0.0)
        rho = RHO[k - 1, k] if k else 0.0
        off = (now - far) / DEVIATION[k - 1] if k else 0.0
        then = far + DEVIATION[k] * (rho * off + np.sqrt(1 - rho**2) * rng.normal(size=n))
        said = MODEL.under(weights, then, np.full(n, k + 1))
        before = MODEL.under(weights, ratio, count)[i]
        expected = (1 - 4 * said * (1 - said)).mean() - (1 - 4 * before * (1 - before))
        assert gains[i] == pytest.approx(expected, abs=0.01)
    assert MODEL.gain(ratio, np.full(3, 3)).tolist() == [0, 0, 0]


def test_an_agent_asks_by_it_whom_the_target_leaves_in_doubt() -> None:
    agent = KnowledgeGradientAgent(MODEL, np.array([3]))
    ratio = np.array([[0.1, -3.1, -1.5, 0.2]])
    summary = np.zeros((1, 4, 1, 8), dtype=np.float32)
    summary[0, :, 0, 3], summary[0, :, 0, 7] = np.exp(ratio[0]), 1.0
    seen = {
        "candidates": np.zeros((1, 4, 8, 8, 3), dtype=np.uint8), "summary": summary,
        "captions": np.zeros((1, 4, 77), dtype=np.int32),
        "count": np.ones((1, 4, 1), dtype=np.int32), "affordable": np.ones((1, 1), dtype=np.int8),
        "budget_left": np.array([[30]], dtype=np.int32), "answered": np.zeros((1, 1, 1)),
    }  # fmt: skip
    action = agent.act(seen, np.random.default_rng(0))
    assert action["candidate"].tolist() == [[2]]
    assert ObservationBatch.of(seen).believed(MODEL, seen)[0, 1] > 0.9
