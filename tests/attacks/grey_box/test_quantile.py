"""Quantile regression: what an error is compared with, and whom it learns from."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from attacks.grey_box.quantile import QuantileEnsemble, QuantileRegression, details
from miagym.candidates import Candidates
from miagym.oracle import Oracle
from miagym.targets.dummy import DummyTarget
from tests.attacks.plain import Plain, assert_features_agree


def plain_features(p: Plain) -> list[float]:
    z = p.phi(p.phi(p.z0, 0, 20), 20, 40)
    error = z - p.phi(p.phi(z, 40, 60), 60, 40)
    grey, sizes = p.one.images[0].mean(2) / 255, []
    for side in (64, 32, 16, 8):
        means, kinds = np.zeros((side // 2, side // 2)), np.zeros((side // 2, side // 2, 3))
        for y, x in np.ndindex(side // 2, side // 2):
            cell = grey[2 * y : 2 * y + 2, 2 * x : 2 * x + 2]
            means[y, x] = cell.mean()
            kinds[y, x] = [
                cell[0].mean() - cell[1].mean(),
                cell[:, 0].mean() - cell[:, 1].mean(),
                np.diag(cell).mean() - np.diag(cell[::-1]).mean(),
            ]
        sizes += list(np.log(np.abs(kinds / 2).mean((0, 1)) + 1e-3))
        grey = means
    return [float(np.log(max(float((error**2).mean()), 1e-12))), *sizes]


def world(seed: int, n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Log errors that follow brightness, and so hide that members' are smaller by 1.

    Returns:
        Features (n, 5) and labels (n,).
    """
    rng = np.random.default_rng(seed)
    member, pictures = rng.random(n) < 0.5, rng.random((n, 4))
    log_error = 8 * pictures[:, 0] + rng.normal(0, 0.3, n) - member
    return np.column_stack([log_error, pictures]), member


@pytest.fixture(scope="module")
def fitted() -> QuantileEnsemble:
    return QuantileEnsemble(bag=8).fit(*world(0))


def test_features(drawings: Candidates) -> None:
    assert_features_agree(QuantileRegression(), plain_features, drawings)


def test_details_of_any_shape() -> None:
    flat = np.full((2, 37, 50, 3), 255, dtype=np.uint8)
    np.testing.assert_allclose(details(flat), np.full((2, 12), np.log(1e-3)))


def test_an_error_is_judged_by_what_is_expected_of_the_picture(fitted: QuantileEnsemble) -> None:
    features, member = world(1)
    assert roc_auc_score(member, -features[:, 0]) < 0.7
    assert roc_auc_score(member, fitted.score(features)) > 0.9


def test_margins_of_new_non_members_are_standard(fitted: QuantileEnsemble) -> None:
    features, member = world(1)
    margins = fitted.score(features[~member])
    assert abs(margins.mean()) < 0.3 and 0.7 < margins.std() < 1.4
    smaller = features.copy()
    smaller[:, 0] -= 0.5
    assert (fitted.score(smaller) > fitted.score(features)).all()


def test_learns_from_non_members_alone(fitted: QuantileEnsemble) -> None:
    features, member = world(0)
    changed = np.where(member[:, None], np.random.default_rng(2).random(features.shape), features)
    again = QuantileEnsemble(bag=8).fit(changed, member)
    np.testing.assert_array_equal(again.score(features), fitted.score(features))


def test_networks_of_a_bag_differ(fitted: QuantileEnsemble) -> None:
    features, _ = world(1)
    assert fitted.networks is not None
    margins, _ = fitted.networks(torch.from_numpy(features).float())
    assert (margins.std(0) > 0).all()
    np.testing.assert_allclose(
        fitted.score(features), margins.mean(0).detach(), rtol=1e-4, atol=1e-5
    )


def test_a_picture_unlike_all_others_is_no_more_than_unusual(fitted: QuantileEnsemble) -> None:
    features, _ = world(1)
    unusual, outlandish = features.copy(), features.copy()
    unusual[:, 1], outlandish[:, 1] = 3, 1e6
    np.testing.assert_array_equal(fitted.score(outlandish), fitted.score(unusual))


def test_arrays_hold_all_that_was_learned(fitted: QuantileEnsemble) -> None:
    features, _ = world(1)
    again = QuantileEnsemble(bag=8).with_arrays(fitted.arrays())
    np.testing.assert_array_equal(again.score(features), fitted.score(features))


def test_members_score_higher(dummy: DummyTarget, drawings: Candidates, member: np.ndarray) -> None:
    attack = QuantileRegression()
    features = attack.features(Oracle(dummy), drawings)
    fitted = attack.fit(features[::2], member[::2])
    assert roc_auc_score(member[1::2], fitted.score(features[1::2])) > 0.6
