"""A run that is killed again and again ends like one that was left alone."""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import sys
import time
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

KILLS = 10
ATTACKS = "sima,loss(draws=1),trajectory-logistic"
IMPORTED = [
    "attacks.blind",
    "attacks.grey_box.loss",
    "attacks.grey_box.sima",
    "attacks.grey_box.trajectory_classifiers",
    "diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion",
    "miagym.api.evaluate",
    "miagym.cli",
    "miagym.evaluation.run",
    "miagym.report.page",
    "miagym.targets.loading.targets",
    "skops.io",
]
"""Whatever a run imports, most of it only when it gets there."""


def _evaluate(arguments: list[str], most: int | None, errors: Path | None) -> None:
    from miagym.cli import main

    if errors is not None:
        os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
    if most is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    sys.argv = ["miagym", *arguments]
    main()


def _started(
    arguments: list[str], most: int | None = None, errors: Path | None = None
) -> ForkServerProcess:
    """A process of its own, forked from one that has imported everything and run nothing.

    It cannot write files of more bytes than `most`, as if the disk were full. What it says on
    stderr goes to `errors`; without it, to the stderr of whichever test forked first.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    process = context.Process(target=_evaluate, args=(arguments, most, errors))
    process.start()
    return process


def _files(out: Path) -> dict[str, int]:
    """Finished chunks, and the inode that a second writing would change."""
    return {path.name: path.stat().st_ino for path in (out / "chunks").glob("*.parquet")}


@pytest.mark.long
@pytest.mark.slow
def test_ten_kills_at_random_moments(pipelines: dict[str, Path], tmp_path: Path) -> None:
    common = ["evaluate", "--target", str(pipelines["epsilon"]), "--data", "clipart-tune"]
    common += ["--limit", "10", "--attacks", ATTACKS, "--chunk", "1", "--paper", "--null"]
    common += [str(pipelines["v_prediction"])]
    alone = _started([*common, "--out", str(tmp_path / "alone")])
    killed, kept, dice = tmp_path / "killed", {}, random.Random(0)
    for _ in range(KILLS):
        process = _started([*common, "--out", str(killed)])
        wanted, deadline = len(kept) + dice.randint(0, 5), time.monotonic() + 120
        while len(_files(killed)) < wanted:
            assert process.is_alive() and time.monotonic() < deadline
            time.sleep(0.002)
        time.sleep(dice.uniform(0, 0.3))
        process.kill()
        process.join()
        assert process.exitcode == -9, "it was over before it was killed"
        found = _files(killed)
        assert kept.items() <= found.items(), "a finished chunk was lost or written again"
        kept = found
    last = _started([*common, "--out", str(killed)])
    for process in (last, alone):
        process.join(timeout=240)
        assert process.exitcode == 0
    tables = [pq.read_table(tmp_path / name / "scores.parquet") for name in ("killed", "alone")]
    columns = [name for name in tables[0].column_names if name != "score"]
    assert tables[0].select(columns).equals(tables[1].select(columns))
    one, other = (table["score"].to_numpy() for table in tables)
    np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6)


@pytest.mark.slow
def test_a_full_disk_is_a_sentence_and_the_run_goes_on(
    pipelines: dict[str, Path], tmp_path: Path
) -> None:
    """Features, a fitted rule, then scores.parquet and the report do not fit; later they do."""
    run = ["evaluate", "--target", str(pipelines["epsilon"]), "--data", "clipart-tune"]
    run += ["--limit", "12", "--attacks", "sima", "--out", str(tmp_path / "run")]
    errors = tmp_path / "stderr"
    for most in (4_000, 40_000, 400_000):
        process = _started(run, most, errors)
        process.join(timeout=240)
        assert process.exitcode == 2
        error = errors.read_text()
        assert "What is finished is kept." in error and "Traceback" not in error
        assert not list((tmp_path / "run").rglob("*.partial"))
    process = _started(run)
    process.join(timeout=240)
    assert process.exitcode == 0 and (tmp_path / "run" / "report.html").is_file()
