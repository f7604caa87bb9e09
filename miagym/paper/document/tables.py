"""The paper's tables: ours, with intervals and blind rows, and the paper's numbers where known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from miagym.api.names import attacks_of
from miagym.api.run import Run
from miagym.data.dataset import TEST
from miagym.paper.classifiers import Classified
from miagym.paper.document.known import BEST_ATTACK, CAPTIONS_ALONE, CHANCE, DASH
from miagym.paper.settings import (
    BASELINE,
    BLACK_BOX,
    SIGNALS,
    baseline,
    text_to_image,
    trajectory,
)
from miagym.paper.worlds import PaperWorld
from miagym.report.family import AlarmFamily
from miagym.report.model import Cell, Column, Group, Line, Number, Remarks, Table
from miagym.report.rows import blind_rows, strongest
from miagym.report.standing import remarks
from miagym.report.tables.evaluation import AUC, detected_share, measured, number
from miagym.results import AttackRow, Optimism, Outcome, Spread
from miagym.results.formats import percent, spread

OPTIMISTIC = "OPTIMISTIC"
TPR = measured("TPR at 1 % FPR")
PAPER = Column("Paper", "on LAION-mi", "number")
BLIND = "Blind: never see the model"


def settings_table(run: Run, world: PaperWorld) -> Table:
    """Every setting under every signal: held out, then the paper's protocol on the same scores.

    Args:
        run: of all settings on the large model.
        world: its settings and draws.
    """
    gaps = {gap.attack: gap for gap in run.results.protocols if gap.part == TEST}
    family = AlarmFamily(run.rows, run.results.audit)
    rows = {row.attack: row for row in run.rows}
    black_box = text_to_image(world.draws, world.generation_steps)

    def line(name: str, row: AttackRow) -> Line:
        gap = gaps.get(row.attack)
        cells: list[Cell] = [number(row.auc, row.auc_ci), detected_share(row)]
        cells += [_timestep(row.chosen), *_protocols(gap), DASH]
        said = Remarks(remarks(row, run.rows, family))
        return Line(name, (*cells, said), row.blind)

    groups = []
    for signal, label in SIGNALS.items():
        named = [(name, trajectory(name, signal, world.draws)) for name in world.settings]
        if signal == "loss":
            named.append((f"{BASELINE}: baseline loss", baseline(world.draws)))
        lines = tuple(line(name, rows[attack]) for name, attack in named if attack in rows)
        groups.append(Group(label, lines))
    if black_box in rows:
        groups.append(
            Group("From the caption alone: black box", (line(BLACK_BOX, rows[black_box]),))
        )
    blind = tuple(line(row.attack, row) for row in blind_rows(run.rows))
    columns = (
        Column("Setting"),
        AUC,
        TPR,
        Column("t", "chosen held out", "number"),
        Column("Best t, 100 draws", f"{OPTIMISTIC}, mean ± std", "number"),
        Column("t", "best", "number"),
        Column("Same draws", "held out, mean ± std", "number"),
        PAPER,
        Column("Remark", kind="text"),
    )
    return Table("Threshold attacks", columns, (*groups, Group(BLIND, blind)))


def headline_table(run: Run) -> Table:
    """The two numbers on LAION-mi that are known, beside ours."""
    best = strongest([row for row in run.rows if not row.blind])
    gaps = [gap for gap in run.results.protocols if gap.part == TEST and gap.paper.tpr]
    top = max(gaps, key=lambda gap: _mean(gap.paper), default=None)
    captions = next((row for row in run.rows if row.attack == "blind-captions"), None)
    flattered: Cell = DASH if top is None else _spread(top.paper.tpr)
    ours: tuple[tuple[Cell, Cell], ...] = (
        (percent(CHANCE.tpr), percent(CHANCE.tpr)),
        (flattered, DASH if best is None else detected_share(best)),
        (DASH, DASH if captions is None else detected_share(captions)),
    )
    columns = (
        Column("TPR at 1 % FPR"),
        Column("Published", "on LAION-mi", "number"),
        Column("Ours", f"{OPTIMISTIC}, mean ± std", "number"),
        measured("Ours, held out"),
        Column("Source of the published number", kind="text"),
    )
    lines = tuple(
        Line(known.what, (Number(percent(known.tpr), known.tpr), *own, known.source))
        for known, own in zip((CHANCE, BEST_ATTACK, CAPTIONS_ALONE), ours, strict=True)
    )
    return Table("What is known, and what came here", columns, (Group("", lines),))


def classifier_table(found: Sequence[Classified], run: Run) -> Table:
    """The four classifiers on every setting, and the blind rows of the same candidates.

    What stands out does so as one of all that were tried, threshold attacks included.
    """
    blind = blind_rows(run.rows)
    rows = [*blind, *(one.row for one in found)]
    tried = [*run.rows, *(one.row for one in found)]
    family = AlarmFamily(tried, run.results.audit)
    by_setting: dict[str, list[Line]] = {}
    for one in found:
        kind = one.row.attack.partition("(")[0].removeprefix("trajectory-")
        splits: Cell = DASH if one.splits is None else _spread(one.splits)
        cells = (number(one.row.auc, one.row.auc_ci), detected_share(one.row), splits, DASH)
        said = Remarks(remarks(one.row, rows, family))
        by_setting.setdefault(one.setting, []).append(Line(kind, (*cells, said)))
    groups = [Group(setting, tuple(lines)) for setting, lines in by_setting.items()]
    groups.append(Group(BLIND, tuple(_blind_lines(blind, family))))
    columns = (
        Column("Classifier"),
        AUC,
        TPR,
        Column("Random splits", "mean ± std", "number"),
        PAPER,
        Column("Remark", kind="text"),
    )
    return Table("Classifier attacks", columns, tuple(groups))


def _blind_lines(blind: Sequence[AttackRow], family: AlarmFamily) -> Iterator[Line]:
    for row in blind:
        cells = (number(row.auc, row.auc_ci), detected_share(row), DASH, DASH)
        yield Line(row.attack, (*cells, Remarks(remarks(row, blind, family))), True)


def _protocols(gap: Optimism | None) -> tuple[Cell, Cell, Cell]:
    """The paper's protocol, the timestep it takes, and held-out choices on the same draws."""
    if gap is None:
        return DASH, DASH, DASH
    return _spread(gap.paper.tpr), _timestep(gap.paper.chosen), _spread(gap.held_out.tpr)


def _spread(found: Spread | None) -> Cell:
    return DASH if found is None else Number(spread(found, in_percent=True), found.mean)


def _mean(outcome: Outcome) -> float:
    return outcome.tpr.mean if outcome.tpr else 0.0


def _timestep(variant: str | None) -> Cell:
    """The timestep at which a variant, as Python builds it, reads its signal."""
    if variant is None:
        return DASH
    made: Mapping[str, object] = attacks_of([variant])
    attack = next(iter(made.values()))
    attack = getattr(attack, "attack", attack)  # of parameters that were named
    visited, position = getattr(attack, "visited", None), getattr(attack, "position", None)
    timestep = getattr(attack, "timestep", None)
    if visited is not None and position is not None:
        timestep = visited()[position]
    return DASH if timestep is None else Number(str(timestep), timestep)
