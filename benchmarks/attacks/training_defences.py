"""What defences of a training cost the model, and what they cost an attacker.

    python benchmarks/attacks/training_defences.py --work runs/defended \\
        --out docs/benchmarks/attacks/training_defences.md

Populations of LoRAs, on one deal of 80 pictures of `clipart-tune`: model i of each was trained on
the same 40 pictures, with a defence or without. The undefended ones are the first of those in the
package. Privacy is the AUC and TPR@1%FPR of two attacks, with
intervals over models and pictures; differences to the undefended models are paired by model and
picture, their p-values corrected over the page (Holm). Utility is the loss at pictures of the same
collection that no model was trained on, less the loss of the base there. What is in `--work` is not
trained or asked again.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import plotly.graph_objects as go
import torch
from numpy.typing import NDArray

from miagym.api.population import evaluate_population
from miagym.data.dealt import ModelDeal, model_folder
from miagym.data.registry import load_data
from miagym.metrics.comparisons.comparison import holm
from miagym.metrics.resampling.over_models import OverModels, over_models
from miagym.noise import paired_noise
from miagym.report.figures.saving import Figure
from miagym.report.figures.style import styled
from miagym.results.formats import estimate, p_text
from miagym.targets.registry import POPULATION, load_target, local_folder
from miagym.training.defences import TrainingDefence
from miagym.training.population import PopulationPlan, train_population
from miagym.training.record import record_of

BASE, DATA, MODELS = "clipart-realistic", "clipart-tune", 8
ATTACKS = ("sima", "loss+reference")
HELD_OUT, TIMESTEPS, RESAMPLES = 60, (125, 375, 625, 875), 2000
BARE = "none"
PLANS: dict[str, dict[str, Any]] = {
    BARE: {},
    "10 epochs": {"epochs": 10},
    "10 epochs, rate 0.001": {"epochs": 10, "learning_rate": 1e-3},
    "mirror": {"defence": TrainingDefence(mirror=True)},
    "turn:10": {"defence": TrainingDefence(turn=10)},
    "crop:0.8": {"defence": TrainingDefence(crop=0.8)},
    "u-shaped:4": {"defence": TrainingDefence(u_shape=4)},
    "smp:1": {"defence": TrainingDefence(smp=1), "others": DATA},
    "10 epochs, rate 0.001, dp-sgd:8": {
        "epochs": 10,
        "learning_rate": 1e-3,
        "defence": TrainingDefence(epsilon=8),
    },
}
Scores = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Measured:
    """Scores of both attacks (k, n) by name, and losses less the base's (k, pictures)."""

    scores: dict[str, Scores]
    inside: NDArray[np.bool_]
    losses: Scores
    epsilon: float | None


def measured(name: str, work: Path) -> Measured:
    """Of the population of one plan, which is trained unless it is there."""
    folder = work / "".join(c if c.isalnum() else "-" for c in name)
    plan = PopulationPlan(BASE, DATA, MODELS, **PLANS[name])
    if name == BARE and not folder.exists():
        copy_embedded(folder)
    models = train_population(plan, folder, "cpu", lambda steps, label: steps)
    kept, record = folder / "measured.npz", record_of(str(models[0]))
    if not kept.is_file():
        run = evaluate_population(folder, ",".join(ATTACKS), device="cpu")
        base = held_out_losses(BASE, ModelDeal.read(folder))
        losses = [held_out_losses(str(each), ModelDeal.read(folder)) - base for each in models]
        scores = {attack: run.scores[attack] for attack in ATTACKS}
        np.savez(kept, allow_pickle=False, inside=run.inside, losses=np.stack(losses), **scores)
    with np.load(kept) as file:
        privacy = None if record is None else record.privacy
        return Measured(
            {attack: file[attack] for attack in ATTACKS},
            file["inside"],
            file["losses"],
            None if privacy is None else privacy.epsilon,
        )


def copy_embedded(folder: Path) -> None:
    """The first models of the population in the package, as a population of their own."""
    embedded = local_folder(POPULATION)
    deal = ModelDeal.read(embedded)
    for model in range(MODELS):
        copytree(model_folder(embedded, model), model_folder(folder, model))
    replace(deal, members=deal.members[:MODELS]).write(folder)


def held_out_losses(name: str, deal: ModelDeal) -> Scores:
    """Mean squared error of the predicted noise (pictures,) at pictures that no model saw."""
    data, target = load_data(DATA), load_target(name, device="cpu")
    assert data.groups is not None
    free = np.flatnonzero(~np.isin(data.groups, data.groups[list(deal.rows)]))
    rows = np.sort(np.random.default_rng(0).choice(free, HELD_OUT, replace=False))
    asked = data.candidates(rows, target.resolution)
    z0 = target.encode(torch.from_numpy(asked.images.transpose(0, 3, 1, 2) / 127.5 - 1).float())
    found = []
    for t in TIMESTEPS:
        eps = paired_noise(0, asked.keys, target.latent_shape, t)
        told = target.predict_noise(target.add_noise(z0, eps, t), t, asked.captions)
        found.append((told - eps).square().mean((1, 2, 3)).numpy())
    return np.stack(found).mean(0, dtype=np.float64)


