"""Shadow attacks against single-model attacks, on every model of a population.

    python benchmarks/attacks/population.py clipart-population \\
        --out docs/benchmarks/attacks/population.md

Each of the models is the target once, with all others as its shadows. Nothing is chosen on the
pictures that are scored: every attack runs under its defaults.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from miagym.api.population import PopulationRun, evaluate_population
from miagym.metrics.resampling.over_models import OverModels, over_models

SIGNALS = ("sima", "pia", "loss", "turned-sima")
SHADOW = ("lira", "lira(online=False)", "rmia", "bavaria")
ALONE = [*SIGNALS, *(f"{name}+reference" for name in SIGNALS)]
COMPARED = [f"{signal}+{shadow}" for signal in SIGNALS for shadow in SHADOW]
FEWER = (7, 15, 23)
"""Shadow models, where the question is how many it takes."""


def shown(value: float, ci: tuple[float, float], sign: str = "") -> str:
    between = ", " if sign else "–"
    return f"{value:{sign}.3f} [{ci[0]:{sign}.3f}{between}{ci[1]:{sign}.3f}]"


def line(name: str, access: str, row: OverModels) -> str:
    auc, tpr = shown(row.auc, row.auc_ci), shown(row.tpr, row.tpr_ci)
    return f"| `{name}` | {access} | {auc} | {row.auc_spread:.3f} | {tpr} |"


def by_tpr(run: PopulationRun, names: list[str]) -> str:
    return max(names, key=lambda name: (run.rows[name].tpr, run.rows[name].auc))


def gains(run: PopulationRun) -> list[str]:
    """Each shadow attack over its own signal, and the best over the best of the others."""
    lines = []
    pairs = [
        (f"{signal}+lira", other) for signal in SIGNALS for other in (signal, f"{signal}+reference")
    ]
    for first, second in [*pairs, (by_tpr(run, COMPARED), by_tpr(run, ALONE))]:
        gain = run.gain(first, second)
        auc, tpr = shown(gain.auc, gain.auc_ci, "+"), shown(gain.tpr, gain.tpr_ci, "+")
        lines.append(f"| `{first}` over `{second}` | {auc} | {tpr} |")
    return lines


def fewer(run: PopulationRun, signal: str) -> list[str]:
    """LiRA and BaVarIA by so many shadow models, from the signals of all of them."""
    from attacks.shadow.likelihood import Scale, bavaria, lira_online

    s, lines = run.scores[signal], []
    for k in FEWER:
        found: dict[str, list[np.ndarray]] = {"lira": [], "bavaria": []}
        for target in range(len(s)):
            others = np.delete(np.arange(len(s)), target)
            some = np.random.default_rng((k, target)).permutation(others)[:k]
            inside = run.inside[some]
            scale = Scale.of(s[some], inside)
            enough = (inside.sum(0) >= 1) & ((~inside).sum(0) >= 1)
            lira = np.zeros(s.shape[1])
            lira[enough] = lira_online(s[target], s[some], inside, scale)[enough]
            found["lira"].append(lira)
            found["bavaria"].append(bavaria(s[target], s[some], inside, scale, 1.0, 8.0))
        for name, scores in found.items():
            row = over_models(np.stack(scores), run.inside, run.seed)
            auc, tpr = shown(row.auc, row.auc_ci), shown(row.tpr, row.tpr_ci)
            lines.append(f"| {k} | `{signal}+{name}` | {auc} | {tpr} |")
    return lines


def page(run: PopulationRun) -> str:
    first = next(iter(run.rows.values()))
    head = "| attack | access | AUC, mean of models [95 %] | sd between models | TPR@1%FPR [95 %] |"
    blind = [name for name in run.rows if run.access[name] == "blind"]
    parts = [
        "# Shadow models: what a population adds",
        f"`python benchmarks/attacks/population.py {run.name}`, torch {torch.__version__}: "
        f"{first.models} LoRAs on one base, each trained on a random half of {first.pictures} "
        f"pictures and the target once, with the other {first.models - 1} as shadows. The TPR is "
        "of all pairs of model and picture under one threshold, since "
        f"{first.pictures // 2} non-members of one model resolve no 1 %. Intervals are over models "
        "and pictures (pigeonhole bootstrap). The blind rows must be at chance: the deal was "
        "random.",
        "\n".join(
            [head, "|---|---|---|---|---|"]
            + [line(name, run.access[name], run.rows[name]) for name in (*blind, *ALONE, *COMPARED)]
        ),
        "## Gains, paired by model and picture",
        "\n".join(["| | AUC | TPR@1%FPR |", "|---|---|---|", *gains(run)]),
        "## How many shadow models it takes",
        "\n".join(
            [
                "| shadow models | attack | AUC | TPR@1%FPR |",
                "|---|---|---|---|",
                *fewer(run, "sima"),
            ]
        ),
    ]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("population", nargs="?", default="clipart-population")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    found = evaluate_population(options.population, ",".join([*ALONE, *COMPARED]))
    options.out.write_text(page(found), encoding="utf-8")
