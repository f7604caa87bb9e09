"""The main job: matches in, a run folder out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from miagym.evaluation.config import Config
from miagym.evaluation.match import Chunk, Job, MatchRun
from miagym.evaluation.metrics import measure
from miagym.evaluation.protocol import HELD_OUT, Attack, LearnedAttack, best_variant
from miagym.evaluation.store import Clock, RunFolder
from miagym.evaluation.workers import chunk_workers

Progress = Callable[[str, int], Callable[[], None]]
"""Called with a label and a number of steps; what it returns is called after each step."""
Chosen = dict[str, dict[str, Attack]]
"""By attack name, the variant to score by its repr."""


def evaluate(
    config: Config,
    make_attack: Callable[[str], Attack],
    open_folder: Callable[[list[MatchRun]], RunFolder],
    progress: Progress,
) -> dict[str, Any]:
    """Runs all matches, resuming what the folder already holds, and writes the results.

    Args:
        config: what to run.
        make_attack: from name to attack.
        open_folder: opens the run folder, once it is known what was loaded.
        progress: shows how far each phase is.

    Returns:
        The content of results.json.

    Raises:
        MiagymError: of whatever kind; what has been scored before it stays in the folder.
    """
    runs = [MatchRun(config, number, make_attack) for number in range(len(config.matches))]
    folder = open_folder(runs)
    if folder.finished:
        return folder.results()
    place = _Workplace(folder, progress)
    tables: list[pa.Table] = []
    rows: list[dict[str, Any]] = []
    for run in runs:
        run.probe()
        before = len(place.clocks)
        chosen, calibration = _calibrate(run, place)
        tasks = [(chunk, Job(chosen)) for chunk in run.test_chunks()]
        place.do(run, tasks)
        run.check_any_attack()
        test = [folder.read(chunk.name) for chunk, _ in tasks]
        tables += [*calibration, *test]
        rows += _rows(run, pa.concat_tables(test), config.seed, place.clocks[before:])
    totals = {
        "rows_charged": sum(clock.rows_charged for clock in place.clocks),
        "rows_computed": sum(clock.rows_computed for clock in place.clocks),
        "skipped": [skipped for run in runs for skipped in run.skipped],
    }
    results = {"schema": 1, "run": {"config": asdict(config), **totals}, "rows": rows}
    folder.finish(pa.concat_tables(tables), results)
    return results


class _Workplace:
    """Where chunks are worked on, several side by side, and what came of them is kept."""

    def __init__(self, folder: RunFolder, progress: Progress) -> None:
        self.folder = folder
        self.clocks: list[Clock] = []
        self._progress = progress

    def do(self, run: MatchRun, tasks: list[tuple[Chunk, Job]]) -> None:
        """Does each job on its chunk, leaving out what the folder already holds."""
        if not tasks:
            return
        done = self._progress(f"{run.match.target}: {tasks[0][0].part}", len(tasks))

        def work(task: tuple[Chunk, Job]) -> str:
            chunk, job = task
            if not self.folder.has(chunk.name):
                self.folder.write(chunk.name, *run.work(chunk, job))
            return chunk.name

        with chunk_workers(run.target) as pool:
            try:
                for name in pool.map(work, tasks):
                    self.clocks.append(self.folder.clock(name))
                    run.leave_out(self.clocks[-1].refused)
                    done()
            except KeyboardInterrupt:
                self._progress("stopping after the chunks at work", 1)
                raise


def _calibrate(run: MatchRun, place: _Workplace) -> tuple[Chosen, list[pa.Table]]:
    """Chooses a variant of each attack, or fits it, on the calibration part alone."""
    learning = {name: a for name, a in run.attacks.items() if isinstance(a, LearnedAttack)}
    options = {
        name: variants
        for name, attack in run.attacks.items()
        if name not in learning and len(variants := run.affordable_variants(attack)) > 1
    }
    tasks = [
        (chunk, Job(options if chunk.chooses else {}, learning))
        for chunk in run.calibration_chunks()
        if learning or (options and chunk.chooses)
    ]
    place.do(run, tasks)
    chosen = {name: {repr(attack): attack} for name, attack in run.attacks.items()}
    options = {name: variants for name, variants in options.items() if name in chosen}
    learning = {name: attack for name, attack in learning.items() if name in chosen}
    tables = [place.folder.read(chunk.name) for chunk, _ in tasks]
    if options:
        chosen |= _choose(options, pa.concat_tables(tables))
    for name, attack in learning.items():
        parts = [place.folder.features(chunk.name) for chunk, _ in tasks]
        features = np.concatenate([part.by_attack[name] for part in parts])
        fitted = attack.fit(features, np.concatenate([part.member for part in parts]))
        place.folder.keep(f"{run.number:02d}-{name}", fitted)
        chosen[name] = {repr(attack): fitted}
    return chosen, tables


def _choose(options: Chosen, scores: pa.Table) -> Chosen:
    """The best variant of each attack by calibration AUC."""
    chosen = {}
    for name, variants in options.items():
        by_variant = {}
        for variant in variants:
            part = scores.filter((pc.field("attack") == name) & (pc.field("variant") == variant))
            member = part["member"].to_numpy(zero_copy_only=False)
            by_variant[variant] = part["score"].to_numpy(), member
        best = best_variant(by_variant)
        chosen[name] = {best: variants[best]}
    return chosen


def _rows(run: MatchRun, scores: pa.Table, seed: int, clocks: list[Clock]) -> list[dict[str, Any]]:
    """One row of results.json for each attack, from its test scores."""
    rows = []
    for name, attack in run.attacks.items():
        of_attack = scores.filter(pc.field("attack") == name)
        *earlier, last = np.unique(of_attack["budget"].to_numpy())
        final = of_attack.filter(pc.field("budget") == last)
        row = {
            "target": run.match.target,
            "data": run.match.data,
            "attack": name,
            "access": str(attack.access),
            **_numbers(final, seed),
            "seconds": sum(clock.seconds.get(name, 0.0) for clock in clocks),
            "protocol": HELD_OUT,
            "chosen": final["variant"][0].as_py(),
        }
        if earlier:
            parts = (of_attack.filter(pc.field("budget") == b) for b in (*earlier, last))
            row["curve"] = [_numbers(part, seed) for part in parts]
        rows.append(row)
    return rows


def _numbers(scores: pa.Table, seed: int) -> dict[str, Any]:
    """What is measured of one attack at one budget."""
    member = scores["member"].to_numpy(zero_copy_only=False)
    return {
        **measure(scores["score"].to_numpy(), member, seed).as_row(),
        "queries": float(np.mean(scores["queries"].to_numpy())),
        "unet_rows": float(np.mean(scores["unet_rows"].to_numpy())),
        "backward_rows": float(np.mean(scores["backward_rows"].to_numpy())),
    }
