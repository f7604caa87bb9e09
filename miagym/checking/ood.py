"""The guard: does a picture resemble the calibration pictures, members and non-members alike?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from miagym.checking.features import LOOKS
from miagym.metrics.distributions import binomial_tail

if TYPE_CHECKING:
    from sklearn.preprocessing import StandardScaler

LEVEL = 0.01
"""See `Guard.level`."""
SURPRISING = 0.01
"""Chance below which so many refusals mean that a set is of another kind."""
_TELLING = 3
_UNUSUAL = 3.0
"""Standard deviations from the mean that are worth a word."""


@dataclass(frozen=True)
class Resemblance:
    """What the guard says of one picture.

    Args:
        p_value: share of calibration pictures that stand as far from all others.
        resembles: whether it is high enough not to be refused, see `Guard.level`.
        unusual: what is most unlike the calibration pictures, in words; only if it does not.
    """

    p_value: float
    resembles: bool
    unusual: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Guard:
    """Distance to the nearest calibration picture in whitened looks, ranked among their own.

    Conformal anomaly detection (Laxhammar & Falkman 2010): each calibration picture's distance to
    the nearest other one, the new picture included, against the new picture's own. All calibration
    pictures serve, since the guard sees no score and no label. Only the whitening (Ledoit & Wolf
    2004) is fitted without the new picture, so that far outliers cannot hide in it; what that costs
    in validity is measured in docs/benchmarks/validity/conformal.md.

    Args:
        looks: of the calibration pictures (n, d).
    """

    looks: NDArray[np.float64]

    @property
    def level(self) -> float:
        """Share of those that do resemble which is refused, about: `LEVEL`, or 1/(n + 1) if more.

        The picture that stands farther off than all n is refused, however few these are.
        """
        return max(LEVEL, 1 / (len(self.looks) + 1))

    @cached_property
    def _scaler(self) -> StandardScaler:
        # Who only reads an answer, as the page does at its start, needs no scikit-learn.
        from sklearn.preprocessing import StandardScaler

        return StandardScaler().fit(self.looks)

    def _scaled(self, looks: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(self._scaler.transform(looks))

    @cached_property
    def _whitening(self) -> NDArray[np.float64]:
        """(d, d), after scaling."""
        from sklearn.covariance import LedoitWolf

        covariance = LedoitWolf().fit(self._scaled(self.looks)).covariance_
        values, vectors = np.linalg.eigh(covariance)
        return vectors / np.sqrt(values)

    @cached_property
    def _whitened(self) -> NDArray[np.float64]:
        return self._scaled(self.looks) @ self._whitening

    @cached_property
    def _nearest(self) -> NDArray[np.float64]:
        """Of each calibration picture, the distance to the nearest other one (n,)."""
        distances = cdist(self._whitened, self._whitened)
        np.fill_diagonal(distances, np.inf)
        return distances.min(1)

    def __call__(self, look: NDArray[np.float64]) -> Resemblance:
        """Whether a picture with this look (d,) resembles them."""
        scaled = self._scaled(look[None])
        distances = cdist(scaled @ self._whitening, self._whitened)[0]
        others = np.minimum(self._nearest, distances)
        n = len(self.looks)
        p_value = float((1 + (others >= distances.min()).sum()) / (n + 1))
        resembles = p_value >= max(LEVEL, 2 / (n + 1))
        return Resemblance(p_value, resembles, () if resembles else _unusual(scaled[0]))


def too_many_refused(refused: int, pictures: int, level: float) -> bool:
    """Whether a guard of this level refuses more than it would of a set that does resemble."""
    return bool(refused and binomial_tail(refused - 1, pictures, level) < SURPRISING)


def _unusual(scaled: NDArray[np.float64]) -> tuple[str, ...]:
    order = np.argsort(-np.abs(scaled))[:_TELLING]
    names = list(LOOKS.values())
    return tuple(
        f"{names[i]} ({'much more' if scaled[i] > 0 else 'much less'})"
        for i in order
        if abs(scaled[i]) >= _UNUSUAL
    )
