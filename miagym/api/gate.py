"""`miagym.gate`: whether a model may be released, by the upper ends of what attacks find."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from miagym.api.results import ScoreReport
from miagym.api.run import Run
from miagym.errors import RunError, option
from miagym.metrics.detection import allowed
from miagym.metrics.epsilon import epsilon_at_least
from miagym.results import AttackRow, Control

AT_FPR = 0.01


@dataclass(frozen=True)
class GateRow:
    """One attack at the gate."""

    target: str | None
    data: str | None
    attack: str
    tpr: float
    ci: tuple[float, float]
    """95 %; the upper end decides."""
    passed: bool
    epsilon: float | None
    """At least this, with 95 % confidence; None without a threshold fixed on other candidates."""

    def as_json(self) -> dict[str, Any]:
        """Plain numbers."""
        return {**vars(self), "ci": list(self.ci)}


@dataclass(frozen=True)
class Gate:
    """The answer: every attack that sees the model, and whether all of them stay below.

    Args:
        max_tpr: that no upper end may exceed.
        at_fpr: the FPR at which members are found.
        delta: of the epsilons.
        rows: the attacks.
    """

    max_tpr: float
    at_fpr: float
    delta: float
    rows: tuple[GateRow, ...]

    @property
    def passed(self) -> bool:
        return all(row.passed for row in self.rows)

    def as_json(self) -> dict[str, Any]:
        """Plain numbers."""
        limits = {"max_tpr": self.max_tpr, "at_fpr": self.at_fpr, "delta": self.delta}
        return {"passed": self.passed, **limits, "rows": [row.as_json() for row in self.rows]}

    def sentences(self) -> list[str]:
        """The answer in words: one line an attack, then the verdict."""
        lines = []
        for row in self.rows:
            where = "" if row.target is None else f" on {row.target}"
            proof = "" if row.epsilon is None else f", epsilon at least {row.epsilon:.2f}"
            lines.append(
                f"{'passes' if row.passed else 'FAILS '} {row.attack}{where}: TPR "
                f"{100 * row.tpr:.1f} % [{100 * row.ci[0]:.1f}–{100 * row.ci[1]:.1f}]{proof}"
            )
        failed = sum(not row.passed for row in self.rows)
        limit = f"{100 * self.max_tpr:g} % of members at {100 * self.at_fpr:g} % false positives"
        verdict = (
            f"Passed: no attack's interval reaches above {limit}."
            if self.passed
            else f"Failed: intervals of {failed} of {len(self.rows)} attacks reach above {limit}."
        )
        return [*lines, verdict]


def gate(
    results: str | Path | Run | ScoreReport,
    *,
    max_tpr: float,
    at_fpr: float = AT_FPR,
    delta: float = 0.0,
) -> Gate:
    """Holds what attacks find against a limit; what is too uncertain to be below does not pass.

    Args:
        results: a run, its folder, its results.json, the JSON that `miagym score` prints, or what
            `miagym.score` returned.
        max_tpr: the limit, in (0, 1): no attack's interval may reach above it.
        at_fpr: the FPR at which members are found; one at which the run measured.
        delta: of the empirical epsilons.

    Raises:
        RunError: if a control of the run failed, labels are in doubt, no attack saw the model, or
            the FPR was not measured or cannot be resolved.
    """
    if not 0 < max_tpr < 1 or not 0 <= delta < 1:
        raise RunError(
            f"Expected a limit of the TPR between 0 and 1 and a delta from 0 and below 1, got "
            f"{max_tpr} and {delta}."
        )
    name, rows, controls, doubts = _read(results)
    failed = [control for control in controls if not control.passed]
    if failed:
        one = failed[0]
        raise RunError(
            f"{name}: {len(failed)} of {len(controls)} controls failed, first {one.control} of "
            f"{one.attack}; no number of such a run opens a gate. Mend the data or the attack, and "
            "run it again."
        )
    if doubts:
        raise RunError(f"{name}: its labels are in doubt ({doubts[0]}); no gate opens on them.")
    asking = [row for row in rows if not row.blind]
    if not asking:
        raise RunError(f"{name} has no attack that sees the model; a gate needs one or more.")
    found = tuple(_row(row, max_tpr, at_fpr, delta, name) for row in asking)
    return Gate(max_tpr, at_fpr, delta, found)


def _row(row: AttackRow, max_tpr: float, at_fpr: float, delta: float, name: str) -> GateRow:
    detected = row.tpr_at_fpr.get(str(at_fpr))
    if detected is None:
        measured = [fpr for fpr, there in row.tpr_at_fpr.items() if there is not None]
        advice = f"choose {option('at_fpr')} of {' or '.join(measured)}"
        if not measured:
            advice = "score more non-members"
        raise RunError(
            f"{name}: {row.attack} has no TPR at an FPR of {at_fpr}, {_why_none(row, at_fpr)}; "
            f"{advice}."
        )
    at = (row.at_threshold or {}).get(str(at_fpr))
    return GateRow(
        target=row.target,
        data=row.data,
        attack=row.attack,
        tpr=detected.tpr,
        ci=(detected.ci[0], detected.ci[1]),
        passed=detected.ci[1] <= max_tpr,
        epsilon=None if at is None else epsilon_at_least(at.tpr_ci, at.fpr_ci, delta),
    )


def _why_none(row: AttackRow, at_fpr: float) -> str:
    """Why a row has no TPR at an FPR."""
    if 0 < at_fpr < 1 and not allowed(at_fpr, row.n_nonmembers):
        least = math.ceil(round(1 / at_fpr, 9))
        return f"which takes {least:,} non-members, and it has {row.n_nonmembers:,}"
    return "which was not measured"


def _read(
    results: str | Path | Run | ScoreReport,
) -> tuple[str, Sequence[AttackRow], Sequence[Control], list[str]]:
    """Name, rows, controls and doubts, wherever they are."""
    if isinstance(results, ScoreReport):
        return results.name, results.rows, results.sheet.controls, []
    if isinstance(results, Run):
        found, name = results.results, str(results.path or "the run")
        return name, found.rows, found.controls, [doubt.why for doubt in found.run.doubts]
    path = Path(results)
    if path.is_dir() or path.name == "results.json":
        return _read(Run.open(path if path.is_dir() else path.parent))
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError(f"it is a {type(content).__name__} of JSON, and no object")
        if missing := {"rows", "controls"} - content.keys():
            raise ValueError(f"it lacks {' and '.join(sorted(missing))}")
        rows = [AttackRow.model_validate(row) for row in content["rows"]]
        controls = [Control.model_validate(one) for one in content["controls"]]
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        why = str(error).partition("\n")[0]
        raise RunError(
            f"{path} holds no results ({why}); expected a run's results.json, or the JSON "
            "that `miagym score` prints."
        ) from error
    return str(path), rows, controls, []
