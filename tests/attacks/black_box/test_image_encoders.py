"""Image encoders: plain patches, and vision models of transformers loaded as users load theirs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import ViTModel

from attacks.black_box.image_encoders import PATCHES, load_encoder
from miagym.errors import UnknownName
from tests.attacks.vision_model import save_vision_model


def pictures(n: int) -> torch.Tensor:
    """8-bit pictures (n, 3, 64, 64) in [0, 1]."""
    noise = torch.rand((n, 3, 64, 64), generator=torch.Generator().manual_seed(0))
    return (noise * 255).round() / 255


def test_patches() -> None:
    x = pictures(2)
    tokens = load_encoder(PATCHES)(x)
    assert tokens.shape == (2, 16 * 16, 3 * 4 * 4)
    patch = 2 * x[1, :, 8:12, 20:24] - 1  # in the third row of patches, the sixth
    torch.testing.assert_close(tokens[1, 2 * 16 + 5], patch.flatten())


def test_a_vision_model_gives_its_last_hidden_state(tmp_path: Path) -> None:
    folder = save_vision_model(tmp_path)
    x = pictures(18)  # more than one batch
    tokens = load_encoder(str(folder))(x)
    model = ViTModel.from_pretrained(folder).eval()
    with torch.inference_mode():
        expected = model(pixel_values=2 * x - 1).last_hidden_state
    assert tokens.shape == (18, 17, 16)
    torch.testing.assert_close(tokens, expected, rtol=1e-4, atol=1e-5)


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    folder = save_vision_model(tmp_path)
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(UnknownName, match="safetensors"):
        load_encoder(str(folder))


def test_a_file_that_lacks_weights_is_refused_instead_of_filled_at_random(tmp_path: Path) -> None:
    folder = save_vision_model(tmp_path)
    weights = load_file(folder / "model.safetensors")
    lacking = {name: value for name, value in weights.items() if ".1." not in name}
    assert len(lacking) < len(weights)
    save_file(lacking, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UnknownName, match=r"lacks \d+ weights"):
        load_encoder(str(folder))


def test_an_unknown_encoder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="did you mean patches"):
        load_encoder("patchs")
    with pytest.raises(UnknownName, match="vision model"):
        load_encoder(str(tmp_path))
