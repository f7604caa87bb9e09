"""Reconstruction: features against the formula, its three decisions, and a shadow model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor
from transformers import ViTModel

from attacks.black_box.reconstruction import (
    RIDGE,
    Decision,
    LargestStandardised,
    Reconstruction,
    TwoGaussians,
)
from attacks.black_box.text_to_image import TextToImage
from miagym.candidates import Candidates
from miagym.errors import NoCaption
from miagym.oracle import Oracle
from miagym.targets.dummy import DummyTarget
from tests.attacks.plain import Plain, assert_features_agree
from tests.attacks.vision_model import save_vision_model

DECISIONS = ("threshold", "distribution", "classifier")


def cosines(a: Tensor, b: Tensor) -> Tensor:
    """Of each channel of tokens (tokens, channels)."""
    return (a * b).sum(0) / (a.square().sum(0) * b.square().sum(0)).sqrt()


def test_features_of_patches(drawings: Candidates) -> None:
    def e(x: Tensor) -> Tensor:
        cut = [
            (2 * x - 1)[:, top : top + 4, left : left + 4].flatten()
            for top in range(0, 64, 4)
            for left in range(0, 64, 4)
        ]
        return torch.stack(cut)

    def formula(p: Plain) -> list[float]:
        similar = [cosines(e(p.x), e(p.generation(4, draw, 7.5))) for draw in range(3)]
        return torch.stack(similar).mean(0).tolist()

    assert_features_agree(Reconstruction(), formula, drawings)


def test_features_of_a_vision_model(tmp_path: Path, drawings: Candidates) -> None:
    folder = save_vision_model(tmp_path)
    model = ViTModel.from_pretrained(folder).eval()

    def e(x: Tensor) -> Tensor:
        seen = (255 * x).round() / 255  # it sees 8 bits
        return model(pixel_values=2 * seen[None] - 1).last_hidden_state[0].detach()

    def formula(p: Plain) -> list[float]:
        return cosines(e(p.x), e(p.generation(4, 0, 7.5))).tolist()

    assert_features_agree(Reconstruction(draws=1, encoder=str(folder)), formula, drawings)


@pytest.mark.parametrize("decision", DECISIONS)
def test_members_score_higher(
    decision: Decision, dummy: DummyTarget, drawings: Candidates, member: np.ndarray
) -> None:
    fit, rest = np.arange(0, 80, 2), np.arange(1, 80, 2)
    attack, oracle = Reconstruction(decision), Oracle(dummy)
    fitted = attack.fit(attack.features(oracle, drawings[fit]), member[fit])
    assert roc_auc_score(member[rest], fitted(oracle, drawings[rest])) > 0.6


@pytest.mark.parametrize("decision", DECISIONS)
def test_what_a_shadow_model_teaches_holds_for_the_target(
    decision: Decision, drawings: Candidates, member: np.ndarray
) -> None:
    shadow, target = DummyTarget(drawings[:20]), DummyTarget(drawings[20:40])
    known, asked = np.r_[0:20, 40:60], np.r_[20:40, 60:80]
    attack = Reconstruction(decision)
    fitted = attack.fit(attack.features(Oracle(shadow), drawings[known]), member[known])
    assert roc_auc_score(member[asked], fitted(Oracle(target), drawings[asked])) > 0.6


def test_generated_pictures_are_shared_with_text_to_image(
    dummy: DummyTarget, drawings: Candidates
) -> None:
    few, oracle = drawings[:3], Oracle(dummy)
    TextToImage(draws=3)(oracle, few)
    computed = oracle.cache.computed
    Reconstruction().features(oracle, few)
    assert oracle.cache.computed == computed


def test_it_needs_captions(dummy: DummyTarget, drawings: Candidates) -> None:
    with pytest.raises(NoCaption, match="Reconstruction"):
        Reconstruction().features(Oracle(dummy), Candidates(drawings.images[:2], ("a cat", " ")))


def test_the_largest_standardised_feature() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(3, [1, 5, 0.1], (200, 3))
    rule = LargestStandardised().fit(features, np.arange(200) < 100)
    z = [(features[:, j] - features[:, j].mean()) / features[:, j].std() for j in range(3)]
    np.testing.assert_allclose(rule.score(features), np.max(z, axis=0), rtol=1e-3, atol=1e-3)


def test_two_gaussians_tell_spreads_apart() -> None:
    rng = np.random.default_rng(0)
    member = np.arange(600) < 300
    features = rng.normal(size=(600, 4)) * np.where(member, 1, 3)[:, None]
    rule = TwoGaussians().fit(features, member)
    assert roc_auc_score(member, rule.score(features)) > 0.8

    def log_density(f: np.ndarray, side: int) -> float:
        mean, covariance = rule.mean[side], rule.covariance[side]
        away = (f - mean) @ np.linalg.inv(covariance) @ (f - mean)
        return -(away + np.log(np.linalg.det(2 * np.pi * covariance))) / 2

    ratios = [log_density(f, 0) - log_density(f, 1) for f in features[:5]]
    np.testing.assert_allclose(rule.score(features[:5]), ratios)
    np.testing.assert_allclose(rule.mean[0], features[member].mean(0))


def test_two_gaussians_bear_fewer_samples_than_features() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(20, 60))
    features[:, 0] = 1  # always the same
    rule = TwoGaussians().fit(features, np.arange(20) < 10)
    assert np.isfinite(rule.score(features)).all()
    assert np.linalg.eigvalsh(rule.covariance).min() > RIDGE / 2
