"""Latents kept in a folder: the same numbers without the encoder, and no other model's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import miagym
from miagym.candidates import Candidates
from miagym.data.registry import load_data
from miagym.errors import DataError, SettingsError, TargetError
from miagym.oracle import Oracle
from miagym.oracle.latents import KeptLatents
from miagym.targets.base import Target
from miagym.targets.dummy import DummyTarget
from miagym.targets.registry import load_target


class Counting(DummyTarget):
    """A target that counts the pictures that it encodes."""

    encoded = 0

    def encode(self, images: Tensor, noise: Tensor | None = None) -> Tensor:
        self.encoded += len(images)
        return super().encode(images, noise)


@pytest.fixture
def few(drawings: Candidates) -> Candidates:
    return drawings[:6]


def counting(drawings: Candidates, name: str = "one") -> Counting:
    target = Counting(drawings[:4])
    target.fingerprint = name
    return target


def encode(target: Target, candidates: Candidates, folder: Path, **options: Any) -> Tensor:
    return Oracle(target, latents=KeptLatents(folder), **options).encode(candidates)


def test_each_picture_is_encoded_once_whatever_the_batches(
    few: Candidates, drawings: Candidates, tmp_path: Path
) -> None:
    target = counting(drawings)
    expected = Oracle(counting(drawings)).encode(few)
    assert torch.equal(encode(target, few[:4], tmp_path, batch_size=3), expected[:4])
    assert target.encoded == 4
    assert torch.equal(encode(target, few[[5, 4, 3, 2, 1, 0]], tmp_path), expected.flip(0))
    assert target.encoded == 6
    assert torch.equal(encode(target, few, tmp_path, batch_size=2), expected)
    assert target.encoded == 6


def test_the_charge_is_the_same(few: Candidates, drawings: Candidates, tmp_path: Path) -> None:
    spent = []
    for _ in range(2):
        oracle = Oracle(counting(drawings), latents=KeptLatents(tmp_path))
        oracle.encode(few)
        spent.append(oracle.meter.total())
    assert spent[0] == spent[1] and spent[0].encodes == len(few)


def test_another_model_reads_nothing_of_it(
    few: Candidates, drawings: Candidates, tmp_path: Path
) -> None:
    encode(counting(drawings), few, tmp_path)
    other = counting(drawings, "other")
    encode(other, few, tmp_path)
    assert other.encoded == len(few)


def test_a_sample_of_the_posterior_is_not_kept(
    few: Candidates, drawings: Candidates, tmp_path: Path
) -> None:
    encode(counting(drawings), few, tmp_path, posterior="sample")
    assert not list(tmp_path.rglob("*.safetensors"))
    with pytest.raises(SettingsError, match="keeps means of the posterior, and this run samples"):
        miagym.evaluate("clipart-overfit", posterior="sample", keep_latents=tmp_path)


def test_pixels_are_their_own_latents(tmp_path: Path) -> None:
    target = load_target("clipart-pixels")
    encode(target, load_data("clipart").candidates(np.arange(2), target.resolution), tmp_path)
    assert not list(tmp_path.rglob("*.safetensors"))


def test_a_model_that_does_not_say_which_it_is_is_refused(
    few: Candidates, drawings: Candidates, tmp_path: Path
) -> None:
    with pytest.raises(TargetError, match="has no fingerprint"):
        encode(counting(drawings, ""), few, tmp_path)


@pytest.mark.parametrize("content", [b"", b"no latents", None])
def test_a_damaged_file_is_named_and_can_be_removed(
    few: Candidates, drawings: Candidates, tmp_path: Path, content: bytes | None
) -> None:
    expected = encode(counting(drawings), few, tmp_path)
    (file,) = tmp_path.rglob("*.safetensors")
    file.write_bytes(file.read_bytes()[:-7] if content is None else content)
    with pytest.raises(DataError, match="something else; remove that file") as refused:
        encode(counting(drawings), few, tmp_path)
    assert str(file) in str(refused.value)
    file.unlink()
    assert torch.equal(encode(counting(drawings), few, tmp_path), expected)


@pytest.mark.usefixtures("small_forests")
def test_a_second_run_of_other_attacks_encodes_nothing(
    drawings: Candidates, tmp_path: Path
) -> None:
    options: dict[str, Any] = {"limit": 6, "null": None, "reference": None, "chunk": 4}
    first, second, plain = (counting(drawings) for _ in range(3))
    kept = {"keep_latents": tmp_path / "latents"}
    miagym.evaluate(first, "clipart-tune", "sima", out=tmp_path / "a", **kept, **options)
    again = miagym.evaluate(second, "clipart-tune", "pia", out=tmp_path / "b", **kept, **options)
    usual = miagym.evaluate(plain, "clipart-tune", "pia", **options)
    assert first.encoded > 0 and second.encoded == 0
    assert plain.encoded > 0 and np.isclose(again["pia"].auc, usual["pia"].auc, rtol=0, atol=0)
    # it is no part of what a run is: without the folder, the same run goes on
    told: list[str] = []
    miagym.evaluate(plain, "clipart-tune", "pia", out=tmp_path / "b", tell=told.append, **options)
    assert any("finished" in sentence for sentence in told)
