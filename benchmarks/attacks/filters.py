"""Low-pass and pullback, alone and together, on attacks by a residual in latents.

    python benchmarks/attacks/filters.py runs/filters --out docs/benchmarks/attacks/filters.md

For each attack a 2 × 2 table: as it is, under either filter, under both. Hyperparameters are chosen
on the calibration part; gains are paired, over groups of look-alikes, and corrected for all that
stand on the page (Holm). A finished run is read again.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import miagym
from miagym.metrics.comparisons.comparison import Difference, compare, holm
from miagym.results.formats import estimate, p_text

ATTACKS = ("sima", "pia", "secmi")
FILTERS = {
    "": "as it is",
    "+lowpass": "low-pass",
    "+pullback": "pullback",
    "+lowpass+pullback": "both",
}
TARGETS = ("clipart-overfit@80", "clipart-overfit@40", "clipart-null")
DATA = "clipart-tune"


def evaluated(target: str, folder: Path, limit: int) -> miagym.Run:
    names = [attack + each for attack in ATTACKS for each in FILTERS]
    out = folder / target
    return miagym.evaluate(target, data=DATA, attacks=names, null=None, limit=limit, out=out)


def gain(run: miagym.Run, name: str, bare: str) -> Difference:
    """The AUC of an attack less that of another on the same drawings."""
    table = run.scores.to_pandas()
    one, two = (table[table["attack"] == each].sort_values("row") for each in (name, bare))
    member, group = one["member"].to_numpy(bool), one["group"].to_numpy()
    return compare(one["score"].to_numpy(), two["score"].to_numpy(), member, 0, group).auc


def table_of(run: miagym.Run, gains: dict[str, Difference], p: dict[str, float]) -> list[str]:
    """The 2 × 2 tables of one target, an attack a row."""
    rows = {row.attack: row for row in run.rows}
    if not any(row.blind for row in run.rows):
        raise SystemExit("Expected a --limit that blind attacks can learn from, at least 10.")
    blind = max((row for row in run.rows if row.blind), key=lambda row: row.auc)
    heads = [*FILTERS.values(), *(f"gain of {name}" for name in list(FILTERS.values())[1:])]
    lines = [
        f"The strongest blind row is {blind.attack}, {estimate(blind.auc, blind.auc_ci)}.",
        "",
        f"| attack | {' | '.join(heads)} |",
        f"|{'---|' * (1 + len(heads))}",
    ]
    for attack in ATTACKS:
        cells = [estimate(rows[attack + f].auc, rows[attack + f].auc_ci) for f in FILTERS]
        for name in (attack + f for f in FILTERS if f):
            low, high = gains[name].ci
            said = f"{gains[name].value:+.3f} [{low:+.3f}, {high:+.3f}]"
            cells.append(f"{said}, p = {p_text(p[name])}")
        lines.append(f"| `{attack}` | {' | '.join(cells)} |")
    return [*lines, ""]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=324)
    given = parser.parse_args()
    runs = {target: evaluated(target, given.folder, given.limit) for target in TARGETS}
    names = {attack + each: attack for attack in ATTACKS for each in FILTERS if each}
    gains = {
        (target, name): gain(run, name, bare)
        for target, run in runs.items()
        for name, bare in names.items()
    }
    p = dict(zip(gains, holm([one.p for one in gains.values()]), strict=True))
    lines = [
        "# Filters of residuals",
        "",
        f"`python benchmarks/attacks/filters.py --limit {given.limit}`: AUC on the test part of "
        f"`{DATA}`, at most {given.limit} + {given.limit} drawings. Brackets hold 95 % intervals "
        f"over groups of look-alikes; gains are paired, their p-values corrected for the "
        f"{len(gains)} of this page (Holm). Filters' hyperparameters are chosen on the calibration "
        "part.",
        "",
    ]
    for target, run in runs.items():
        own = {name: gains[target, name] for name in names}
        lines += [f"## {target}", "", *table_of(run, own, {n: p[target, n] for n in names})]
    given.out.write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
