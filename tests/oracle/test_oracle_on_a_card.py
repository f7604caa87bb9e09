"""Questions to a target on another device than the host's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from miagym.candidates import Candidates
from miagym.oracle import Oracle
from miagym.oracle.latents import KeptLatents
from miagym.targets.dummy import DummyTarget
from tests.pretended_card import Mixed, PretendedCard, TargetOnCard


def answers(oracle: Oracle, drawings: Candidates) -> list[Tensor]:
    """Of every question that an oracle has for pictures."""
    z0, noise = oracle.encode(drawings), oracle.noise(drawings, 100)
    z, shown = oracle.add_noise(z0, noise, 100), oracle.decode(drawings, z0)
    masks = np.zeros((len(drawings), *shown.shape[2:]), dtype=bool)
    masks[:, :20] = True
    found = [
        z0,
        shown,
        oracle.predict_noise(drawings, z, 100, guidance_scale=2.0),
        oracle.ddim_move(z, noise, 100, 200),
        oracle.generate(drawings, steps=2),
        oracle.vary(drawings, strength=0.5, steps=4),
        oracle.inpaint(drawings, masks, steps=2),
        oracle.decoder_gradient(drawings, z0, shown),
        oracle.latent_gradient(drawings, z, 100, noise),
        oracle.embedding_gradient(drawings, z, 100, noise, oracle.embed(drawings)),
        oracle.pixel_gradient(drawings, oracle.pixels(drawings), 100, noise),
        oracle.parameter_gradient_norms(drawings, z[:, None], [100], noise[:, None]),
    ]
    return [answer.cpu() for answer in found]


@pytest.mark.parametrize("options", [{}, {"posterior": "sample"}, {"defence": "jpeg:60"}], ids=str)
@pytest.mark.parametrize("kind", ["cuda", "mps"])
def test_answers_are_those_of_the_host(
    kind: str, options: dict[str, str], dummy: DummyTarget, drawings: Candidates
) -> None:
    some = drawings[35:45]
    with PretendedCard(kind) as card:
        found = answers(Oracle(TargetOnCard(drawings[:40], card), **options), some)
    for ours, host in zip(found, answers(Oracle(dummy, **options), some), strict=True):
        torch.testing.assert_close(ours, host, rtol=0, atol=0)


def test_no_transfer_to_a_cuda_card_waits(drawings: Candidates) -> None:
    """The card would stand still meanwhile, and the host would then draw noise while it does."""
    with PretendedCard("cuda") as card:
        oracle = Oracle(TargetOnCard(drawings[:40], card))
        oracle.encode(drawings)
        for draw in range(3):
            oracle.noise(drawings, 100, draw)
    assert (card.pinned, card.waited) == (5, 0)


def test_the_host_waits_twice_a_batch(drawings: Candidates) -> None:
    """For the latents that name a question in the cache, and to know that answers are finite."""
    with PretendedCard("cuda") as card:
        oracle = Oracle(TargetOnCard(drawings[:40], card), batch_size=len(drawings))
        z = oracle.encode(drawings)
        for t in (100, 200, 300):
            before = card.read
            z = oracle.ddim_move(z, oracle.predict_noise(drawings, z, t), t, t + 100)
            assert card.read - before == 2


def test_latents_that_are_kept_come_back_to_the_card(tmp_path: Path, drawings: Candidates) -> None:
    with PretendedCard("cuda") as card:
        target = TargetOnCard(drawings[:40], card)
        fresh = Oracle(target, latents=KeptLatents(tmp_path)).encode(drawings[:30])
        mixed = Oracle(target, latents=KeptLatents(tmp_path)).encode(drawings[20:50])
        assert mixed.device == card.device
        torch.testing.assert_close(mixed[:10], fresh[20:], rtol=0, atol=0)


def test_the_pretended_card_refuses_what_a_real_one_refuses() -> None:
    host = torch.ones(3)
    for kind in ("cuda", "mps"):
        with PretendedCard(kind) as card:
            there = host.to(card.device)
            assert (there.device, (there + 1).device) == (card.device, card.device)
            assert there.cpu().device == host.device == torch.device("cpu")
            with pytest.raises(Mixed):
                there + host
            with pytest.raises(Mixed):
                there.numpy()
            if kind == "mps":
                with pytest.raises(Mixed):
                    there.double()
