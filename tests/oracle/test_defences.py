"""Defences of the black box: what is done to pictures before they are handed out."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

import miagym
from miagym.candidates import Candidates
from miagym.data.registry import load_data
from miagym.errors import SettingsError
from miagym.oracle import Cache, Oracle
from miagym.oracle.defences import Defence
from miagym.targets.dummy import DummyTarget


@pytest.fixture(scope="module")
def data() -> miagym.Dataset:
    return replace(load_data("clipart-tune"), groups=None, name="tune")


@pytest.fixture(scope="module")
def candidates(data: miagym.Dataset) -> Candidates:
    return data.candidates(np.flatnonzero(data.member)[:6], 64)


@pytest.fixture(scope="module")
def target(candidates: Candidates) -> DummyTarget:
    return DummyTarget(candidates)


def test_each_step_is_what_it_says(target: DummyTarget, candidates: Candidates) -> None:
    bare = Oracle(target).vary(candidates, strength=0.5, steps=4)
    coarse = Oracle(target, defence="round:2").vary(candidates, strength=0.5, steps=4)
    torch.testing.assert_close(coarse, (bare.clamp(0, 1) * 3).round() / 3)
    packed = Oracle(target, defence="jpeg:30").vary(candidates, strength=0.5, steps=4)
    pixels = (bare[2].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=30)
    assert np.array_equal(packed[2].permute(1, 2, 0).numpy() * 255, np.asarray(Image.open(file)))
    smooth = Oracle(target, defence="resize:0.25").vary(candidates, strength=0.5, steps=4)
    assert smooth.shape == bare.shape

    def roughness(pictures: torch.Tensor) -> float:
        return float(pictures.diff(dim=-1).square().mean())

    assert roughness(smooth) < 0.7 * roughness(bare)


def test_steps_are_taken_in_their_order(target: DummyTarget, candidates: Candidates) -> None:
    generated = Oracle(target).generate(candidates, steps=4)
    both = Defence.named("resize:0.5+round:3")
    assert str(both) == "resize:0.5+round:3" and Defence.named(str(both)) == both
    told = Oracle(target, defence=both).generate(candidates, steps=4)
    apart = Defence.named("round:3")(Defence.named("resize:0.5")(generated))
    assert torch.equal(told, apart) and not torch.equal(told, generated)


def test_a_shared_cache_does_not_mix_bare_and_defended(
    target: DummyTarget, candidates: Candidates
) -> None:
    cache = Cache()
    bare = Oracle(target, cache=cache).vary(candidates, strength=0.5, steps=4)
    told = Oracle(target, cache=cache, defence="round:1").vary(candidates, strength=0.5, steps=4)
    assert set(told.unique().tolist()) <= {0.0, 1.0} and not torch.equal(told, bare)


def test_answers_do_not_depend_on_the_batch(target: DummyTarget, candidates: Candidates) -> None:
    for defence in ("jpeg:40", "resize:0.3", "round:3"):
        one = Oracle(target, defence=defence, batch_size=1).vary(candidates, strength=0.5, steps=4)
        all_ = Oracle(target, defence=defence).vary(candidates, strength=0.5, steps=4)
        torch.testing.assert_close(one, all_)


@pytest.mark.parametrize(
    "name", ["jpeg", "jpeg:0", "jpeg:60.5", "round:9", "resize:1", "blur:3", "jpeg:60+", "jpeg:-3"]
)
def test_what_is_no_defence_is_a_sentence(name: str, target: DummyTarget) -> None:
    with pytest.raises(SettingsError, match="is no defence; expected round:4, jpeg:60"):
        Oracle(target, defence=name)


@pytest.mark.slow
def test_a_run_is_defended_where_a_service_would_be(
    data: miagym.Dataset, target: DummyTarget
) -> None:
    given = {"limit": 12, "null": None, "reference": None}
    attacks = "rediffuse,loss(timestep=200)"
    bare = miagym.evaluate(target, data, attacks, **given)
    told = miagym.evaluate(target, data, attacks, defence="resize:0.1", **given)

    def scores(run: miagym.Run, attack: str) -> list[float]:
        table = run.scores.to_pandas()
        return table[table["attack"] == attack]["score"].tolist()

    assert scores(told, "rediffuse") != scores(bare, "rediffuse")
    assert scores(told, "loss(timestep=200)") == scores(bare, "loss(timestep=200)")
    assert any("Black-box answers were defended (resize:0.1)" in str(p) for p in told.parts())
    assert "defence='resize:0.1'" in told.command
    assert not any("defended" in str(p) for p in bare.parts())