def mean(losses: Scores) -> tuple[float, tuple[float, float]]:
    """Over models and pictures (k, n), with a pigeonhole bootstrap over both."""
    rng, (k, n) = np.random.default_rng(0), losses.shape
    models = rng.multinomial(k, np.full(k, 1 / k), RESAMPLES) / k
    pictures = rng.multinomial(n, np.full(n, 1 / n), RESAMPLES) / n
    low, high = np.quantile(np.einsum("rk,kn,rn->r", models, losses, pictures), [0.025, 0.975])
    return float(losses.mean()), (float(low), float(high))


def page(found: dict[str, Measured]) -> str:
    """The table, in words that hold whatever came out."""
    inside = found[BARE].inside
    assert all((each.inside == inside).all() for each in found.values()), "one deal for all"
    gains = {
        (name, a): over_models(found[name].scores[a], inside, 0, found[BARE].scores[a])
        for name in found
        if name != BARE
        for a in ATTACKS
    }
    ps = holm([gain.p for gain in gains.values() if gain.p is not None])
    corrected = dict(zip(gains, ps, strict=True))
    heads = " | ".join(f"{a}: AUC | difference | p, corrected | TPR@1%FPR" for a in ATTACKS)
    lines = []
    for name, each in found.items():
        utility = "" if name == BARE else estimate(*mean(each.losses - found[BARE].losses), "+.4f")
        cells = [name, estimate(*mean(each.losses), "+.4f"), utility]
        for a in ATTACKS:
            row = over_models(each.scores[a], inside)
            gain = gains.get((name, a))
            cells += [estimate(row.auc, row.auc_ci), *_difference(gain, corrected.get((name, a)))]
            cells.append(estimate(row.tpr, row.tpr_ci))
        lines.append("| " + " | ".join(cells) + " |")
    private = [
        f"`{name}` ended at an epsilon of {each.epsilon:.2f}, a picture being the unit."
        for name, each in found.items()
        if each.epsilon is not None
    ]
    return "\n".join(
        [
            "# Defences of a training",
            "",
            f"`python benchmarks/attacks/training_defences.py`, torch {torch.__version__}: "
            f"{MODELS} LoRAs for each row, on the same deal of {inside.shape[1]} pictures of "
            f"`{DATA}`, half of them members of each model; base `{BASE}`, {PopulationPlan.epochs} "
            "epochs where no other number stands. Brackets hold 95 % intervals over models and "
            "pictures (pigeonhole bootstrap). Differences are paired with the undefended models; "
            f"p-values are corrected for the {len(gains)} of this page (Holm), and none can be "
            f"below {len(gains)} × 2/1001. The TPR is of all pairs of model and picture under one "
            f"threshold. Utility is the mean loss at {HELD_OUT} pictures of `{DATA}` that no model "
            f"was trained on (t = {', '.join(map(str, TIMESTEPS))}), less that of the base: below "
            "0, training helped; above, it harmed.",
            "",
            f"| defence | loss held out, less the base's | difference | {heads} |",
            "|---|---|---|" + "---|---|---|---|" * len(ATTACKS),
            *lines,
            "",
            *private,
            "Pictures have no look-alikes among the dealt, so there is nothing for de-duplication "
            "to remove. Hyperparameters are those of the undefended training where none are "
            "named. DP-SGD was given fewer epochs, which cost less epsilon, and a smaller rate, "
            "since its steps are mostly noise; the row of the same epochs and rate without it says "
            "how much these two do alone (it was added once the others had been seen, and DP-SGD "
            "was compared with the undefended row only; turn, crop and smp came later still). "
            "SMP-LoRA's proxy learned from pictures that no attack was asked about; some may be "
            "among those held out, of which the model itself learned nothing. Where no row lies "
            "below 0, a lower loss says that less was learned, and not what a defence would cost a "
            "useful model. The attacks do not know of the defence.",
            "",
            "![AUC against the loss held out](training_defences.svg)",
        ]
    )


def _difference(gain: OverModels | None, p: float | None) -> list[str]:
    if gain is None or p is None:
        return ["", ""]
    return [estimate(gain.auc, gain.auc_ci, "+.3f"), p_text(p)]


def figure(found: dict[str, Measured]) -> Figure:
    """Privacy against utility: a point with its intervals for each defence and attack."""
    drawn, utility = go.Figure(), [mean(each.losses) for each in found.values()]
    for attack in ATTACKS:
        rows = [over_models(each.scores[attack], each.inside) for each in found.values()]
        drawn.add_scatter(
            x=[value for value, _ in utility],
            y=[row.auc for row in rows],
            error_x={
                "array": [ci[1] - value for value, ci in utility],
                "arrayminus": [value - ci[0] for value, ci in utility],
            },
            error_y={
                "array": [row.auc_ci[1] - row.auc for row in rows],
                "arrayminus": [row.auc - row.auc_ci[0] for row in rows],
            },
            mode="markers+text",
            text=list(found),
            textposition="bottom right",
            name=attack,
        )
    styled(drawn, 500)
    drawn.update_xaxes(title="loss at pictures held out, less the base's (lower is better)")
    drawn.update_yaxes(title="AUC of the attack [95 % interval]")
    return Figure(drawn)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    found = {name: measured(name, given.work) for name in PLANS}
    given.out.write_text(page(found) + "\n", encoding="utf-8")
    figure(found).save(given.out.with_suffix(".svg"))


if __name__ == "__main__":
    main()
