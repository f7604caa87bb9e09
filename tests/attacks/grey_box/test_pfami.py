"""PFAMI by hand: the loss of a picture and of its crops, under the same noise."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.metrics import roc_auc_score

from attacks.grey_box.pfami import PFAMI, PFAMINN, centre_crop
from miagym.candidates import Candidates
from miagym.oracle import Oracle
from miagym.targets.dummy import DummyTarget
from tests.attacks.plain import Plain, assert_agrees, assert_features_agree

TIMESTEPS, CROPS = (0, 100, 200, 300, 400), (0.95, 0.88, 0.81, 0.75, 0.70)


def plain_loss(p: Plain, image: np.ndarray, t: int) -> float:
    x = torch.from_numpy(image.transpose(2, 0, 1).astype(np.float32)) / 255
    eps = p.noise(t)
    return float(((p.eps(p.noised(eps, t, p.encode(x)), t) - eps) ** 2).mean())


def plain_rise(p: Plain, t: int, lam: float) -> float:
    image = p.one.images[0]
    side = round(64 * lam)
    edge = (64 - side) // 2
    crop = Image.fromarray(image).crop((edge, edge, edge + side, edge + side))
    crop = crop.resize((64, 64), Image.Resampling.BICUBIC)
    loss = plain_loss(p, image, t)
    return (plain_loss(p, np.asarray(crop), t) - loss) / max(loss, 1e-6)


def plain_pfami(p: Plain) -> float:
    return float(np.mean([plain_rise(p, t, 0.81) for t in range(0, 500, 50)]))


def plain_map(p: Plain) -> list[float]:
    return [1, 5, 5, *(plain_rise(p, t, lam) for t in TIMESTEPS for lam in CROPS)]


def test_formula(drawings: Candidates) -> None:
    assert_agrees(PFAMI(), plain_pfami, drawings)


def test_map(drawings: Candidates) -> None:
    assert_features_agree(PFAMINN(), plain_map, drawings)


def test_a_crop_is_the_middle_of_the_picture() -> None:
    image = np.zeros((1, 64, 64, 3), dtype=np.uint8)
    image[:, 16:48, 16:48] = 200
    assert (centre_crop(image, 0.5) == 200).all()


def test_without_a_crop_nothing_rises(dummy: DummyTarget, drawings: Candidates) -> None:
    few = drawings[36:44]
    np.testing.assert_array_equal(centre_crop(few.images, 1.0), few.images)
    np.testing.assert_array_equal(PFAMI(crops=(1.0,))(Oracle(dummy), few), np.zeros(8))


def test_the_picture_pays_for_its_crops(dummy: DummyTarget, drawings: Candidates) -> None:
    one, oracle = drawings[:1], Oracle(dummy)
    PFAMI()(oracle, one)
    assert oracle.meter.total() == oracle.meter.spent(one.keys[0]) == PFAMI().cost
    assert PFAMI().cost.unet_rows == 20


@pytest.mark.parametrize("attack", PFAMI().variants(), ids=repr)
def test_members_score_higher(
    attack: PFAMI, dummy: DummyTarget, drawings: Candidates, member: np.ndarray
) -> None:
    assert roc_auc_score(member, attack(Oracle(dummy), drawings)) > 0.6


def test_the_network_finds_members_it_has_not_seen(
    dummy: DummyTarget, drawings: Candidates, member: np.ndarray
) -> None:
    attack = PFAMINN(timesteps=(100, 200, 300), crops=(0.9, 0.8, 0.7), epochs=4)
    features = attack.features(Oracle(dummy), drawings)
    fitted = attack.fit(features[::2], member[::2])
    assert roc_auc_score(member[1::2], fitted.score(features[1::2])) > 0.6
