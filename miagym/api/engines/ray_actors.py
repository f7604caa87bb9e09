"""Ray: one actor for each GPU, or on processors; only the run's settings travel."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from typing import Any

from miagym.api.engines.engine import EngineJob, Lost
from miagym.api.engines.extras import imported
from miagym.api.engines.work import EngineWork


class Worker:
    """What runs as an actor."""

    def run(self, work: EngineWork) -> str | None:
        return work()


class RayEngine:
    """Actors of the cluster that RAY_ADDRESS names, else of one that is made for the run.

    Args:
        jobs: how many share the processors of the cluster.
        device: each actor has a GPU if there are any, unless this is "cpu".

    Raises:
        SettingsError: if Ray is not installed.
    """

    def __init__(self, jobs: int, device: str) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        self._ray: Any = imported("ray", "ray")
        self._own = not self._ray.is_initialized()
        if self._own:
            local = {} if "RAY_ADDRESS" in os.environ else {"include_dashboard": False}
            self._ray.init(logging_level=logging.ERROR, log_to_driver=False, **local)
        nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        gpus = device != "cpu" and any(node.get("GPU") for node in nodes)
        processors = [int(node["CPU"]) for node in nodes if node.get("CPU")]
        share = max(1, min(min(processors), sum(processors) // jobs))
        self._worker = self._ray.remote(num_cpus=share, num_gpus=int(gpus))(Worker)

    def start(self, work: EngineWork, jobs: int) -> list[EngineJob]:
        actors = [self._worker.remote() for _ in range(jobs)]
        return [RayJob(self._ray, actor, actor.run.remote(work)) for actor in actors]

    def close(self) -> None:
        if self._own:
            self._ray.shutdown()


@dataclass(frozen=True)
class RayJob:
    """An actor at work."""

    ray: Any
    actor: Any
    answer: Any

    def ended(self) -> bool:
        return bool(self.ray.wait([self.answer], timeout=0)[0])

    def result(self) -> str | None:
        try:
            return self.ray.get(self.answer)
        except self.ray.exceptions.RayError as error:
            first, *_ = str(error).strip().splitlines()
            raise Lost(first) from error
        finally:
            self.stop()

    def stop(self) -> None:
        self.ray.kill(self.actor)
