"""The main job: matches in, a run folder out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from miagym.auditing.audit import audit_dataset
from miagym.data.dataset import TEST
from miagym.errors import DataError, MiagymError
from miagym.evaluation.calibration import calibrate
from miagym.evaluation.chunk import Job
from miagym.evaluation.config import Config
from miagym.evaluation.experiment import MatchRun
from miagym.evaluation.protocol import Attack
from miagym.evaluation.results import Scored, results_of
from miagym.evaluation.store import RunFolder
from miagym.evaluation.workers import Workplace
from miagym.progress import Progress

SECTIONS = ("rows", "controls", "protocols", "comparisons")


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
    _check_different(config)
    runs = [MatchRun(config, number, make_attack) for number in range(len(config.matches))]
    folder = open_folder(runs)
    if folder.finished:
        return folder.results()
    place = Workplace(folder, progress)
    try:
        scored = [_score(run, place) for run in runs]
    except MiagymError:
        folder.give_up()
        raise
    folder.gather(place.clocks)
    done = progress("measuring", len(runs))
    sections: dict[str, list[dict[str, Any]]] = {name: [] for name in SECTIONS}
    for match in scored:
        for name, rows in results_of(match, folder).items():
            sections[name] += rows
        done()
    sections["audit"] = _audits(runs, progress)
    results = {"schema": 1, "run": _about(config, scored, place), **sections}
    folder.finish(results)
    return results


def _score(run: MatchRun, place: Workplace) -> Scored:
    """Calibrates, asks about the test part, then asks the null target."""
    run.probe()
    before = len(place.clocks)
    calibrated = calibrate(run, place)
    others = calibrated.others if run.config.paper else {}
    test = run.test_chunks()
    place.do(run, [(chunk, Job(calibrated.chosen, others)) for chunk in test])
    run.check_any_attack()
    place.check_both_sides(run, test)
    clocks = list(place.clocks.values())[before:]
    asking = {name: calibrated.chosen[name] for name in run.asking}
    if asking and run.null is not None:  # loaded now, and not by two workers at once
        place.do(run, [(chunk, Job(asking)) for chunk in run.null_chunks()], leave_out=False)
    run.release()
    return Scored(run, calibrated, clocks)


def _audits(runs: list[MatchRun], progress: Progress) -> list[dict[str, Any]]:
    """Whether the test part of each data set is fair, which no attack is needed to say."""
    by_data = {run.match.data: run for run in runs}
    done = progress("auditing the data", len(by_data))
    audits = []
    for name, run in by_data.items():
        seed = run.config.seed
        rows = run.data.rows(TEST, seed, run.config.limit)
        audits.append({**audit_dataset(run.data, seed=seed, rows=rows).as_json(), "data": name})
        done()
    return audits


def _about(config: Config, scored: list[Scored], place: Workplace) -> dict[str, Any]:
    """What results.json says of the run as a whole."""
    clocks = place.clocks.values()
    return {
        "config": asdict(config),
        "rows_charged": sum(clock.rows_charged for clock in clocks),
        "rows_computed": sum(clock.rows_computed for clock in clocks),
        "skipped": [skipped for match in scored for skipped in match.run.skipped],
        "doubts": [
            {"target": match.run.match.target, "data": match.run.match.data, "why": why}
            for match in scored
            if (why := match.run.doubts()) is not None
        ],
        "unreadable": [lost for match in scored for lost in match.unreadable()],
    }


def _check_different(config: Config) -> None:
    pairs = [(match.target, match.data) for match in config.matches]
    if twice := next((pair for pair in pairs if pairs.count(pair) > 1), None):
        raise DataError(f"{twice[0]} with {twice[1]} was asked for twice; once is enough.")
