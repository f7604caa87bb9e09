"""The held-out protocol: choose and fit on the calibration part, score the test part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from miagym.errors import TooFewToLearn
from miagym.oracle.access import Access
from miagym.oracle.budget import Cost

if TYPE_CHECKING:
    from miagym.candidates import Candidates
    from miagym.oracle import Oracle


class Attack(Protocol):
    """What an evaluation needs of an attack; `attacks.base.Attack` is one."""

    access: ClassVar[Access]
    uses_reference: ClassVar[bool]
    """Whether it calibrates by a public reference model."""
    uses_shadows: ClassVar[bool]
    """Whether it compares with shadow models."""
    adaptive: ClassVar[bool]
    """Whether `cost` is the most that it spends."""

    @property
    def cost(self) -> Cost: ...

    def variants(self) -> Sequence[Attack]: ...

    def within(self, queries: int) -> Attack: ...

    def anytime(
        self, oracle: Oracle, candidates: Candidates
    ) -> Mapping[int, NDArray[np.float64]]: ...

    def __call__(self, oracle: Oracle, candidates: Candidates) -> NDArray[np.float64]: ...


@runtime_checkable
class LearnedAttack(Attack, Protocol):
    """An attack that has to be fitted before it scores."""

    def check_calibration(self, member: NDArray[np.bool_]) -> None: ...

    def features(self, oracle: Oracle, candidates: Candidates) -> NDArray[np.float64]: ...

    def fit(self, features: NDArray[np.float64], member: NDArray[np.bool_]) -> Self: ...

    def score(self, features: NDArray[np.float64]) -> NDArray[np.float64]: ...

    def save(self, path: Path) -> None: ...


def cross_fitted(
    attack: LearnedAttack,
    features: NDArray[np.float64],
    member: NDArray[np.bool_],
    seed: int,
    groups: NDArray[np.integer] | None = None,
) -> NDArray[np.float64] | None:
    """Scores (n,) of calibration candidates by a rule that has not seen them, to set thresholds by.

    Two halves score each other; a rule's scores of what it was fitted to would be too good, and so
    would those of near-duplicates be.

    Args:
        attack: what is fitted.
        features: what it sees (n, d).
        member: labels (n,).
        seed: of the halves.
        groups: group numbers (n,) of what belongs together: it is never cut.

    Returns:
        None if half of the calibration part is too little to learn from.
    """
    # Only rules that learn need scikit-learn; who refuses or describes an attack starts without it.
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    if groups is not None and len(np.unique(groups)) < 2:
        return None
    scores = np.empty(len(member))
    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    halves = kind(2, shuffle=True, random_state=seed)
    try:
        for learned, held in halves.split(features, member, groups):
            if not 0 < member[learned].sum() < len(learned):  # one group is nearly everything
                return None
            scores[held] = attack.fit(features[learned], member[learned]).score(features[held])
    except TooFewToLearn:
        return None
    return scores
