"""Knowledge-gradient agent: each question goes where an answer is expected to gain the most."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from miagym.agents.answer_models.gaussian import AnswerModel, ratios, read, reward
from miagym.agents.answer_models.unknown_target import UnknownTargetModel
from miagym.agents.observations import ObservationBatch
from miagym.envs.answers.table import AnswerTable
from miagym.envs.spaces import Action, Observation
from miagym.metrics.brier import brier_rewards


@dataclass(frozen=True, eq=False)
class PictureValue:
    """What the first answer about a picture is worth, as guessed from its pixels, for nothing.

    Regression of the reward after one answer on eight facts of a picture: white share, contrast,
    edges, size when packed, colours, saturation, fine detail.
    """

    regressor: Pipeline | RandomForestRegressor

    @classmethod
    def fit(
        cls,
        model: AnswerModel,
        table: AnswerTable,
        keys: tuple[str, ...],
        pictures: NDArray[np.uint8],
        *,
        member: NDArray[np.integer] | None = None,
        forest: bool = False,
    ) -> Self:
        """Learns from the first answers of a table about candidates (m,) on `train`.

        Args:
            model: what answers say.
            table: the answers.
            keys: of the candidates (m,).
            pictures: theirs (m, size, size, 3).
            member: labels (m,), to learn the reward itself; by default the reward that the belief
                expects of itself.
            forest: whether to use a random forest, by default ridge regression.
        """
        first = ratios(table, keys)[:, :, 0]
        said = model.probability(first, np.ones(first.shape, dtype=np.int64))
        worth = reward(said) if member is None else brier_rewards(said, member[:, None])
        regressor = (
            RandomForestRegressor(300, min_samples_leaf=8, random_state=0)
            if forest
            else make_pipeline(StandardScaler(), RidgeCV(np.logspace(-1, 4, 20)))
        )
        seen = np.array([facts(one) for one in pictures])
        return cls(regressor.fit(seen, worth.mean(axis=1)))

    def __call__(self, pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Expected rewards (n,) after a first answer about pictures (n, size, size, 3)."""
        return self.regressor.predict(np.array([facts(one) for one in pictures]))


@dataclass(frozen=True, eq=False)
class KnowledgeGradientAgent:
    """Agent that asks one question at a time, about whom the next answer gains the most.

    About a candidate with answers that is the model's knowledge gradient; about one without, where
    the model expects the same of everybody, what its picture promises. It spends the whole budget.
    """

    model: AnswerModel | UnknownTargetModel
    """The belief, which makes the verdicts too."""
    prices: NDArray[np.int64]
    """Of the one question (1,), in UNet rows."""
    value: PictureValue | None = None
    """Of first answers; None if pictures are not looked at."""

    def act(self, observation: Observation, rng: np.random.Generator) -> Action:
        batch = ObservationBatch.of(observation)
        promised = None
        if self.value is not None:
            flat = batch.pictures.reshape(-1, *batch.pictures.shape[2:])
            promised = self.value(flat).reshape(batch.count.shape[:2])
        return self.act_on(batch, observation, promised)

    def act_on(
        self,
        batch: ObservationBatch,
        observation: Observation,
        promised: NDArray[np.float64] | None,
    ) -> Action:
        """Acts where the pictures' promises (b, n) are known already, or not looked at."""
        b, n = batch.count.shape[:2]
        ratio, count = read(observation)
        ratio, count = ratio.reshape(b, n), count.reshape(b, n)
        gain = self.model.gain(ratio, count)
        if promised is not None:
            gain = np.where(count == 0, promised, gain)
        whom = np.argmax(gain, axis=1)[:, None]
        probability = self.model.probability(ratio, count)
        return batch.ask(whom, np.zeros_like(whom), probability, self.prices)


def facts(picture: NDArray[np.uint8]) -> list[float]:
    """Eight facts of a picture (size, size, 3) that need no model."""
    grey = picture.mean(axis=-1) / 255
    across, down = np.gradient(grey)
    slope = np.hypot(across, down)
    around = sum(np.roll(grey, step, axis) for step in (1, -1) for axis in (0, 1)) / 4
    shades = np.unique((picture // 32).reshape(-1, 3), axis=0)
    return [
        float((picture.min(axis=-1) > 250).mean()),
        float(grey.std()),
        float(slope.mean()),
        float((slope > 0.05).mean()),
        float(np.log(len(zlib.compress(picture.tobytes())))),
        float(np.log(len(shades))),
        float((picture / 255).std(axis=-1).mean()),
        float(np.log(np.abs(grey - around).mean() + 1e-4)),
    ]
