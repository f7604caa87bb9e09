"""The one door: access, charging, pairing, and answers that batches and caches do not change."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from miagym.candidates import Candidates
from miagym.errors import (
    AccessDenied,
    BudgetError,
    BudgetExhausted,
    DataError,
    TargetError,
    UnknownName,
)
from miagym.oracle import Oracle
from miagym.oracle.access import Access
from miagym.oracle.budget import Budget, Cost
from miagym.oracle.cache import Cache
from miagym.targets.dummy import DummyTarget

QUESTIONS = {
    "generate": (Access.BLACK, lambda o, c, z: o.generate(c, steps=2)),
    "vary": (Access.BLACK, lambda o, c, z: o.vary(c, strength=0.5, steps=2)),
    "encode": (Access.GREY, lambda o, c, z: o.encode(c)),
    "decode": (Access.GREY, lambda o, c, z: o.decode(c, z)),
    "predict_noise": (Access.GREY, lambda o, c, z: o.predict_noise(c, z, 100)),
    "guided": (Access.GREY, lambda o, c, z: o.predict_noise(c, z, 100, guidance_scale=3.0)),
    "gradient": (Access.WHITE, lambda o, c, z: o.latent_gradient(c, z, 100, z)),
    "norms": (
        Access.WHITE,
        lambda o, c, z: o.parameter_gradient_norms(c, z[:, None], [100], z[:, None]),
    ),
    "pixels": (Access.WHITE, lambda o, c, z: o.pixel_gradient(c, o.pixels(c), 100, z)),
    "embedding": (Access.WHITE, lambda o, c, z: o.embedding_gradient(c, z, 100, z, z[:, 0, :1])),
    "embed": (Access.GREY, lambda o, c, z: o.embed(c)),
}


def latents(target: DummyTarget, candidates: Candidates) -> torch.Tensor:
    return Oracle(target).encode(candidates)


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("access", list(Access))
def test_access_decides_and_a_refusal_costs_nothing(
    question: str, access: Access, dummy: DummyTarget, drawings: Candidates
) -> None:
    few = drawings[:3]
    needs, ask = QUESTIONS[question]
    oracle = Oracle(dummy, access)
    if access < needs:
        with pytest.raises(
            AccessDenied, match=f"needs {needs} access, this oracle grants {access}"
        ):
            ask(oracle, few, latents(dummy, few))
        assert oracle.meter.total() == Cost()
    else:
        assert len(ask(oracle, few, latents(dummy, few))) == 3
        assert oracle.meter.total().queries == 3


@pytest.mark.parametrize("question", QUESTIONS)
def test_answers_do_not_depend_on_batch_or_order(
    question: str, dummy: DummyTarget, drawings: Candidates
) -> None:
    few, ask = drawings[:7], QUESTIONS[question][1]
    z = latents(dummy, few)
    whole = ask(Oracle(dummy), few, z)
    torch.testing.assert_close(ask(Oracle(dummy, batch_size=2), few, z), whole)
    order = [4, 0, 6, 2, 5, 1, 3]
    torch.testing.assert_close(ask(Oracle(dummy), few[order], z[order]), whole[order])


@pytest.mark.parametrize("question", QUESTIONS)
def test_caching_is_no_discount_but_computes_once(
    question: str, dummy: DummyTarget, drawings: Candidates
) -> None:
    few, ask = drawings[:5], QUESTIONS[question][1]
    z, cache = latents(dummy, few), Cache()
    first, second = Oracle(dummy, cache=cache), Oracle(dummy, cache=cache)
    a, computed = ask(first, few, z), cache.computed
    b = ask(second, few, z)
    assert torch.equal(a, b)
    assert first.meter.total() == second.meter.total()
    assert replace(first.meter.total(), queries=0) == computed == cache.computed


def test_crops_are_paid_for_by_their_originals_under_the_same_noise(
    dummy: DummyTarget, drawings: Candidates
) -> None:
    few, oracle = drawings[:3], Oracle(dummy)
    dark = few.with_images(few.images // 2)
    bright = oracle.encode(few)
    assert not torch.equal(oracle.encode(dark), bright)
    assert oracle.meter.spent(few.keys[0]) == Cost(queries=2, encodes=2)
    assert torch.equal(oracle.noise(dark, 100), oracle.noise(few, 100))
    assert not torch.equal(oracle.vary(dark, strength=0.5), oracle.vary(few, strength=0.5))
    assert dark[1:].keys == few.keys[1:]


def test_a_target_without_gradients_says_so_before_it_charges(drawings: Candidates) -> None:
    class Closed(DummyTarget):
        has_gradients = False

    oracle = Oracle(Closed(drawings[:4]))
    z = latents(DummyTarget(drawings[:4]), drawings[:2])
    with pytest.raises(TargetError, match="gives no gradients"):
        oracle.latent_gradient(drawings[:2], z, 100, z)
    assert oracle.meter.total() == Cost()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=12), st.integers(1, 6))
def test_a_budget_is_never_overshot_whatever_is_asked(
    dummy: DummyTarget, drawings: Candidates, asked: list[int], limit: int
) -> None:
    oracle = Oracle(dummy, budget=Budget(queries=limit))
    for row in asked:
        spent = oracle.meter.total()
        try:
            oracle.encode(drawings[[row]])
        except BudgetExhausted:
            assert oracle.meter.total() == spent
    for row in set(asked):
        used = oracle.meter.spent(drawings[[row]].keys[0]).queries
        assert used == min(limit, asked.count(row))


def test_noise_is_paired_by_candidate_timestep_and_draw(
    dummy: DummyTarget, drawings: Candidates
) -> None:
    oracle = Oracle(dummy, seed=1)
    noise = oracle.noise(drawings, 100, 0)
    assert torch.equal(oracle.noise(drawings[5:9], 100, 0), noise[5:9])
    assert not torch.equal(oracle.noise(drawings, 100, 1), noise)
    assert oracle.noise(drawings[:0], 100, 0).shape == (0, *noise.shape[1:])
    assert not torch.equal(oracle.noise(drawings, 101, 0), noise)
    assert not torch.equal(Oracle(dummy, seed=2).noise(drawings, 100, 0), noise)
    assert abs(float(noise.mean())) < 0.02 and abs(float(noise.std()) - 1) < 0.02


def test_costs_are_those_of_the_documentation(dummy: DummyTarget, drawings: Candidates) -> None:
    one = drawings[:1]
    z = latents(dummy, one)
    costs = {
        "generate": Cost(queries=1, unet_rows=4, decodes=1),
        "vary": Cost(queries=1, unet_rows=2, encodes=1, decodes=1),
        "encode": Cost(queries=1, encodes=1),
        "decode": Cost(queries=1, decodes=1),
        "predict_noise": Cost(queries=1, unet_rows=1),
        "guided": Cost(queries=1, unet_rows=2),
    }
    for question, cost in costs.items():
        oracle = Oracle(dummy)
        QUESTIONS[question][1](oracle, one, z)
        assert oracle.meter.total() == cost, question


def test_variation_can_be_switched_off(dummy: DummyTarget, drawings: Candidates) -> None:
    with pytest.raises(AccessDenied, match="varies no images"):
        Oracle(dummy, variation=False).vary(drawings[:1], strength=0.5)


def test_pictures_of_another_size_are_refused(dummy: DummyTarget, drawings: Candidates) -> None:
    small = Candidates(drawings.images[:2, :32, :32], drawings.captions[:2])
    oracle = Oracle(dummy)
    with pytest.raises(DataError, match="works on 64×64 pixels, the candidates have 32×32"):
        oracle.encode(small)
    assert oracle.meter.total() == Cost()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a \ud83d cat", "Caption 1 is no Unicode text: character 2"),
        (7, "Caption 1 is of type int"),
    ],
)
def test_what_is_no_text_is_refused(
    dummy: DummyTarget, drawings: Candidates, text: Any, why: str
) -> None:
    oracle, few = Oracle(dummy), drawings[:2]
    with pytest.raises(DataError, match=why):
        Candidates(few.images, ("a cat", text))
    with pytest.raises(DataError, match=why):
        oracle.generate(few, prompts=["a cat", text], steps=2)
    assert oracle.meter.total() == Cost()


def test_answers_that_are_not_finite_are_refused(drawings: Candidates) -> None:
    class Overflowing(DummyTarget):
        def encode(self, images: torch.Tensor) -> torch.Tensor:
            return super().encode(images) * float("inf")

    with pytest.raises(TargetError, match="NaN or infinity"):
        Oracle(Overflowing(drawings[:2])).encode(drawings[:2])


TIMESTEPS = [400, 0, 100, 999, 100]


@pytest.mark.parametrize("guidance", [1.0, 3.0])
@pytest.mark.parametrize("batch_size", [2, 64])
def test_rows_at_their_own_timesteps_are_answered_as_if_alone(
    dummy: DummyTarget, drawings: Candidates, guidance: float, batch_size: int
) -> None:
    few, together, alone = drawings[:5], Oracle(dummy, batch_size=batch_size), Oracle(dummy)
    z = latents(dummy, few)
    draws = [3, 0, 1, 0, 2]
    eps = together.noise(few, TIMESTEPS, draws)
    z_t = together.add_noise(z, eps, TIMESTEPS)
    answers = together.predict_noise(few, z_t, TIMESTEPS, guidance_scale=guidance)
    for i, (t, draw) in enumerate(zip(TIMESTEPS, draws, strict=True)):
        one = few[[i]]
        assert torch.equal(alone.noise(one, t, draw)[0], eps[i])
        assert torch.equal(alone.add_noise(z[[i]], eps[[i]], t)[0], z_t[i])
        expected = alone.predict_noise(one, z_t[[i]], t, guidance_scale=guidance)
        assert torch.equal(expected[0], answers[i])
    assert together.meter.total() == alone.meter.total()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from([0, 100, 999])), min_size=1))
def test_one_timestep_for_all_is_the_same_question_as_one_for_each(
    dummy: DummyTarget, drawings: Candidates, rows: list[tuple[int, int]]
) -> None:
    """However rows are put together, each distinct (candidate, timestep) is computed once."""
    oracle = Oracle(dummy)
    few = drawings[[row for row, _ in rows]]
    z = latents(dummy, few)
    answers = oracle.predict_noise(few, z, [t for _, t in rows])
    assert oracle.cache.computed == Cost(unet_rows=len(set(rows)))
    for t in {t for _, t in rows}:
        at = [i for i, (_, other) in enumerate(rows) if other == t]
        assert torch.equal(oracle.predict_noise(few[at], z[at], t), answers[at])
        assert torch.equal(oracle.predict_noise(few[at], z[at], [t] * len(at)), answers[at])
    assert oracle.cache.computed == Cost(unet_rows=len(set(rows)))


def test_pictures_of_several_draws_are_those_of_each(
    dummy: DummyTarget, drawings: Candidates
) -> None:
    few, oracle = drawings[[0, 0, 1]], Oracle(dummy)
    draws = [0, 2, 2]
    asks = (
        lambda rows, draw: oracle.generate(few[rows], draw=draw, steps=2),
        lambda rows, draw: oracle.vary(few[rows], draw=draw, strength=0.5, steps=2),
    )
    for ask in asks:
        together, computed = ask([0, 1, 2], draws), oracle.cache.computed
        assert not torch.equal(together[0], together[1])
        for i, draw in enumerate(draws):
            assert torch.equal(ask([i], draw)[0], together[i])
        assert oracle.cache.computed == computed


@pytest.mark.parametrize(
    ("timestep", "says"),
    [
        ([100, 200], "one timestep for all rows or one for each of the 3, got 2"),
        ([], "one for each of the 3, got 0"),
        ([100, 1000, 0], "from 0 to 999, got 1000"),
        ([100, -1, 0], "from 0 to 999, got -1"),
        (-1, "from 0 to 999, got -1"),
        (1000, "from 0 to 999, got 1000"),
        ([100, 0.5, 0], "as whole numbers, got"),
        (0.5, "as whole numbers, got 0.5"),
        ("abc", "as whole numbers, got 'abc'"),
        (None, "as whole numbers, got None"),
    ],
)
def test_timesteps_that_make_no_sense_are_refused(
    dummy: DummyTarget, drawings: Candidates, timestep: Any, says: str
) -> None:
    few, oracle = drawings[:3], Oracle(dummy)
    z = latents(dummy, few)
    with pytest.raises((DataError, TargetError), match=says):
        oracle.predict_noise(few, z, timestep)
    with pytest.raises((DataError, TargetError), match=says):
        oracle.add_noise(z, z, timestep)
    assert oracle.meter.total() == Cost()


def test_draws_that_make_no_sense_are_refused(dummy: DummyTarget, drawings: Candidates) -> None:
    few, oracle = drawings[:3], Oracle(dummy)
    wrong: Any
    for wrong in ([1, 2], "draw", 0.5):
        for ask in (
            lambda: oracle.noise(few, 100, wrong),  # noqa: B023
            lambda: oracle.generate(few, draw=wrong, steps=2),  # noqa: B023
            lambda: oracle.vary(few, draw=wrong, strength=0.5, steps=2),  # noqa: B023
        ):
            with pytest.raises(DataError, match="one draw for all rows or one for each"):
                ask()
    assert oracle.meter.total() == Cost()


def test_timesteps_may_come_from_numpy(dummy: DummyTarget, drawings: Candidates) -> None:
    few, oracle = drawings[:5], Oracle(dummy)
    z = latents(dummy, few)
    whole = oracle.predict_noise(few, z, TIMESTEPS)
    numbers: Any = np.array(TIMESTEPS)
    assert torch.equal(oracle.predict_noise(few, z, numbers), whole)
    assert torch.equal(oracle.predict_noise(few[:1], z[:1], numbers[0]), whole[:1])
    assert oracle.cache.computed == Cost(unet_rows=5)


def test_access_may_be_named_and_queries_be_a_number(
    dummy: DummyTarget, drawings: Candidates
) -> None:
    oracle = Oracle(dummy, access="grey", queries=1)
    assert oracle.access is Access.GREY and oracle.meter.budget == Budget(queries=1)
    oracle.encode(drawings[:1])
    with pytest.raises(BudgetExhausted, match="1 of 1 are spent"):
        oracle.encode(drawings[:1])


def test_options_that_make_no_oracle(dummy: DummyTarget) -> None:
    with pytest.raises(UnknownName, match="access level is called 'gray'; did you mean grey"):
        Oracle(dummy, "gray")
    with pytest.raises(BudgetError, match="`queries` or a `budget`, not both"):
        Oracle(dummy, queries=1, budget=Budget(queries=1))
    with pytest.raises(BudgetError, match="A budget of 0 queries buys no answer"):
        Oracle(dummy, queries=0)
    with pytest.raises(UnknownName, match="clipart-overfit"):
        Oracle("clipart-overfitted")


def test_what_needs_no_torch_comes_without_it() -> None:
    code = (
        "import sys; from miagym.oracle import Access, Budget, Candidates, Cost, Meter; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("method", "question", "shape", "came"),
    [
        ("predict_noise", "noise", "(10, 3, 16, 16)", "(10, 1, 16, 16)"),
        ("decode", "decode", "(10, 3, 64, 64)", "(10, 1, 64, 64)"),
        ("encode", "encode", "(10, 3, 16, 16)", "(10, 1, 16, 16)"),
    ],
)
def test_an_answer_of_another_shape_is_no_number(
    method: str, question: str, shape: str, came: str, dummy: DummyTarget, drawings: Candidates,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """One channel would be broadcast to all, and give a score."""
    oracle, some = Oracle(dummy), drawings[:10]
    z = oracle.noise(some, 100)
    right = getattr(dummy, method)
    monkeypatch.setattr(dummy, method, lambda *asked: right(*asked)[:, :1])
    asks = {
        "noise": lambda: oracle.predict_noise(some, z, 100),
        "decode": lambda: oracle.decode(some, z),
        "encode": lambda: oracle.encode(some),
    }
    with pytest.raises(TargetError) as caught:
        asks[question]()
    assert str(caught.value) == (
        f"Expected an answer of shape {shape} by {method} of dummy, got {came}; mend that method "
        "of the target."
    )
