"""What defences of a black box cost a service, and what they cost an attacker.

    python benchmarks/attacks/defences.py --out docs/benchmarks/attacks/defences.md

For each defence of the pictures that are handed out, and for earlier checkpoints of the same
training: AUC of two black-box attacks on test drawings of `clipart-tune`, 95 % intervals over
groups, the paired difference to the bare final model, p-values corrected over the page (Holm).
Utility is the PSNR of what is handed out against the bare picture. Writes a figure beside the page.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import plotly.graph_objects as go

import miagym
from miagym.data.dataset import TEST
from miagym.metrics.comparisons.comparison import Comparison, Difference, compare, holm
from miagym.oracle import Oracle
from miagym.report.figures.saving import Figure
from miagym.report.figures.style import styled
from miagym.results.formats import estimate, p_text
from miagym.targets.registry import load_target

TARGET, ATTACKS, SEEN = "clipart-overfit", ("rediffuse", "rediffuse-weak"), 60
DEFENCES = ("", "round:4", "round:2", "jpeg:60", "jpeg:20", "resize:0.5", "resize:0.25")
EARLIER = (130, 80, 40, 15)


def scored(target: str, defence: str, limit: int) -> miagym.Run:
    """Both attacks on one model under one defence."""
    given = {"data": "clipart-tune", "null": None, "limit": limit, "seed": 0}
    return miagym.evaluate(target, attacks=list(ATTACKS), defence=defence, **given)


def psnr(defence: str) -> float:
    """Mean over non-members' variations of the PSNR in dB against the bare pictures."""
    data, target = miagym.load_data("clipart-tune"), load_target(TARGET)
    rows = data.rows(TEST, 0)
    asked = data.candidates(rows[~data.member[rows]][:SEEN], target.resolution)
    bare, told = (
        Oracle(target, defence=each).vary(asked, strength=0.3).clamp(0, 1) for each in ("", defence)
    )
    return float((-10 * (bare - told).square().mean((1, 2, 3)).log10()).mean())


def against(bare: miagym.Run, run: miagym.Run, attack: str) -> Comparison:
    """The AUC of an attack less that on the bare model, on the same drawings."""
    both = (each.scores.to_pandas() for each in (run, bare))
    one, two = (table[table["attack"] == attack].sort_values("row") for table in both)
    assert (one["row"].to_numpy() == two["row"].to_numpy()).all()
    member, group = one["member"].to_numpy(bool), one["group"].to_numpy()
    return compare(one["score"].to_numpy(), two["score"].to_numpy(), member, 0, group)


def page(runs: dict[str, miagym.Run], seen: dict[str, float], limit: int) -> str:
    """The table, in words that hold whatever came out."""
    bare, *others = runs
    pairs = [(name, attack) for name in others for attack in ATTACKS]
    found = {pair: against(runs[bare], runs[pair[0]], pair[1]).auc for pair in pairs}
    corrected = dict(zip(found, holm([one.p for one in found.values()]), strict=True))
    lines = [
        f"| {name} | " + " | ".join(_cells(name, runs, seen, found, corrected)) + " |"
        for name in runs
    ]
    heads = " | ".join(f"{a}: AUC | difference | p, corrected" for a in ATTACKS)
    blind = max((r for r in runs[bare].rows if r.blind), key=lambda r: r.auc)
    return "\n".join(
        [
            "# Defences of a black box",
            "",
            f"`python benchmarks/attacks/defences.py --limit {limit}`: {limit} + {limit} test "
            f"drawings of `clipart-tune` at most, `{TARGET}`. Brackets hold 95 % intervals over "
            "groups; differences are paired, against the bare final model, p-values corrected for "
            f"the {len(pairs)} of this page (Holm). The strongest blind row, {blind.attack}, has "
            f"an AUC of {estimate(blind.auc, blind.auc_ci)} whatever is defended.",
            "",
            f"| defence | PSNR, dB | {heads} |",
            "|---|---|" + "---|---|---|" * len(ATTACKS),
            *lines,
            "",
            "PSNR is that of 60 variations against what the bare model hands out; an earlier "
            "checkpoint draws other pictures, for which it says nothing. The attacks do not know "
            "that they are defended against: one that did, and blurred its candidate alike, could "
            "do better. A defence of the service keeps nobody from anything who has the weights.",
            "",
            "![AUC against PSNR](defences.svg)",
        ]
    )


def _cells(
    name: str,
    runs: dict[str, miagym.Run],
    seen: dict[str, float],
    found: dict[tuple[str, str], Difference],
    corrected: dict[tuple[str, str], float],
) -> list[str]:
    cells = [f"{seen[name]:.1f}" if name in seen else ""]
    for attack in ATTACKS:
        row, one = runs[name][attack], found.get((name, attack))
        cells.append(estimate(row.auc, row.auc_ci))
        cells += (
            ["", ""]
            if one is None
            else [
                estimate(one.value, one.ci, "+.3f"),
                p_text(corrected[name, attack]),
            ]
        )
    return cells


def figure(runs: dict[str, miagym.Run], seen: dict[str, float]) -> Figure:
    """Privacy against utility: a point with its interval for each defence and attack."""
    drawn = go.Figure()
    names = sorted(seen, key=lambda name: seen[name])
    for attack in ATTACKS:
        rows = [runs[name][attack] for name in names]
        aucs = np.array([[*row.auc_ci, row.auc] for row in rows])
        drawn.add_scatter(
            x=[seen[name] for name in names],
            y=aucs[:, 2],
            error_y={"array": aucs[:, 1] - aucs[:, 2], "arrayminus": aucs[:, 2] - aucs[:, 0]},
            mode="markers+text" if attack == ATTACKS[0] else "markers",
            text=names,
            textposition="bottom center",
            name=attack,
        )
    styled(drawn, 500)
    drawn.update_xaxes(title="utility: PSNR of what is handed out, dB")
    drawn.update_yaxes(title="AUC of the attack [95 % interval]")
    return Figure(drawn)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=150)
    given = parser.parse_args()
    runs = {each or "none": scored(TARGET, each, given.limit) for each in DEFENCES}
    seen = {each: psnr(each) for each in DEFENCES if each}
    runs |= {f"stopped after {e} epochs": scored(f"{TARGET}@{e}", "", given.limit) for e in EARLIER}
    given.out.write_text(page(runs, seen, given.limit) + "\n", encoding="utf-8")
    figure(runs, seen).save(given.out.with_suffix(".svg"))


if __name__ == "__main__":
    main()
