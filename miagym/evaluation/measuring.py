"""From scores at rest to the records of results.json."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from miagym.data.dataset import CALIBRATION, TEST
from miagym.evaluation.calibration import Calibrated
from miagym.evaluation.experiment import Experiment
from miagym.evaluation.protocol import LearnedAttack
from miagym.evaluation.store import (
    GENERATED,
    NULL,
    OTHER,
    PAPER,
    Clock,
    RunFolder,
    labelled,
)
from miagym.metrics.comparisons.comparison import compare, holm
from miagym.metrics.comparisons.multiplicity import auc_is_significant
from miagym.metrics.controls import label_shuffle, nonmembers_against_nonmembers, null_target
from miagym.metrics.intervals import share_interval
from miagym.metrics.labelled import Labelled, comparisons, fixed_beforehand
from miagym.metrics.measure import measure
from miagym.metrics.optimism import measure_optimism
from miagym.results import (
    HELD_OUT,
    AttackRow,
    Comparison,
    Control,
    GeneratedShare,
    OnOther,
    Optimism,
    Unreadable,
)

Row = dict[str, Any]


@dataclass(frozen=True)
class ScoredMatch:
    """A match whose scores are all in the folder."""

    run: Experiment
    calibrated: Calibrated
    clocks: list[Clock]
    """Of the calibration and of the test part."""

    def unreadable(self) -> list[Unreadable]:
        """Pictures that were left out, each once, with the side that lost it."""
        data = self.run.data
        lost = {int(row): why for clock in self.clocks for row, why in clock.unreadable.items()}
        return [
            Unreadable(
                data=self.run.match.data,
                row=row,
                part=str(data.part[row]),
                member=bool(data.member[row]),
                why=why,
            )
            for row, why in sorted(lost.items())
        ]


@dataclass(frozen=True)
class Sections:
    """The sections of results.json that one match fills."""

    rows: list[AttackRow] = field(default_factory=list)
    controls: list[Control] = field(default_factory=list)
    protocols: list[Optimism] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)
    generated: list[GeneratedShare] = field(default_factory=list)
    other_generator: list[OnOther] = field(default_factory=list)


def measured(match: ScoredMatch, folder: RunFolder, attacks: int) -> Sections:
    """What the scores of one match come to, of a run with so many attacks that see a model."""
    where = {"target": match.run.match.target, "data": match.run.match.data}
    sections, seed = Sections(), match.run.config.seed
    final: dict[str, Labelled] = {}
    on_both: dict[str, tuple[Labelled, Labelled]] = {}
    for name in match.run.attacks:
        scores = folder.scores(where["target"], where["data"], name)
        test = scores.filter(pc.field("part") == TEST)
        *_, last = np.unique(test["budget"].to_numpy())
        here = test.filter(pc.field("budget") == last)
        final[name], there = labelled(here), scores.filter(pc.field("part") == OTHER)
        if len(there):
            on_both[name] = _same_rows(here, there)
        about, controls = where | {"attack": name}, []
        if name in match.run.asking:
            controls = [
                Control(**about, **c) for c in _controls(scores, final[name], seed, attacks)
            ]
            sections.controls.extend(controls)
            own = scores.filter(pc.field("part") == GENERATED)["score"].to_numpy()
            shares = _called_members(match, name, own)
            sections.generated.extend(GeneratedShare(**about, **share) for share in shares)
            gaps = _gaps(match, name, scores, final[name])
            sections.protocols.extend(Optimism(**about, **gap) for gap in gaps)
        failed = tuple(c.control for c in controls if not c.passed)
        row = _row(match, name, test)
        if (twin := _twin(name, final)) is not None:
            row["same_as"] = twin
        sections.rows.append(AttackRow(**about, **row, failed_controls=failed))
    compared = comparisons(final, match.run.asking, seed)
    sections.comparisons.extend(Comparison(**where, **row) for row in compared)
    sections.other_generator.extend(OnOther(**where, **row) for row in _on_other(match, on_both))
    return sections


def _on_other(match: ScoredMatch, found: dict[str, tuple[Labelled, Labelled]]) -> Iterator[Row]:
    """What each attack finds when another generator is asked about the same candidates.

    Args:
        match: whose attacks they are.
        found: by attack, the scores on the target and on the other.
    """
    compared = {
        name: compare(here.score, there.score, here.member, match.run.config.seed, here.groups)
        for name, (here, there) in found.items()
    }
    corrected = holm([one.auc.p for one in compared.values()])
    for (name, one), p in zip(compared.items(), corrected, strict=True):
        there = found[name][1]
        on_other = measure(there.score, there.member, there.groups)
        yield {
            "attack": name,
            "other": match.run.match.other_generator,
            "auc": on_other.auc,
            "auc_ci": list(on_other.auc_ci),
            "more": one.auc.as_row(),
            "p_holm": p,
            "there": auc_is_significant(on_other.auc, on_other.auc_ci[0], len(found)),
        }


def _same_rows(here: pa.Table, there: pa.Table) -> tuple[Labelled, Labelled]:
    """Two tables of scores of the rows of the data that both have, in the order of the rows."""
    rows = np.intersect1d(here["row"].to_numpy(), there["row"].to_numpy())

    def of(scores: pa.Table) -> Labelled:
        scores = scores.sort_by("row")
        return labelled(scores.filter(pa.array(np.isin(scores["row"].to_numpy(), rows))))

    return of(here), of(there)


def _twin(name: str, final: dict[str, Labelled]) -> str | None:
    """The first attack with the very same scores, as of several settings that read one loss."""
    own = final[name].score
    return next(
        (n for n, one in final.items() if n != name and np.array_equal(one.score, own)), None
    )


def _row(match: ScoredMatch, name: str, test: pa.Table) -> Row:
    """The fields of an `AttackRow`, from the test part."""
    attack = match.run.attacks[name]
    *earlier, last = np.unique(test["budget"].to_numpy())
    final = test.filter(pc.field("budget") == last)
    row = {
        "access": str(attack.access),
        "reference": attack.uses_reference,
        "shadows": attack.uses_shadows,
        "learned": isinstance(attack, LearnedAttack),
        **_numbers(final),
        "at_threshold": _at_threshold(match, name, labelled(final)),
        "seconds": sum(clock.seconds.get(name, 0.0) for clock in match.clocks),
        "protocol": HELD_OUT,
        "chosen": next(iter(match.calibrated.chosen[name])),
    }
    if earlier:
        parts = (test.filter(pc.field("budget") == b) for b in (*earlier, last))
        row["curve"] = [_numbers(part) for part in parts]
    return row


def _numbers(scores: pa.Table) -> Row:
    """What is measured of one attack at one budget."""
    part = labelled(scores)
    return {
        **measure(part.score, part.member, part.groups).as_row(),
        "queries": float(np.mean(scores["queries"].to_numpy())),
        "unet_rows": float(np.mean(scores["unet_rows"].to_numpy())),
        "backward_rows": float(np.mean(scores["backward_rows"].to_numpy())),
    }


def _at_threshold(match: ScoredMatch, name: str, test: Labelled) -> dict[str, Row] | None:
    """What thresholds do on the test part that were fixed on the calibration part."""
    variant = next(iter(match.calibrated.chosen[name]))
    calibration = match.calibrated.scores[name].get(variant)
    return None if calibration is None else fixed_beforehand(calibration, test)


def _called_members(match: ScoredMatch, name: str, scores: NDArray[np.float64]) -> Iterator[Row]:
    """Shares of the target's own pictures above thresholds that the calibration part fixed."""
    variant = next(iter(match.calibrated.chosen[name]))
    calibration = match.calibrated.scores[name].get(variant)
    if calibration is None or not len(scores):
        return
    for kind, at in fixed_beforehand(calibration, calibration).items():
        called = int((scores > at["threshold"]).sum())
        share = {"share": called / len(scores), "ci": list(share_interval(called, len(scores)))}
        yield {"at": kind, "n": len(scores), **share}


