"""Hands about families: what tests of their games and of their grades share."""

from __future__ import annotations

from typing import Any

import numpy as np

from miagym.envs.grading.verdicts import Verdicts

LIST = ("clipart-overfit@40", "clipart-overfit@80", "clipart-overfit", "clipart-null")
POPULATION = "clipart-population"
SMALL: dict[str, Any] = {"candidates": 3, "slots": 3, "access": "grey", "device": "cpu"}
REAL: dict[str, Any] = {**SMALL, "family": LIST, "questions": ["loss@60", "sima@60"], "budget": 6}
CHEAP: dict[str, Any] = {**SMALL, "questions": ["variation@0.3"], "budget": 9, "access": "black"}


def ask(envs: Any) -> np.ndarray:
    """Distances of variations to the pictures (b, n), one for each."""
    b, n = envs.num_envs, envs.settings.candidates
    asked = {"candidate": np.tile(np.arange(n), (b, 1)), "question": np.zeros((b, n), int)}
    seen, *_ = envs.step(asked | {"probability": np.full((b, n), 0.5), "stop": np.zeros(b, int)})
    return seen["summary"][:, :, 0, 1]


def say(envs: Any, probability: np.ndarray) -> tuple[Any, ...]:
    b, n = envs.num_envs, envs.settings.candidates
    nobody = {"candidate": np.full((b, n), n), "question": np.zeros((b, n), int)}
    return envs.step(nobody | {"probability": probability, "stop": np.ones(b, int)})


def judged(envs: Any, walks: int) -> Verdicts:
    """Plays hands that are asked about once, and believes the distances."""
    envs.reset(seed=0)
    for _ in range(walks):
        say(envs, 1 / (1 + (ask(envs) / 0.05) ** 4))
        envs.reset(options={"reset_mask": np.ones(envs.num_envs, dtype=bool)})
    return envs.verdicts
