"""Text to image against its formula."""

from __future__ import annotations

import pytest

from attacks.black_box.text_to_image import TextToImage
from miagym.candidates import Candidates
from miagym.errors import NoCaption
from miagym.oracle import Oracle
from miagym.oracle.budget import Cost
from miagym.targets.dummy import DummyTarget
from tests.attacks.plain import Plain, assert_agrees


@pytest.mark.parametrize("guidance_scale", [1.0, 7.5])
def test_formula(guidance_scale: float, drawings: Candidates) -> None:
    def formula(p: Plain) -> float:
        answers = [p.generation(4, draw, guidance_scale) for draw in range(2)]
        return -float(sum((255 * p.x - 255 * x_hat).abs().mean() for x_hat in answers)) / 2

    assert_agrees(TextToImage(draws=2, guidance_scale=guidance_scale), formula, drawings)


def test_a_picture_without_a_caption_is_refused_for_nothing(
    dummy: DummyTarget, drawings: Candidates
) -> None:
    oracle = Oracle(dummy)
    with pytest.raises(NoCaption, match="TextToImage"):
        TextToImage()(oracle, Candidates(drawings.images[:2], ("a cat", "")))
    assert oracle.meter.total() == Cost()
