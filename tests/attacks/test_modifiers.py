"""Low-pass and complexity, against what is written here for one picture."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

import miagym
from attacks import make_attack
from attacks.complexity import BlindComplexity, Complexity
from attacks.filters.lowpass import LowPass, low_passed
from attacks.grey_box.sima import SimA
from attacks.modifiers import MODIFIERS, split_modifiers
from miagym.candidates import Candidates
from miagym.errors import AttackError
from miagym.oracle import Access, Cost, Oracle
from miagym.targets.dummy import DummyTarget


def test_names_are_split_outside_brackets() -> None:
    assert split_modifiers("pia(norm=2.0)+turned(by=('a+b', '90'))+reference") == (
        "pia(norm=2.0)",
        ("turned(by=('a+b', '90'))", "reference"),
    )
    assert split_modifiers("loss") == ("loss", ())


def test_the_filter_passes_low_frequencies_and_keeps_a_share_of_others() -> None:
    """The centred mask of the reference code, on a grid that numpy transforms."""
    x = np.random.default_rng(0).normal(size=(3, 4, 16, 16))
    u = np.arange(16) - 8
    mask = np.where((abs(u)[:, None] < 5) & (abs(u)[None] < 5), 1.0, 0.2)
    shifted = np.fft.fftshift(np.fft.fft2(x), axes=(-2, -1)) * mask
    expected = np.fft.ifft2(np.fft.ifftshift(shifted, axes=(-2, -1))).real
    found = low_passed(torch.from_numpy(x), 5 / 16, 0.2)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5)
    flat = torch.full((1, 4, 16, 16), 3.0)
    torch.testing.assert_close(low_passed(flat, 0.01, 0.0), flat)


@pytest.mark.parametrize("name", ["loss", "multiple-loss", "sima", "pia", "pian", "secmi"])
def test_a_filter_that_keeps_all_changes_nothing(
    name: str, dummy: DummyTarget, drawings: Candidates
) -> None:
    attack, few = make_attack(name), drawings[38:42]
    whole = LowPass(attack, keep=1.0)
    np.testing.assert_allclose(whole(Oracle(dummy), few), attack(Oracle(dummy), few), rtol=1e-4)
    assert whole.cost == attack.cost
    oracle = Oracle(dummy)
    assert not np.allclose(LowPass(attack)(oracle, few), attack(oracle, few), rtol=1e-3)
    assert oracle.meter.spent(few.keys[0]) == attack.cost * 2


def test_variants_have_cutoffs_and_named_parameters_stay() -> None:
    assert len(LowPass(SimA()).variants()) == 8
    pinned = make_attack("sima(timestep=50)+lowpass")
    assert {repr(v).count("timestep=50") for v in pinned.variants()} == {1}
    assert len(set(map(repr, pinned.variants()))) == 2
    named = make_attack("sima(timestep=50)+lowpass(cutoff=0.25)+turned")
    assert len(set(map(repr, named.variants()))) == 1
    assert make_attack("sima+reference+turned(by=('180',))").uses_reference


def test_scores_are_divided_by_the_bytes_of_a_png(dummy: DummyTarget, drawings: Candidates) -> None:
    few = drawings[38:42]
    sizes = []
    for image in few.images:
        file = io.BytesIO()
        Image.fromarray(image).save(file, format="png")
        sizes.append(len(file.getvalue()))
    expected = SimA()(Oracle(dummy), few) / np.array(sizes) * 1000
    np.testing.assert_allclose(Complexity(SimA())(Oracle(dummy), few), expected)


def test_complexity_alone_is_a_blind_row(drawings: Candidates) -> None:
    """Flat members among noise are found without any model, and that row says so."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (40, 16, 16, 3), dtype=np.uint8)
    member = np.arange(40) < 20
    images[:20] //= 16
    pictures = Candidates(images, ("",) * 40)
    attack, oracle = BlindComplexity(), Oracle(DummyTarget(drawings[:1]), Access.BLIND)
    scores = attack.fit(attack.features(oracle, pictures), member)(oracle, pictures)
    assert scores[:20].min() > scores[20:].max() and oracle.meter.total() == Cost()
    both = make_attack("sima+complexity+turned")
    assert list(both.beside) == ["blind-complexity"] and not make_attack("sima").beside


@pytest.mark.slow
def test_its_row_stands_in_every_table_with_it() -> None:
    run = miagym.evaluate("clipart-overfit", attacks="sima+complexity", limit=15, null=None)
    assert run["blind-complexity"].blind and not run["sima+complexity"].blind
    assert run["sima+complexity"].unet_rows == 1


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("clid+lowpass", "has no residual in latents"),
        ("rediffuse+lowpass", "has no residual in latents"),
        ("sima+turned+lowpass", "has no residual in latents"),
        ("sima+lowpass(cutoff=0.9)", "cutoff in"),
        ("blind-pixels+complexity", "learns its rule"),
        ("sima+reference+reference", "compares with the reference model itself, .* by one once"),
        ("sima+reference+turned+reference", "compares with the reference model itself"),
        ("noise-probe+reference", "compares with the reference model itself"),
        ("sima+lira+bavaria", "compares with shadow models itself, .* with them once"),
    ],
)
def test_where_there_is_nothing_to_work_on(name: str, why: str) -> None:
    with pytest.raises(AttackError, match=why) as refused:
        make_attack(name)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("modifier", [name for name in MODIFIERS if name != "turned"])
def test_every_modifier_composes_with_a_turn(modifier: str) -> None:
    is_filter = modifier in ("lowpass", "pullback")  # which is put on a residual
    name = f"sima+{modifier}+turned" if is_filter else f"sima+turned+{modifier}"
    attack = make_attack(name)
    assert attack.cost.unet_rows == 2 and attack.access == Access.GREY
