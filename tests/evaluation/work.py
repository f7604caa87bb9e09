"""A run on the dummy target as processes of their own work on it, together or alone."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import numpy as np

IMPORTED = ["attacks.blind", "attacks.grey_box.sima", "tests.evaluation.work"]
IMPORTED += ["miagym.api.evaluate", "miagym.report.page"]
IMPORTED += ["miagym.targets.dummy", "skops.io"]
"""Whatever a run imports, most of it only when it gets there."""

OPTIONS: dict[str, Any] = {
    "attacks": "sima",
    "limit": 12,
    "chunk": 2,
    "null": None,
    "reference": None,
    "generated": 0,
}


def dummy_target() -> Any:
    """A target that has memorised some members of the data."""
    import miagym
    from miagym.targets.dummy import DummyTarget

    data = miagym.load_data("clipart-tune")
    return DummyTarget(data.candidates(np.flatnonzero(data.member)[:8], 64))


def evaluated(out: Path, **options: Any) -> Any:
    """The run, in this process."""
    import miagym

    return miagym.evaluate(dummy_target(), "clipart-tune", out=out, **(OPTIONS | options))


def written(log: Path) -> list[tuple[int, str]]:
    """Who wrote which chunk."""
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    return [(int(line.split()[0]), line.split()[1]) for line in lines]


def started(out: Path, log: Path, *, slow: float = 0.0, most: int | None = None, **options: Any):
    """A process that works on the run.

    Args:
        out: the run folder.
        log: to which it adds a line for each chunk that it has written; what it says on stderr
            goes into a file beside it.
        slow: seconds that each chunk takes longer, as in a larger network.
        most: bytes of a file that it can write, as if the disk were full.
        options: of `miagym.evaluate`.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    process: ForkServerProcess = context.Process(target=_work, args=(out, log, slow, most, options))
    process.start()
    return process


def _work(out: Path, log: Path, slow: float, most: int | None, options: dict[str, Any]) -> None:
    import resource

    import torch
    from sklearn.ensemble import HistGradientBoostingClassifier

    import attacks.blind
    from miagym.errors import MiagymError
    from miagym.evaluation import workers
    from miagym.evaluation.store import RunFolder

    torch.set_num_threads(1)
    boosting, as_it_is, scored = (
        HistGradientBoostingClassifier,
        RunFolder.write,
        workers.score_chunk,
    )
    attacks.blind.HistGradientBoostingClassifier = lambda max_iter, **more: boosting(  # type: ignore
        max_iter=min(max_iter, 10), **more
    )

    def write(self: RunFolder, chunk: str, *rest: Any) -> None:
        as_it_is(self, chunk, *rest)
        with log.open("a", encoding="utf-8") as file:
            file.write(f"{os.getpid()} {chunk}\n")

    def score_chunk(*given: Any) -> Any:
        time.sleep(slow)
        return scored(*given)

    RunFolder.write, workers.score_chunk = write, score_chunk  # type: ignore[method-assign]
    if most is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    try:
        evaluated(out, **options)
    except (MiagymError, OSError) as error:
        said = f"{os.getpid()} {error}\n"
        with log.with_suffix(".errors").open("a", encoding="utf-8") as file:
            file.write(said)
        sys.exit(2)
