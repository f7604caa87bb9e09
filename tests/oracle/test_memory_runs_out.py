"""Memory that runs out makes batches smaller, and changes neither an answer nor a charge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from miagym.candidates import Candidates
from miagym.errors import MemoryRanOut
from miagym.oracle import Oracle
from miagym.targets.dummy import DummyTarget
from miagym.targets.pipeline import autoencoder
from miagym.targets.registry import load_target
from tests.oracle.test_oracle import QUESTIONS, latents

ROOM = 3
"""Rows that there is memory for."""


class Narrow(DummyTarget):
    """A dummy target whose device has room for a few rows; `asked` are the batches it was given."""

    def __init__(self, training: Candidates, room: int, error: Exception) -> None:
        self.room, self.error = training.images.shape[0], error
        super().__init__(training)
        self.room, self.asked = room, Counter[int]()

    def latents(self, images: Tensor) -> Tensor:
        return super().latents(self.fitting(images))

    def decode(self, latents: Tensor) -> Tensor:
        return super().decode(self.fitting(latents))

    def eps(self, z: Tensor, timestep: Any, embeddings: Tensor) -> Tensor:
        return super().eps(self.fitting(z), timestep, embeddings)

    def fitting(self, rows: Tensor) -> Tensor:
        if hasattr(self, "asked"):
            self.asked[len(rows)] += 1
        if len(rows) > self.room:
            raise self.error
        return rows


ERRORS = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError("MPS backend out of memory (MPS allocated: 18.10 GB)"),
    RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
]


@pytest.mark.parametrize("question", sorted(QUESTIONS.keys() - {"embed", "norms"}))
def test_every_question_is_answered_in_smaller_batches(
    question: str, dummy: DummyTarget, drawings: Candidates
) -> None:
    ask, asked_about = QUESTIONS[question][1], drawings[30:47]
    z = latents(dummy, asked_about)
    roomy, target = Oracle(dummy), Narrow(drawings[:40], ROOM, ERRORS[0])
    narrow = Oracle(target)
    torch.testing.assert_close(ask(narrow, asked_about, z), ask(roomy, asked_about, z))
    assert max(target.asked) > ROOM
    assert narrow.meter.total() == roomy.meter.total()
    assert narrow.cache.computed == roomy.cache.computed
    for key in asked_about.keys:
        assert narrow.meter.spent(key) == roomy.meter.spent(key)


@pytest.mark.parametrize("error", ERRORS, ids=["cuda", "mps", "cpu"])
def test_what_fits_is_remembered(error: Exception, drawings: Candidates) -> None:
    target = Narrow(drawings[:40], ROOM, error)
    Oracle(target, batch_size=16).encode(drawings[:16])
    assert target.asked == {16: 1, 8: 1, 4: 1, 2: 8}
    target.asked.clear()
    Oracle(target, seed=1, batch_size=16).encode(drawings[:16])  # another cache: all is asked again
    assert target.asked == {2: 8}


def test_no_room_for_one_row_is_said_in_a_sentence(drawings: Candidates) -> None:
    target = Narrow(drawings[:40], 0, ERRORS[0])
    with pytest.raises(MemoryRanOut, match=r"ran out on cpu where dummy .* 'encode' for one row"):
        Oracle(target).encode(drawings[:5])
    assert min(target.asked) == 1


def test_other_errors_of_a_network_are_not_taken_for_it(drawings: Candidates) -> None:
    target = Narrow(drawings[:40], ROOM, RuntimeError("shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        Oracle(target).encode(drawings[:5])
    assert target.asked == {5: 1}


@pytest.mark.parametrize(
    "ask",
    [
        lambda oracle, few: oracle.generate(few, steps=2),
        lambda oracle, few: oracle.vary(few, strength=0.5, steps=2),
        lambda oracle, few: oracle.decode(few, oracle.encode(few)),
    ],
    ids=["generate", "vary", "decode"],
)
def test_a_pipeline_decodes_in_parts_and_denoises_once(
    ask: Callable[[Oracle, Candidates], Tensor],
    pipelines: dict[str, Path],
    drawings: Candidates,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few = drawings[:7]
    target: Any = load_target(str(pipelines["epsilon"]))
    output, images = target.output, target.autoencoder.images
    denoised, decoded = [], []

    def count(z: Tensor, *told: Tensor) -> Tensor:
        denoised.append(len(z))
        return output(z, *told)

    def decode(z: Tensor) -> Tensor:
        decoded.append(len(z))
        if len(z) > ROOM:
            raise ERRORS[0]
        return images(z)

    monkeypatch.setattr(target, "output", count)
    roomy = Oracle(target)
    whole, once = ask(roomy, few), denoised.copy()
    denoised.clear()
    monkeypatch.setattr(target.autoencoder, "images", decode)
    narrow = Oracle(target)
    torch.testing.assert_close(ask(narrow, few), whole, rtol=1e-4, atol=1e-4)
    assert decoded == [7, 3, 3, 1]
    assert denoised == once
    assert narrow.meter.total() == roomy.meter.total()


@pytest.mark.parametrize("question", ["decode", "decoder_gradient"])
def test_on_a_cpu_the_decoder_takes_few_pictures_at_once(
    question: str,
    pipelines: dict[str, Path],
    drawings: Candidates,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few = drawings[:7]
    target: Any = load_target(str(pipelines["epsilon"]))
    z, weights = Oracle(target).encode(few), Oracle(target).pixels(few)
    given = {"decode": (z,), "decoder_gradient": (z, weights)}[question]
    whole, real, sizes = getattr(target, question)(*given), target.autoencoder.decoded, []

    def count(rows: Tensor) -> Tensor:
        sizes.append(len(rows))
        return real(rows)

    monkeypatch.setattr(target.autoencoder, "decoded", count)
    of_one = autoencoder.BYTES_AT_ONCE // target.autoencoder.at_once(target.resolution)
    monkeypatch.setattr(autoencoder, "BYTES_AT_ONCE", 3 * of_one + 1)
    in_parts = getattr(target, question)(*given)
    assert sizes == [3, 3, 1]
    close = 1e-3 * float(whole.abs().max())  # a convolution adds up in an order that its batch sets
    torch.testing.assert_close(in_parts, whole, rtol=0, atol=close)
