"""SD-MIA by hand, its rewordings, its rule, and descriptions by models as users load them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor
from transformers import CLIPModel

from attacks.black_box.descriptions import load_describer
from attacks.black_box.rewordings import KINDS, reworded
from attacks.black_box.sd_mia import SDMIA, WeightedAgreement
from miagym.candidates import Candidates
from miagym.errors import AttackError, UnknownName
from miagym.oracle import Oracle
from miagym.targets.dummy import DummyTarget
from tests.attacks.black_box.describing_models import save_captioner, save_clip
from tests.attacks.plain import Plain, assert_features_agree
from tests.attacks.vision_model import save_vision_model


def unit(picture: Tensor) -> Tensor:
    centred = (picture - picture.mean()).flatten()
    return centred / centred.norm()


def test_features_by_hand(drawings: Candidates, tmp_path: Path) -> None:
    texts = {caption: [caption, f"say {caption}", caption[::-1]] for caption in drawings.captions}
    (tmp_path / "said.json").write_text(json.dumps(texts), encoding="utf-8")

    def formula(p: Plain) -> list[float]:
        x, found = unit(p.x), []
        for prompt in texts[p.caption]:
            p.caption = prompt
            answers = [p.generation(3, draw, 2.0) for draw in range(2)]
            found.append(max(float(x @ unit(y)) for y in answers))
        return found

    attack = SDMIA(steps=3, guidance_scale=2.0, rewordings=str(tmp_path / "said.json"))
    assert_features_agree(attack, formula, drawings)


def test_rules_say_the_same_in_three_ways() -> None:
    said = reworded(["a cat on the mat, ink", "fox"])
    assert list(said) == list(KINDS)
    assert said["token"] == ["cat mat, ink", "fox"]
    assert said["style"] == ["a picture of a cat on the mat, ink", "a picture of fox"]
    assert said["semantic"] == ["ink, a cat on the mat", "fox"]
    assert reworded(["the on"])["token"] == ["the on"]  # nothing else is left


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("no json", "a JSON file of them"),
        ("[]", "an object from each caption .* got list"),
        ('{"b": ["x", "y", "z"]}', "1 of 1 captions are not in it, 'a' first"),
        ('{"a": ["x", "y"]}', "got something else for 'a'"),
        ('{"a": "xyz"}', "got something else for 'a'"),
    ],
)
def test_a_file_of_something_else_is_one_sentence(tmp_path: Path, content: str, why: str) -> None:
    (tmp_path / "said.json").write_text(content, encoding="utf-8")
    with pytest.raises(AttackError, match=why):
        reworded(["a"], str(tmp_path / "said.json"))
    with pytest.raises(AttackError, match=r'Expected rewordings "rules"'):
        reworded(["a"], "rulez")


def test_weights_are_those_that_tell_best() -> None:
    rng = np.random.default_rng(0)
    member = np.arange(200) < 100
    features = rng.normal(0, [0.2, 3.0, 0.2], (200, 3)) + member[:, None] * [0.3, 0, 0.1]
    rule = WeightedAgreement().fit(features, member)
    assert rule.weights[0] > 1 and rule.weights[1] < 0.2 and rule.weights[2] == 1
    least = roc_auc_score(member, features.sum(1))
    assert roc_auc_score(member, rule.score(features)) > least + 0.1


def test_members_score_higher(dummy: DummyTarget, drawings: Candidates, member: np.ndarray) -> None:
    attack = SDMIA(draws=1)
    features = attack.features(Oracle(dummy), drawings)
    fitted = attack.fit(features[::2], member[::2])
    assert roc_auc_score(member[1::2], fitted.score(features[1::2])) > 0.6


class TestDescriptions:
    def pictures(self, n: int = 3) -> Tensor:
        noise = torch.rand((n, 3, 32, 32), generator=torch.Generator().manual_seed(0))
        return (noise * 255).round() / 255

    def test_a_clip_model_says_what_a_picture_looks_like(self, tmp_path: Path) -> None:
        x = self.pictures(18)  # more than one batch
        found = load_describer(str(save_clip(tmp_path)))(x)
        model = CLIPModel.from_pretrained(tmp_path).eval()
        with torch.inference_mode():
            expected: Tensor = model.get_image_features(pixel_values=2 * x - 1).pooler_output  # type: ignore[union-attr,assignment]
        expected = expected / expected.norm(dim=1, keepdim=True)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)

    def test_a_captioner_s_words_are_half_of_it(self, tmp_path: Path) -> None:
        clip, captioner = save_clip(tmp_path / "clip"), save_captioner(tmp_path / "blip")
        x = self.pictures()
        alone, both = load_describer(str(clip))(x), load_describer(str(clip), str(captioner))(x)
        width = alone.shape[1]
        assert both.shape == (3, 2 * width)
        torch.testing.assert_close(both[:, :width] * 2**0.5, alone)
        torch.testing.assert_close(both.norm(dim=1), torch.ones(3))
        one = load_describer(str(clip), str(captioner))(x[:1])
        torch.testing.assert_close(one[0], both[0], rtol=1e-4, atol=1e-5)

    def test_what_cannot_be_used_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(UnknownName, match="image encoder"):
            load_describer(str(tmp_path))
        with pytest.raises(UnknownName, match="captioner"):
            load_describer(str(save_clip(tmp_path / "clip")), str(tmp_path / "nobody"))
        with pytest.raises(UnknownName, match="no CLIP model"):
            load_describer(str(save_vision_model(tmp_path / "vit")))
        with pytest.raises(AttackError, match="name a CLIP model as the encoder"):
            load_describer("patches", str(tmp_path))
        with pytest.raises(UnknownName, match=r"lacks \d+ weights, "):
            load_describer(str(save_captioner(tmp_path / "blip")))
