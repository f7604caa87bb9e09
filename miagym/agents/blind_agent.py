"""Blind agent: never asks, and judges by a candidate's colours and caption."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.preprocessing import StandardScaler

from miagym.agents.agent import check_enough, episodes_of
from miagym.agents.never import NeverAsks
from miagym.agents.observations import ObservationBatch
from miagym.envs.spaces import Action, Observation
from miagym.errors import DataError

GRID = 8
"""Cells across a picture, of which the colours are looked at."""
STRENGTHS = (1e-5, 1e-3, 1e-2, 0.1, 1.0)
"""Inverse penalties of the regression; cross-validation on `train` chooses."""
FOLDS = 5


@dataclass(frozen=True, eq=False)
class BlindAgent:
    """Agent that never asks: what it finds is a difference between the sides, not membership.

    After Das, Zhang and Tramèr, Blind Baselines Beat Membership Inference Attacks for Foundation
    Models, arXiv 2406.16201: logistic regression on colours of a coarse grid and tokens of the
    caption.
    """

    words: TfidfVectorizer
    colours: StandardScaler
    model: LogisticRegression

    def act(self, observation: Observation, rng: np.random.Generator) -> Action:
        batch = ObservationBatch.of(observation)
        pictures = batch.pictures.reshape(-1, *batch.pictures.shape[2:])
        said = self.judge(pictures, batch.captions.reshape(len(pictures), -1))
        return batch.verdict(said.reshape(len(batch.left), batch.n))

    def judge(
        self, pictures: NDArray[np.uint8], captions: NDArray[np.int32]
    ) -> NDArray[np.float64]:
        """Probabilities of membership (m,).

        Args:
            pictures: (m, size, size, 3), 8 bit.
            captions: token ids (m, 77).
        """
        words = self.words.transform(_words(captions))
        seen = _joined(self.colours.transform(_colours(pictures)), words)
        return self.model.predict_proba(seen)[:, 1]

    @classmethod
    def fit(cls, envs: gym.vector.VectorEnv, episodes: int, seed: int) -> Self:
        """Learns from what episodes show before anything is asked.

        Args:
            envs: Single or Pool, on the split `train`.
            episodes: in each of them; enough to see most candidates.
            seed: of the dealing.

        Raises:
            DataError: if the environments do not tell labels.
            TooFewToLearn: if there were too few members, or non-members.
        """
        shown = {}
        for one in episodes_of(NeverAsks(), envs, episodes, seed):
            if one.member is None:
                raise DataError("A blind agent learns from labels; play on the split train.")
            batch = ObservationBatch.of({name: value[None] for name, value in one.seen[0].items()})
            rows = zip(batch.pictures[0], batch.captions[0], one.member, strict=True)
            shown |= dict(zip(one.keys, rows, strict=True))
        pictures, captions, member = (np.stack(part) for part in zip(*shown.values(), strict=True))
        check_enough(member, FOLDS)
        words, colours = TfidfVectorizer(token_pattern=r"\S+"), StandardScaler()
        tokens = words.fit_transform(_words(captions))
        seen = _joined(colours.fit_transform(_colours(pictures)), tokens)
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
        losses = []
        for strength in STRENGTHS:
            model = LogisticRegression(C=strength, max_iter=1000)
            said = cross_val_predict(model, seen, member, cv=folds, method="predict_proba")
            losses.append(log_loss(member, said))
        model = LogisticRegression(C=STRENGTHS[int(np.argmin(losses))], max_iter=1000)
        return cls(words, colours, model.fit(seen, member))


def _colours(pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Mean colours of a grid (m, GRID² · 3), and their spread over the picture (m, 3)."""
    x = pictures.astype(np.float64) / 255
    rows, columns = (np.arange(GRID) * side // GRID for side in x.shape[1:3])
    cells = np.add.reduceat(np.add.reduceat(x, rows, axis=1), columns, axis=2)
    return np.hstack([cells.reshape(len(x), -1), x.std(axis=(1, 2))])


def _words(captions: NDArray[np.int32]) -> list[str]:
    """Token ids (m, 77) as texts."""
    return [" ".join(map(str, tokens)) for tokens in captions]


def _joined(colours: object, words: object) -> csr_array:
    return csr_array(hstack([csr_array(colours), csr_array(words)]))
