"""The realistic regime over many models: bases, each trained from nothing on its own deal.

    miagym train clipart-bases --out runs/world        # an hour and more of one core
    python -m benchmarks.attacks.bases runs/world/clipart-bases \\
        --out docs/benchmarks/attacks/bases.md

Nothing is chosen on the pictures that are scored: every attack runs under its defaults.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from miagym.api.population import PopulationRun, evaluate_population
from miagym.metrics.comparisons.comparison import holm
from miagym.metrics.resampling.over_models import OverModels
from miagym.results.formats import estimate, p_text

ATTACKS = ("sima", "pia", "loss", "turned-sima", "rediffuse")
SAYS = """## What it says

Attacks that look inside do find something in the whole of a realistic model: an AUC a few
hundredths above one half, and for three of these four above a blind row's (p below .05, corrected).
For a single picture that is next to nothing: of
members they find 1.0 to 1.6 % at 1 % false positives, which is what chance finds, and for the black
box no difference from a blind row is shown. `rediffuse` on `clipart-realistic` alone came to 0.528
[0.502–0.555], above chance; over eight models it is 0.510 [0.497–0.522]: a number from one model is
one draw.
"""
BLIND = "blind-pixels"
"""The row that each attack is compared with."""


def line(name: str, run: PopulationRun, gain: OverModels | None, p: float | None) -> str:
    row = run.rows[name]
    cells = [
        f"`{name}`",
        run.access[name],
        estimate(row.auc, row.auc_ci),
        f"{row.auc_spread:.3f}",
        estimate(row.tpr, row.tpr_ci),
        "" if gain is None else estimate(gain.auc, gain.auc_ci, "+.3f"),
        "" if p is None else p_text(p),
    ]
    return f"| {' | '.join(cells)} |"


def page(run: PopulationRun) -> str:
    first = next(iter(run.rows.values()))
    blind = [name for name in run.rows if run.access[name] == "blind"]
    gains = {name: run.gain(name, BLIND) for name in ATTACKS}
    p = dict(zip(gains, holm([gain.p or 1.0 for gain in gains.values()]), strict=True))
    head = (
        "| attack | access | AUC, mean of models [95 %] | sd between models | TPR@1%FPR [95 %] | "
        f"AUC less `{BLIND}`'s | p, corrected |"
    )
    about = (
        "`python benchmarks/attacks/bases.py`, on what `miagym train clipart-bases` makes, torch "
        f"{torch.__version__}: {first.models} bases like `clipart-realistic`, each trained from "
        f"nothing for 25 epochs on a random half of {first.pictures:,} drawings of `clipart`, one "
        "of each group of look-alikes, mirrored at random; autoencoder and text encoder are those "
        "of `clipart-null`, which knows neither half. Intervals are over models *and* pictures "
        "(pigeonhole bootstrap); the TPR is of all pairs of model and picture under one threshold. "
        f"Differences are paired, p-values corrected for {len(gains)} (Holm). Blind rows are "
        "fitted on one half of a model's pictures and measured on the other; the deal was random, "
        "so they are at chance or something is wrong."
    )
    rows = [line(name, run, None, None) for name in blind]
    rows += [line(name, run, gains[name], p[name]) for name in ATTACKS]
    table = "\n".join([head, "|---|---|---|---|---|---|---|", *rows])
    return "\n\n".join(["# The realistic regime, over many models", about, table, SAYS])


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("population")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    found = evaluate_population(options.population, ",".join(ATTACKS), device="cpu")
    options.out.write_text(page(found), encoding="utf-8")
