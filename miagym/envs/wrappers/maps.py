"""Maps of the wrappers, for batches: actions as one number, observations as vectors.

`wrappers` uses it for one environment, `agents.stable_baselines` for many at once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from miagym.envs.state.moves import PRIOR
from miagym.errors import ActionError, SettingsError

if TYPE_CHECKING:
    from miagym.envs.settings import Settings
    from miagym.remote.settings import HostedSettings

    Sizes = Settings | HostedSettings

Observation = dict[str, Any]
Action = dict[str, Any]
Belief = Callable[[Observation], NDArray[np.floating]]
"""From what one pool shows, probabilities of membership (n,); agents ask it about batches."""


TINY = 1e-6
"""Below this, a statistic is as good as nothing."""


def squashed(statistics: NDArray[np.float32]) -> NDArray[np.float32]:
    """Maps x from [0, inf) to x / (1 + x) in [0, 1): the logistic function of log x.

    It resolves best around 1, the size of the noise that questions are about.
    """
    return statistics / (1 + statistics)


SHARPNESS = 20
"""Of log ratios: training moves an answer by some hundredths of itself, which is to be seen."""


def log_ratios(summary: NDArray[np.float32]) -> NDArray[np.float32]:
    """The target's statistics beside the reference's: logistic function of 20 log(target / public).

    Args:
        summary: (..., F), the target's half of the statistics before the reference's.

    Returns:
        (..., F / 2) in [0, 1], one half where both are equal, or nothing was asked.
    """
    target, public = np.split(np.log(np.maximum(summary, TINY)), 2, axis=-1)
    tilted = 1 / (1 + np.exp(np.clip(-SHARPNESS * (target - public), -50, 50)))
    return tilted.astype(np.float32)


def feature_space(settings: Sizes, ratios: bool = False) -> spaces.Box:
    """Space of `features`: shares (d,), d = n K (F + 1) + K + 1, and n K F / 2 more with ratios.

    Raises:
        SettingsError: if ratios to a reference are wanted, and there is none.
    """
    if ratios and settings.reference is None:
        raise SettingsError(
            "Ratios are of the target to a reference, and this game has none; name one, or leave "
            "ratios out."
        )
    asked = settings.candidates * len(settings.menu)
    shown = settings.statistics + 1 + (settings.statistics // 2 if ratios else 0)
    return spaces.Box(0, 1, (asked * shown + len(settings.menu) + 1,), np.float32)


def features(
    observation: Mapping[str, NDArray[Any]], settings: Sizes, ratios: bool = False
) -> NDArray[np.float32]:
    """Features of observations: answers and what is left as shares; neither pictures nor captions.

    Args:
        observation: of b environments with n candidates, K questions and F statistics.
        settings: theirs.
        ratios: whether to show `log_ratios` as well.

    Returns:
        (b, d) in [0, 1]: `summary` squashed, `count` as shares of the answers that the budget
        buys, `affordable`, `budget_left` as a share, and the ratios.
    """
    parts = [
        squashed(observation["summary"]),
        observation["count"] / settings.max_answers,
        observation["affordable"],
        observation["budget_left"] / settings.budget,
        *([log_ratios(observation["summary"])] if ratios else []),
    ]
    rows = len(observation["budget_left"])
    return np.hstack([part.reshape(rows, -1) for part in parts]).astype(np.float32)


class FlatMap(ABC):
    """Map from whole numbers to actions: the questions first, then the verdicts.

    Args:
        questions: actions that ask.
        verdicts: actions that end the episode.
    """

    def __init__(self, questions: int, verdicts: int) -> None:
        self.questions, self.verdicts = questions, verdicts
        self.space = spaces.Discrete(questions + verdicts)

    @abstractmethod
    def actions(self, flat: NDArray[np.int64], observation: Observation) -> Action:
        """Actions of b numbers, given what their environments show; batched (b, ...)."""

    def mask(self, affordable: NDArray[np.int8]) -> NDArray[np.int8]:
        """Mask (b, questions + verdicts) of numbers that can be paid, of `affordable` (b, K)."""
        asked = np.tile(affordable, self.questions // affordable.shape[1])
        verdicts = np.ones((len(affordable), self.verdicts), dtype=np.int8)
        return np.hstack([asked, verdicts]).astype(np.int8)

    def checked(self, flat: object, episodes: int) -> NDArray[np.int64]:
        """Checks flat actions, and returns an array (episodes,).

        Raises:
            ActionError: if they are not whole numbers of the space.
        """
        array = np.asarray(flat)
        whole = array.dtype.kind in "iu" and array.shape == (episodes,)
        if not whole or not ((array >= 0) & (array < self.space.n)).all():
            raise ActionError(
                f"Expected a whole number from 0 to {self.space.n - 1} for each of {episodes} "
                f"environments, got {flat!r}."
            )
        return array.astype(np.int64)


class SingleFlatMap(FlatMap):
    """Flat actions of one candidate: K questions, then verdicts of 0, 1 / (levels - 1), ..., 1."""

    def __init__(self, settings: Sizes, levels: int) -> None:
        if not isinstance(levels, int) or levels < 2:
            raise SettingsError(f"Expected 2 or more levels of probability, got {levels!r}.")
        super().__init__(len(settings.menu), levels)

    def actions(self, flat: NDArray[np.int64], observation: Observation) -> Action:
        stop = flat >= self.questions
        said = (flat - self.questions) / (self.verdicts - 1)
        return {
            "question": np.where(stop, 0, flat),
            "probability": np.where(stop, said, PRIOR),
            "stop": stop.astype(np.int64),
        }


class PoolFlatMap(FlatMap):
    """Flat actions of a pool: K questions about each candidate in turn, then one verdict.

    A question fills one slot and leaves the others empty. The probabilities are those of a belief,
    with every action, so that a pool that is cut off has a verdict too.
    """

    def __init__(self, settings: Sizes, belief: Belief | None) -> None:
        if belief is None:
            raise SettingsError(
                "A pool's flat actions say whom to ask and when to stop, not how likely anybody is "
                "a member: give belief=, a function from an observation to n probabilities."
            )
        super().__init__(settings.candidates * len(settings.menu), 1)
        self._n, self._slots, self._belief = settings.candidates, settings.slots, belief

    def actions(self, flat: NDArray[np.int64], observation: Observation) -> Action:
        stop = flat == self.questions
        menu = self.questions // self._n
        candidate = np.full((len(flat), self._slots), self._n)
        candidate[:, 0] = np.where(stop, self._n, flat // menu)
        question = np.zeros_like(candidate)
        question[:, 0] = np.where(stop, 0, flat % menu)
        rows = [{name: value[i] for name, value in observation.items()} for i in range(len(flat))]
        return {
            "candidate": candidate,
            "question": question,
            "probability": np.stack(
                [checked_belief(self._belief(row), (self._n,)) for row in rows]
            ),
            "stop": stop.astype(np.int64),
        }


def checked_belief(found: object, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Checks that a belief gave probabilities of this shape.

    Raises:
        ActionError: if it is not.
    """
    array = np.asarray(found)
    numbers = array.dtype.kind in "fiu" and array.shape == shape
    if not numbers or not ((array >= 0) & (array <= 1)).all():
        raise ActionError(
            f"Expected a belief of shape {shape} with probabilities from 0 to 1, got {found!r}; "
            "nothing was asked or charged."
        )
    return array.astype(np.float64)


def flat_map(settings: Sizes, *, pool: bool, levels: int, belief: Belief | None) -> FlatMap:
    """Makes the flat actions of an environment.

    Args:
        settings: the environment's.
        pool: whether it is a pool.
        levels: of probability, in the verdict about a single candidate.
        belief: of membership, in a pool.

    Raises:
        SettingsError: if a pool has no belief, or a single candidate has one.
    """
    if pool:
        return PoolFlatMap(settings, belief)
    if belief is not None:
        raise SettingsError(
            "A belief goes with miagym/Pool-v0 only; in miagym/Single-v0 the action itself says "
            "the probability."
        )
    return SingleFlatMap(settings, levels)
