"""Flow matching: models whose noise levels are straight mixtures, and which predict velocity."""

from __future__ import annotations

from copy import deepcopy
from itertools import pairwise
from typing import Any

import numpy as np
from diffusers import FlowMatchEulerDiscreteScheduler

from miagym.errors import TargetError
from miagym.targets.pipeline.target import PipelineTarget
from miagym.targets.schedule import Level, Move, Predicts, Schedule


class FlowTarget(PipelineTarget):
    """A pipeline that samples along a flow, by Euler steps of its own spacing.

    Timesteps are the times that the network is told, 0 .. T - 1 with s_t = t / T.
    """

    uniform_sigmas: bool = False
    """Whether the pipeline spaces noise levels evenly from 1 to 1/steps before they are shifted."""

    patch: int
    """Side of what is one token of the transformer, in latents."""

    def use_flow(self) -> None:
        """Takes the schedule of the pipeline's scheduler.

        Raises:
            TargetError: if it is none of flow matching.
        """
        scheduler = self.pipeline.scheduler
        if not isinstance(scheduler, FlowMatchEulerDiscreteScheduler):
            raise TargetError(
                f"{self.name} has a {type(scheduler).__name__}; expected the "
                "FlowMatchEulerDiscreteScheduler of a model trained by flow matching."
            )
        config: Any = scheduler.config
        if config.stochastic_sampling or config.invert_sigmas:
            raise TargetError(
                f"The scheduler of {self.name} samples stochastically or backwards; expected "
                "stochastic_sampling and invert_sigmas to be off."
            )
        self.predicts = Predicts.FLOW
        self.schedule = Schedule.flow(config.num_train_timesteps)

    def moves(self, steps: int, side: int | None = None) -> list[Move]:
        scheduler: Any = deepcopy(self.pipeline.scheduler)
        sigmas = np.linspace(1.0, 1 / steps, steps) if self.uniform_sigmas else None
        scheduler.set_timesteps(steps, sigmas=sigmas, mu=self._shift(scheduler.config, side))
        times = [*map(float, scheduler.timesteps), 0.0]
        levels = [
            Level(t, 1 - float(s), float(s)) for t, s in zip(times, scheduler.sigmas, strict=True)
        ]
        return [Move(start, end) for start, end in pairwise(levels)]

    def timesteps(self, steps: int) -> list[int]:
        last = len(self.schedule) - 1
        return [min(last, round(move.start.time)) for move in self.moves(steps)]

    def _shift(self, config: Any, side: int | None) -> float | None:
        """The shift of noise levels for a picture of this size (Esser et al. 2024, Sec. 5.3.2)."""
        if not config.get("use_dynamic_shifting"):
            return None
        least, most = config.get("base_image_seq_len", 256), config.get("max_image_seq_len", 4096)
        low, high = config.get("base_shift", 0.5), config.get("max_shift", 1.15)
        tokens = ((side or self.latent_shape[1]) // self.patch) ** 2
        return low + (high - low) * (tokens - least) / (most - least)
