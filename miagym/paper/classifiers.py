"""Classifier attacks: the paper's four on every setting, from scores that are there already.

Features are the three signals at all timesteps of a setting, which the threshold attacks have asked
for; so classifiers cost no question of their own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from miagym.api.names import attacks_of
from miagym.atomic import write_json
from miagym.data.dataset import CALIBRATION, TEST
from miagym.errors import RunError, option
from miagym.evaluation.protocol import LearnedAttack
from miagym.metrics.detection import allowed, tpr_at_fpr
from miagym.metrics.measure import measure
from miagym.paper.scores import Scores
from miagym.paper.settings import SIGNALS, trajectory
from miagym.paper.worlds import PaperWorld
from miagym.progress import Progress
from miagym.results import HELD_OUT, AttackRow, Spread
from miagym.results.records import Record

HELD = 500
"""Members, and non-members, that a random split tests on; the rest trains."""
ALPHA = 0.01
FOLDER = "classifiers"


class Classified(Record):
    """One classifier on one setting.

    Args:
        setting: by name.
        row: fitted to the calibration part, measured on the test part.
        splits: TPR at 1 % FPR over random splits of the test part, as in the paper; None where a
            split has too few non-members.
        tested: members, and non-members, that a split tests on.
    """

    setting: str
    row: AttackRow
    splits: Spread | None
    tested: int


def classify(
    world: PaperWorld,
    scores: Scores,
    about: dict[str, str],
    out: Path,
    seed: int,
    progress: Progress,
) -> list[Classified]:
    """All four classifiers on all settings; those of a setting that are there already are read.

    Args:
        world: how many draws, splits and trees.
        scores: of the run of all settings.
        about: its target and data.
        out: the folder of the whole.
        seed: of the splits.
        progress: shows how far it is.
    """
    done = progress("classifiers", len(world.settings))
    found: list[Classified] = []
    for setting in world.settings:
        asked = about | {"seed": seed, "setting": setting, "decided by": _sizes(world)}
        file = out / FOLDER / f"{setting}.json"
        own = _kept(file, asked)
        if own is None:
            own = list(_on_setting(world, scores, about, setting, seed))
            content = {"asked": asked, "found": [each.as_json() for each in own]}
            write_json(file, content)
        found += own
        done()
    return found


def _sizes(world: PaperWorld) -> dict[str, Any]:
    chosen = ("draws", "limit", "choose_on", "splits", "trees")
    return {name: getattr(world, name) for name in chosen}


def names(world: PaperWorld, setting: str) -> list[str]:
    """The four, as the registry spells them."""
    four = [f"trajectory-{kind}(setting='{setting}')" for kind in ("logistic", "tree", "network")]
    return [*four, f"trajectory-forest(setting='{setting}', trees={world.trees})"]


def _kept(file: Path, asked: dict[str, Any]) -> list[Classified] | None:
    if not file.is_file():
        return None
    content = json.loads(file.read_text(encoding="utf-8"))
    if content["asked"] != json.loads(json.dumps(asked)):
        raise RunError(
            f"{file} is of other sizes, data or another seed than now asked; choose another "
            f"{option('out')}."
        )
    return [Classified.model_validate(each) for each in content["found"]]


def _on_setting(
    world: PaperWorld, scores: Scores, about: dict[str, str], setting: str, seed: int
) -> Iterator[Classified]:
    signals = [trajectory(setting, signal, world.draws) for signal in SIGNALS]
    learned, of_learned = scores.features(signals, CALIBRATION)
    tested, of_tested = scores.features(signals, TEST)
    held = min(HELD, *(int(side.sum()) // 2 for side in (of_tested.member, ~of_tested.member)))
    for name, attack in attacks_of(names(world, setting)).items():
        if not isinstance(attack, LearnedAttack):
            raise RunError(f"Expected an attack that learns, got {name}.")
        fitted = attack.fit(learned, of_learned.member)
        numbers = measure(fitted.score(tested), of_tested.member, of_tested.groups).as_row()
        facts: dict[str, Any] = {"attack": name, "access": str(attack.access), "learned": True}
        row = AttackRow(**about, **facts, **numbers, protocol=HELD_OUT, chosen=None)
        tprs = list(_splits(attack, tested, of_tested.member, held, world.splits, seed))
        spread = Spread(mean=float(np.mean(tprs)), std=_deviation(tprs)) if tprs else None
        yield Classified(setting=setting, row=row, splits=spread, tested=held)


def _splits(
    attack: LearnedAttack,
    features: NDArray[np.float64],
    member: NDArray[np.bool_],
    held: int,
    splits: int,
    seed: int,
) -> Iterator[float]:
    """TPR on what is held of each random split, by a rule fitted to the rest of it."""
    if not allowed(ALPHA, held):
        return
    rng = np.random.default_rng(seed)
    sides = np.flatnonzero(member), np.flatnonzero(~member)
    for _ in range(splits):
        order = [rng.permutation(side) for side in sides]
        rest = np.concatenate([side[held:] for side in order])
        fitted = attack.fit(features[rest], member[rest])
        members, others = (fitted.score(features[side[:held]]) for side in order)
        point = tpr_at_fpr(members, others, ALPHA)
        if point is not None:
            yield point.tpr


def _deviation(values: list[float]) -> float:
    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