def _controls(scores: pa.Table, test: Labelled, seed: int, attacks: int) -> Iterator[Row]:
    given = test.score, test.member, seed, test.groups, attacks
    yield label_shuffle(*given).as_row()
    if (control := nonmembers_against_nonmembers(*given)) is not None:
        yield control.as_row()
    null = labelled(scores.filter(pc.field("part") == NULL))
    if len(null.score):
        yield null_target(null.score, null.member, null.groups, attacks).as_row()


def _gaps(match: ScoredMatch, name: str, scores: pa.Table, test: Labelled) -> Iterator[Row]:
    """The paper's protocol beside ours, where there were several variants to choose from."""
    by_variant = match.calibrated.scores[name]
    seed = match.run.config.seed
    if len(by_variant) > 1:
        member = next(iter(by_variant.values())).member
        on_calibration = {variant: part.score for variant, part in by_variant.items()}
        if (gap := measure_optimism(on_calibration, member, seed)) is not None:
            yield {"part": CALIBRATION, **gap.as_row()}
    others = scores.filter(pc.field("part") == PAPER)
    if len(others):
        on_test = {next(iter(match.calibrated.chosen[name])): test.score}
        for variant in dict.fromkeys(others["variant"].to_pylist()):
            on_test[variant] = labelled(others.filter(pc.field("variant") == variant)).score
        if (gap := measure_optimism(on_test, test.member, seed)) is not None:
            yield {"part": TEST, **gap.as_row()}
