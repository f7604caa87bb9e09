"""The picture turned as its own reference, on the embedded targets.

    python benchmarks/attacks/turned.py runs/turned --out docs/benchmarks/attacks/turned.md

Runs the attacks with and without `+turned` (an interrupted run goes on, a finished one is read),
and writes AUCs, paired gains and the ablation over symmetries down. All choices are made on the
calibration part.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import torch

import miagym
from attacks.base import Attack, Scores, as_scores, mean_square
from attacks.grey_box.loss import denoising_loss
from attacks.turned import turned
from miagym.api.run import Run
from miagym.evaluation.store import labelled
from miagym.metrics.comparisons.comparison import compare
from miagym.oracle import Access, Candidates, Oracle

LIMIT = 324
"""Members, and non-members, of the test part, so that the larger split takes no longer."""
TARGETS = {
    "clipart-overfit": "clipart-tune",
    "clipart-overfit@80": "clipart-tune",
    "clipart-overfit@40": "clipart-tune",
    "clipart-null": "clipart-tune",
    "clipart-realistic": "clipart",
}
PAIRS = {
    "turned-sima": "sima",
    "pia+turned": "pia",
    "loss+turned": "loss",
    "loss+turned(ratio=True)": "loss",
    "rediffuse+turned": "rediffuse",
    "rediffuse-weak": "rediffuse",
    "rediffuse-weak+turned": "rediffuse-weak",
}
"""What is measured, and what it is compared with."""
TURNS = ("180", "270", "mirror", "flip", "colours")
ALL = "'90', '180', '270', 'mirror', 'flip'"
ABLATION = {
    "sima+turned(ratio=True)": "90°, ratio",
    **{f"sima+turned(by=('{turn}',))": turn for turn in TURNS},
    "sima+turned(by=('90', '180', '270'))": "90°, 180°, 270°",
    f"sima+turned(by=({ALL}))": "all turns and mirrors",
}


@dataclass(frozen=True)
class LossTurnedAlong(Attack):
    """The loss of the picture turned less that of the picture, under noise that is turned along.

    Score: mean over draws of mse(E(a E_vae(gx) + s g eps) - g eps) - mse(E(a z0 + s eps) - eps).
    """

    access = Access.GREY

    timestep: int = 200
    draws: int = 3

    def __call__(self, oracle: Oracle, candidates: Candidates) -> Scores:
        other, t = turned(candidates, "90"), self.timestep
        z0, z0_turned = oracle.encode(candidates), oracle.encode(other)
        gains = []
        for draw in range(self.draws):
            eps = torch.rot90(oracle.noise(candidates, t, draw), 1, (2, 3))
            z_t = oracle.add_noise(z0_turned, eps, t)
            loss = mean_square(oracle.predict_noise(other, z_t, t) - eps)
            gains.append(loss - denoising_loss(oracle, candidates, z0, t, draw))
        return as_scores(torch.stack(gains).mean(0))


def run(out: Path) -> Run:
    names = [*dict.fromkeys([*PAIRS.values(), *PAIRS]), *ABLATION]
    if (out / "results.json").is_file():
        return Run.open(out)
    return miagym.evaluate(
        list(TARGETS),
        list(TARGETS.values()),
        [",".join(names), {"loss, noise turned along": LossTurnedAlong()}],
        null=[None] * len(TARGETS),
        reference=[None] * len(TARGETS),
        limit=LIMIT,
        out=out,
        tell=print,
    )


def gain(run: Run, target: str, first: str, second: str) -> str:
    """Paired difference of the AUC on the same candidates, with its interval over groups."""
    parts = [_scores(run, target, name) for name in (first, second)]
    found = compare(parts[0].score, parts[1].score, parts[0].member, 0, parts[0].groups).auc
    return f"{found.value:+.3f} [{found.ci[0]:+.3f}, {found.ci[1]:+.3f}]"


def _scores(run: Run, target: str, attack: str):
    chosen = (pc.field("target") == target) & (pc.field("attack") == attack)
    rows = run.scores.filter(chosen)
    order = np.argsort(rows["candidate"].to_numpy())
    return labelled(rows.take(order))


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def page(run: Run) -> str:
    targets = list(TARGETS)
    about = run[targets[0], "sima"]
    pairs = dict.fromkeys([*PAIRS.values(), *PAIRS])
    auc = [
        [f"`{name}`", f"{run[targets[0], name].unet_rows:g}"]
        + [str(run[target, name].auc) for target in targets]
        for name in pairs
    ]
    gains = [
        [f"`{first}` over `{second}`", *(gain(run, target, first, second) for target in targets)]
        for first, second in PAIRS.items()
    ]
    by = [
        [label, *(str(run[target, name].auc) for target in targets)]
        for name, label in {"turned-sima": "90°", **ABLATION}.items()
    ]
    along = [
        [label, *(str(run[target, name].auc) for target in targets)]
        for name, label in {
            "loss+turned": "noise stays, t chosen among 100, 200 and 400",
            "loss, noise turned along": "noise turned along, t = 200",
        }.items()
    ]
    detected = [
        [f"`{name}`", *(_detected(run, target, name) for target in targets)] for name in pairs
    ]
    head = [f"`{target}`" for target in targets]
    return (
        "\n\n".join(
            [
                "# The picture turned is its own reference: the measurement",
                f"`python benchmarks/attacks/turned.py`, two cores, torch {torch.__version__}. "
                f"Test part: {about.n_members} members and {about.n_nonmembers} non-members of "
                f"`clipart-tune`, {LIMIT} and {LIMIT} of `clipart` for `clipart-realistic`; in "
                "brackets 95 % over groups of look-alikes. Timesteps and strengths were chosen on "
                "the calibration part; null and realistic are where next to nothing is found.",
                "## AUC",
                table(["attack", "UNet rows", *head], auc),
                "## Gain in AUC, paired",
                table(["", *head], gains),
                "## TPR at 1 % FPR",
                table(["attack", *head], detected),
                "## Which symmetry: SimA less SimA of the picture turned",
                table(["by", *head], by),
                "## Noise: the loss, 3 draws, 90°",
                table(["", *head], along),
            ]
        )
        + "\n"
    )


def _detected(run: Run, target: str, name: str) -> str:
    found = run[target, name].tpr_at_fpr["0.01"]
    return "–" if found is None else f"{found.tpr:.3f} [{found.ci[0]:.3f}–{found.ci[1]:.3f}]"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path, help="run folder")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.write_text(page(run(options.run)), encoding="utf-8")
