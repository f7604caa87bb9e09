"""Reference scores: known members and non-members, asked the same questions as the candidate."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from miagym.app.play.setup import KNOWN, GameSetup
from miagym.envs.pool import PoolEnv
from miagym.envs.rendering.scene import DISTANCE
from miagym.envs.settings import TRAIN
from miagym.envs.spaces import Observation
from miagym.envs.statistics import STATISTICS

BATCH = 8
"""Asked in one go, so that a visitor's question never waits long."""
MIN_DISTANCE = 1e-6


class ReferenceScores:
    """Known members and non-members of one setup, asked each question once, piece by piece.

    Args:
        setup: whose target they are asked about.
        device: where targets are put.
    """

    def __init__(self, setup: GameSetup, device: str) -> None:
        self._setup = setup
        options = setup.options(device, TRAIN, budget=10**6)  # more than all questions cost
        self._env = PoolEnv(**options, candidates=KNOWN, slots=BATCH)
        self._asked = np.zeros(len(setup.questions), dtype=np.int64)
        self._lock = Lock()

    def is_complete(self, question: int) -> bool:
        return bool(self._asked[question] == KNOWN)

    def measure(self, question: int) -> None:
        """Asks the next few of them one question; nothing if all have answered."""
        with self._lock:
            if not self._env.game.begun[0]:
                self._env.reset(seed=0)
            first = int(self._asked[question])
            if first == KNOWN:
                return
            whom = np.arange(first, first + BATCH)
            self._env.step(
                {
                    "candidate": whom,
                    "question": np.full(BATCH, question),
                    "probability": np.full(KNOWN, 0.5),
                    "stop": 0,
                }
            )
            self._asked[question] += BATCH

    def distances(self, question: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Of those that have answered: the members' (k,), and the non-members' (m,)."""
        count = int(self._asked[question])
        members = self._env.game.members[0]
        if members is None:
            return np.empty(0), np.empty(0)
        found = relative(self._env.game.summary[0, :count, question])
        member = members[:count] == 1
        return found[member], found[~member]

    def belief(self, question: int) -> Callable[[Observation], NDArray[np.float64]]:
        """What answers to one question say, by logistic regression on the known pictures.

        These have answered once. More answers about a candidate make its belief steadier, and no
        bolder.
        """
        while not self.is_complete(question):
            self.measure(question)
        near, far = self.distances(question)
        x = np.log(np.concatenate([near, far]))[:, None]
        # The visitor's pictures are half members, whatever the known ones happen to be.
        model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced"))
        model.fit(x, np.arange(len(x)) < len(near))

        def believed(observation: Observation) -> NDArray[np.float64]:
            asked = observation["count"][..., question] > 0
            values = np.log(relative(observation["summary"][..., question, :]))
            said = model.predict_proba(values.reshape(-1, 1))[:, 1].reshape(asked.shape)
            return np.where(asked, said, 0.5)

        return believed


def relative(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """The distance in statistics (..., F); over the public model's, where there is one (...)."""
    own = np.maximum(values[..., DISTANCE].astype(np.float64), MIN_DISTANCE)
    if values.shape[-1] == len(STATISTICS):
        return own
    return own / np.maximum(values[..., len(STATISTICS) + DISTANCE], MIN_DISTANCE)


@lru_cache(maxsize=8)
def reference_scores(setup: GameSetup, device: str) -> ReferenceScores:
    """Shared by all visitors of this process."""
    return ReferenceScores(setup, device)
