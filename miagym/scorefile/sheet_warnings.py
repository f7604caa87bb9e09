"""Warnings about a sheet as a whole: failed controls, and what a fair table needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from miagym.errors import option, told
from miagym.results import AttackRow, Control
from miagym.scorefile.attacks import AttackScores
from miagym.scorefile.reading.columns import role_option
from miagym.scorefile.warned import Warned


def control_warnings(controls: Sequence[Control]) -> Iterator[Warned]:
    """Attacks that find something where there is nothing."""
    for control in controls:
        if control.passed:
            continue
        found = f"AUC {control.auc:.3f}"
        if control.coverage is not None:
            found = (
                f"95 % intervals held 0.5 in {100 * control.coverage:.1f} % of "
                f"{control.repetitions} repetitions"
            )
        yield Warned(
            "control-failed",
            f"{control.attack}: the control {control.control!r} failed ({found}, where there "
            "is nothing to find); no interval of this attack can be trusted.",
        )


def missing_warnings(
    attacks: Sequence[AttackScores], rows: Sequence[AttackRow]
) -> Iterator[Warned]:
    """What a fair table needs and this file does not hold."""
    for attack in attacks:
        if "blind" in attack.attack.lower() and not attack.blind:
            yield Warned(
                "undeclared-blind",
                f"{attack.label} counts as an attack that looks at the model; if it never saw the "
                f"model, say {_blind(attack.attack)}.",
            )
    if all(attack.test.caption is None for attack in attacks) and not any(r.blind for r in rows):
        yield Warned(
            "no-blind-row",
            "No blind row: nothing here says what the data alone give away; give "
            f"{role_option('caption')}, or run {told('`miagym audit`', '`miagym.audit`')} on the "
            "data.",
        )
    if all(attack.null is None for attack in attacks):
        yield Warned(
            "no-null-target",
            "No null target: score the same candidates on a model that saw neither side, and mark "
            f"those rows `null` in the column of {role_option('part')}.",
        )
    if lacking := [attack.label for attack in attacks if attack.calibration is None]:
        whose = "" if len(lacking) == len(attacks) else f" of {', '.join(lacking)}"
        yield Warned(
            "no-calibration-part",
            f"No calibration part{whose}: there is no threshold that was fixed beforehand, and "
            "nobody can tell whether settings were chosen on these very scores; mark rows with "
            f"{role_option('part')}.",
        )


def _blind(name: str) -> str:
    return told(option("blind", name), f"blind={(name,)!r}")
