"""Learned agent: a policy trained on one candidate, played on many."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from miagym.agents.observations import ObservationBatch
from miagym.atomic import replacing
from miagym.envs.settings import Settings
from miagym.envs.spaces import Action, Observation
from miagym.envs.wrappers.maps import feature_space, features
from miagym.errors import DataError

Layers = tuple[tuple[NDArray[np.float32], NDArray[np.float32]], ...]
"""Weights (out, in) and offsets (out,) of each layer."""


@dataclass(frozen=True, eq=False)
class LearnedAgent:
    """Agent with a small network from `Features` to `FlatActions` of `miagym/Single-v0`.

    In each state it does what the network finds best among what can be paid. In a pool it looks at
    each candidate as if it were alone, with a budget of its own, and the slots go to the candidates
    that it wants to ask about and that have the fewest answers.
    """

    layers: Layers
    settings: Settings
    """Of the single environment that it learned in."""

    def act(self, observation: Observation, rng: np.random.Generator) -> Action:
        batch = ObservationBatch.of(observation)
        prices = np.array([question.price for question in self.settings.menu])
        own = self.settings.budget - batch.count @ prices
        left = np.clip(own, 0, batch.left[:, None])
        logits = self._logits(batch, left, affordable := prices <= left[..., None])
        ask = np.where(affordable, logits[..., : len(prices)], -np.inf)
        verdicts = logits[..., len(prices) :]
        wants = ask.max(axis=2) > verdicts.max(axis=2)
        probability = verdicts.argmax(axis=2) / (verdicts.shape[2] - 1)
        turn = np.where(wants, batch.count.sum(axis=2), np.iinfo(np.int64).max)
        order = np.argsort(turn, axis=1, kind="stable")
        candidate = np.where(np.take_along_axis(wants, order, axis=1), order, batch.n)
        question = np.take_along_axis(ask.argmax(axis=2), order, axis=1)
        return batch.ask(candidate, question, probability, prices)

    def _logits(
        self, batch: ObservationBatch, left: NDArray[np.integer], affordable: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """Of all flat actions (b, n, K + levels), each candidate by itself."""
        b, n, menu = batch.count.shape
        alone = {
            "summary": batch.summary.reshape(b * n, menu, -1),
            "count": batch.count.reshape(b * n, menu),
            "affordable": affordable.reshape(b * n, menu),
            "budget_left": left.reshape(b * n, 1),
        }
        x = features(alone, self.settings)
        for i, (weights, offsets) in enumerate(self.layers):
            x = (np.tanh(x) if i else x) @ weights.T + offsets
        return x.reshape(b, n, -1)

    def save(self, path: Path) -> None:
        """Writes the numbers of the network, whole or not at all."""
        names = ("weights", "offsets")
        arrays = {
            f"{i}.{name}": np.ascontiguousarray(array)
            for i, layer in enumerate(self.layers)
            for name, array in zip(names, layer, strict=True)
        }
        with replacing(path) as partial:
            save_file(arrays, partial)

    @classmethod
    def load(cls, path: Path, settings: Settings) -> Self:
        """Reads what `save` wrote.

        Args:
            path: the file.
            settings: of the single environment that it learned in.

        Raises:
            DataError: if it is no such file, or of an environment with other actions or features.
        """
        try:
            arrays = load_file(path)
            layers = tuple(
                (arrays[f"{i}.weights"], arrays[f"{i}.offsets"]) for i in range(len(arrays) // 2)
            )
        except (OSError, SafetensorError, KeyError) as error:
            raise DataError(f"{path} cannot be read as a learned agent ({error}).") from error
        agent = cls(layers, settings)
        agent.check()
        return agent

    def check(self) -> None:
        """Checks that the network fits the environment.

        Raises:
            DataError: if it sees another number of features, or has no verdict to give.
        """
        sees = feature_space(self.settings).shape[0]
        fits = self.layers and self.layers[0][0].shape[1] == sees
        if not fits or len(self.layers[-1][1]) < len(self.settings.menu) + 2:
            raise DataError(
                f"Expected an agent that sees {sees} features and knows {len(self.settings.menu)} "
                "questions; this one learned in an environment with another menu or access."
            )
