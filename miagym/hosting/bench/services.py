"""Baselines on services: calls in one way, and in two of which one is the other's reference."""

from __future__ import annotations

from collections.abc import Sequence

from miagym.agents.agent import Agent
from miagym.agents.uploading import UploadingAgent
from miagym.envs.service.env import ServiceVectorEnv

EPISODES = 8
"""Played in each environment of `train` to learn a belief."""


def again(train: Sequence[ServiceVectorEnv]) -> Agent:
    """Calls the same way again and again: the candidate varied, or drawn from its caption."""
    uploads = train[0].settings.kind.takes_uploads
    return _calling(train, ["original@0.3"] if uploads else ["none"])


def uploading(train: Sequence[ServiceVectorEnv]) -> Agent:
    """Calls in turn about the candidate and about its like: turned, or with half the caption."""
    uploads = train[0].settings.kind.takes_uploads
    return _calling(train, ["original@0.3", "turned@0.3"] if uploads else ["none", "none+cut"])


def _calling(train: Sequence[ServiceVectorEnv], ways: Sequence[str]) -> Agent:
    return UploadingAgent.fit_over(train, ways, EPISODES, seed=0)
