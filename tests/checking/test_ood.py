"""The guard: drawings like the calibration's pass, what is no drawing does not."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from scipy.stats import binom
from sklearn.datasets import load_sample_images

from miagym.candidates import Candidates
from miagym.checking.features import LOOKS, looks
from miagym.checking.ood import LEVEL, Guard
from miagym.checking.survey import without_captions
from miagym.data.dataset import CALIBRATION, TEST
from miagym.data.images import to_square
from miagym.data.registry import load_data

SIZE = 64


@pytest.fixture(scope="module")
def guard() -> Guard:
    data = load_data("clipart-tune")
    return Guard(looks(without_captions(data.candidates(data.rows(CALIBRATION, 0), SIZE))))


def page_of_text() -> Image.Image:
    page = Image.new("RGB", (640, 640), "white")
    draw, line = ImageDraw.Draw(page), "the quick brown fox jumps over the lazy dog " * 3
    for y in range(8, 640, 22):
        draw.text((8, y), line, fill="black", font=ImageFont.load_default(16))
    return page


def smooth_noise() -> np.ndarray:
    """Power falls with frequency as in photographs."""
    rng, frequency = np.random.default_rng(0), np.fft.fftfreq(SIZE)
    amplitude = 1 / np.maximum(np.hypot(frequency[:, None], frequency[None]), 1 / SIZE)
    noise = np.fft.fft2(rng.normal(size=(SIZE, SIZE, 3)), axes=(0, 1)) * amplitude[..., None]
    picture = np.fft.ifft2(noise, axes=(0, 1)).real
    return ((picture - picture.mean()) / picture.std() * 50 + 120).clip(0, 255).astype(np.uint8)


def strange() -> dict[str, np.ndarray]:
    photographs = load_sample_images().images
    rng = np.random.default_rng(0)
    return {
        "a temple": to_square(Image.fromarray(photographs[0]), SIZE),
        "a flower": to_square(Image.fromarray(photographs[1]), SIZE),
        "like a photograph": smooth_noise(),
        "noise": rng.integers(0, 256, (SIZE, SIZE, 3)).astype(np.uint8),
        "white": np.full((SIZE, SIZE, 3), 255, np.uint8),
        "grey": np.full((SIZE, SIZE, 3), 128, np.uint8),
        "text": to_square(page_of_text(), SIZE),
    }


@pytest.mark.parametrize("name", strange())
def test_what_is_no_drawing_is_refused(guard: Guard, name: str) -> None:
    found = guard(looks(Candidates(strange()[name][None], ("",)))[0])
    assert not found.resembles and found.p_value < LEVEL


def test_fresh_drawings_are_refused_about_as_rarely_as_stated(guard: Guard) -> None:
    """One of each group: the look-alikes of a strange drawing are as strange as it is."""
    data = load_data("clipart-tune")
    rows = data.rows(TEST, 0)
    assert data.groups is not None
    rows = rows[np.unique(data.groups[rows], return_index=True)[1]]
    fresh = without_captions(data.candidates(rows, SIZE))
    refused = sum(not guard(look).resembles for look in looks(fresh))
    assert refused <= binom.ppf(0.9995, len(fresh), LEVEL)


def test_the_farthest_is_refused_however_few_are_known(guard: Guard) -> None:
    few = Guard(guard.looks[:60])
    assert few.level == 1 / 61 and guard.level == LEVEL
    far = few(guard.looks[0] + 100 * guard.looks.std(0))
    assert not far.resembles and far.p_value == few.level


def test_a_strange_caption_is_refused_and_named() -> None:
    data = load_data("clipart-tune")
    calibration = data.candidates(data.rows(CALIBRATION, 0), SIZE)
    guard, one = Guard(looks(calibration)), calibration[:1]
    odd = guard(looks(Candidates(one.images, ("word " * 200,)))[0])
    assert not odd.resembles and any("caption" in why for why in odd.unusual)
    assert guard(looks(one)[0]).resembles


def test_looks_of_plain_pictures() -> None:
    white = Candidates(np.full((1, SIZE, SIZE, 3), 255, np.uint8), ("a, b",))
    found = dict(zip(LOOKS, looks(white)[0], strict=True))
    assert found["white"] == found["white_border"] == found["brightness"] == 1
    assert found["height"] == found["width"] == found["contrast"] == 0
    assert found["caption_commas"] == 0.5 and np.isfinite(looks(white)).all()
