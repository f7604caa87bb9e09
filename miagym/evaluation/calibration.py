"""Before the test part is asked: variants are chosen, rules fitted, thresholds set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from miagym.errors import TooFewToLearn
from miagym.evaluation.chunk import Job, Variants
from miagym.evaluation.experiment import Experiment
from miagym.evaluation.protocol import Attack, LearnedAttack, cross_fitted
from miagym.evaluation.store import SCORES, labelled
from miagym.evaluation.workers import Workplace
from miagym.metrics.labelled import Labelled, best_variant


@dataclass(frozen=True)
class Calibrated:
    """What the calibration part decided."""

    chosen: dict[str, dict[str, Attack]]
    """By attack name, the variant to score by its repr; fitted, if it learns."""
    scores: dict[str, dict[str, Labelled]]
    """By attack name, calibration scores of each variant; of a rule by what it has not seen."""
    others: Variants
    """By attack name, the variants that were not chosen."""


def calibrate(run: Experiment, place: Workplace) -> Calibrated:
    """Chooses a variant of each attack, or fits it, on the calibration part alone."""
    learning = {name: a for name, a in run.attacks.items() if isinstance(a, LearnedAttack)}
    options = _options(run)
    tasks = [
        (chunk, Job(options if chunk.chooses else {}, learning=learning))
        for chunk in run.calibration_chunks()
        if learning or chunk.chooses
    ]
    place.do(run, tasks)
    run.check_any_attack()
    place.check_both_sides(run, [chunk for chunk, _ in tasks])
    chunks = [chunk.name for chunk, _ in tasks]
    tables = [SCORES.empty_table()]
    tables += [place.folder.read(chunk.name) for chunk, _ in tasks if chunk.chooses]
    scores = _scores_by_variant(options.keys() & run.attacks.keys(), pa.concat_tables(tables))
    chosen = {}
    for name, by_variant in scores.items():
        best = best_variant(by_variant)
        chosen[name] = {best: options[name][best]}
    for name in learning.keys() & run.attacks.keys():
        try:
            chosen[name], scores[name] = _fitted(run, place, name, learning[name], chunks)
        except TooFewToLearn as error:  # fewer pictures could be read than there are
            run.leave_out({name: str(error)})
    run.check_any_attack()
    others = {
        name: {text: a for text, a in options[name].items() if text not in chosen[name]}
        for name in options.keys() & run.attacks.keys()
    }
    return Calibrated({name: chosen[name] for name in run.attacks}, scores, others)


def _options(run: Experiment) -> dict[str, dict[str, Attack]]:
    """What there is to choose from: of each attack that learns nothing, the affordable variants."""
    return {
        name: run.affordable_variants(attack) or {repr(attack): attack}
        for name, attack in run.attacks.items()
        if not isinstance(attack, LearnedAttack)
    }


def _scores_by_variant(names: set[str], scores: pa.Table) -> dict[str, dict[str, Labelled]]:
    found: dict[str, dict[str, Labelled]] = {}
    for name in sorted(names):
        of_attack = scores.filter(pc.field("attack") == name)
        found[name] = {}
        for variant in dict.fromkeys(of_attack["variant"].to_pylist()):
            part = of_attack.filter(pc.field("variant") == variant)
            found[name][variant] = labelled(part)
    return found


def _fitted(
    run: Experiment, place: Workplace, name: str, attack: LearnedAttack, chunks: list[str]
) -> tuple[dict[str, Attack], dict[str, Labelled]]:
    """The attack fitted to the whole calibration part, kept in the folder, and how it scores it."""
    rows, member, features = _features(place, name, chunks)
    fitted = attack.fit(features, member)
    place.folder.keep(f"{run.number:02d}-{name}", fitted)
    groups = None if run.data.groups is None else run.data.groups[rows]
    held = cross_fitted(attack, features, member, run.config.seed, groups)
    seen = {} if held is None else {repr(attack): Labelled(held, member, groups=groups)}
    return {repr(attack): fitted}, seen


def _features(
    place: Workplace, name: str, chunks: list[str]
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.float64]]:
    """Rows (n,), labels (n,) and features (n, d) of an attack: of all of them, once in memory."""
    parts = [place.folder.features(chunk, [name]) for chunk in chunks]
    parts = [part for part in parts if name in part.by_attack]
    return (
        np.concatenate([part.rows for part in parts]),
        np.concatenate([part.member for part in parts]),
        np.concatenate([part.by_attack[name] for part in parts]),
    )
