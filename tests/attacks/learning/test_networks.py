"""The network on maps: it learns a pattern, the same each time, and is saved whole."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from attacks.learning.networks import ErrorMapNetwork, map_features

MEMBER = np.arange(64) % 2 == 0


def spotted(seed: int, size: int = 8) -> torch.Tensor:
    """Maps (64, 2, size, size) of noise; members have a loud spot somewhere."""
    generator = torch.Generator().manual_seed(seed)
    maps = torch.rand((64, 2, size, size), generator=generator)
    for i in np.flatnonzero(MEMBER):
        x, y = torch.randint(size - 2, (2,), generator=generator)
        maps[i, :, y : y + 2, x : x + 2] = 3
    return maps


@pytest.fixture(scope="module")
def fitted() -> ErrorMapNetwork:
    return ErrorMapNetwork(epochs=12).fit(map_features(spotted(0)), MEMBER)


def test_features_are_the_shape_and_then_the_values() -> None:
    features = map_features(torch.arange(12.0).reshape(2, 1, 2, 3))
    np.testing.assert_array_equal(features, [[1, 2, 3, *range(6)], [1, 2, 3, *range(6, 12)]])


def test_finds_a_pattern_in_new_maps(fitted: ErrorMapNetwork) -> None:
    assert roc_auc_score(MEMBER, fitted.score(map_features(spotted(1)))) > 0.9


def test_units_do_not_matter_since_channels_are_standardised(fitted: ErrorMapNetwork) -> None:
    scale = torch.tensor([2.0**-20, 2.0**10])[:, None, None]
    scaled = ErrorMapNetwork(epochs=12).fit(map_features(spotted(0) * scale), MEMBER)
    scores = scaled.score(map_features(spotted(1) * scale))
    np.testing.assert_allclose(scores, fitted.score(map_features(spotted(1))), rtol=1e-4)


def test_fits_the_same_each_time_and_leaves_the_global_generator_alone() -> None:
    features = map_features(spotted(0, size=4))
    before = torch.get_rng_state()
    first = ErrorMapNetwork(epochs=2).fit(features, MEMBER).score(features)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(1)
    again = ErrorMapNetwork(epochs=2).fit(features, MEMBER).score(features)
    np.testing.assert_array_equal(first, again)
    other = ErrorMapNetwork(epochs=2, seed=1).fit(features, MEMBER).score(features)
    assert not np.allclose(first, other)


def test_a_score_is_of_its_row_alone(fitted: ErrorMapNetwork) -> None:
    features = map_features(spotted(1))
    alone = [fitted.score(features[[i]])[0] for i in range(5)]
    np.testing.assert_allclose(fitted.score(features)[:5], alone, rtol=1e-4, atol=1e-5)


def test_arrays_hold_all_that_was_learned(fitted: ErrorMapNetwork) -> None:
    features = map_features(spotted(1))
    again = ErrorMapNetwork(epochs=12).with_arrays(fitted.arrays())
    np.testing.assert_array_equal(again.score(features), fitted.score(features))


@pytest.mark.parametrize("n", [2, 33, 65])
def test_any_number_of_samples_can_be_learned_from(n: int) -> None:
    maps = torch.rand((n, 1, 5, 5), generator=torch.Generator().manual_seed(0))
    rule = ErrorMapNetwork(epochs=1).fit(map_features(maps), np.arange(n) % 2 == 0)
    assert np.isfinite(rule.score(map_features(maps))).all()
