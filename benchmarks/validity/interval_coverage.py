"""How often 95 % intervals hold the truth, on data sets whose truth is known.

    python benchmarks/validity/interval_coverage.py [--data-sets 1000] [--workers 2] [--out FILE]

Each data set draws n members and n non-members: the same distribution twice, shifted for members so
that the AUC before rounding is 0.52, 0.7 or 0.95. What takes longer is simulated less often. Writes
docs/benchmarks/validity/intervals.md; half an hour on two cores.
"""

from __future__ import annotations

import argparse
import inspect
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
from interval_worlds import ALPHA, NAMES, World
from scipy import stats

from miagym.atomic import replacing
from miagym.metrics.auc import Interval, auc_interval
from miagym.metrics.comparisons.comparison import compare
from miagym.metrics.detection import allowed, tpr_interval
from miagym.metrics.distance import wasserstein
from miagym.metrics.thresholds import at_threshold, balanced_threshold, threshold_for

PAGE = Path(__file__).parents[2] / "docs/benchmarks/validity/intervals.md"
SEPARATIONS = (0.52, 0.7, 0.95)
SIZES = (200, 1000, 2500)
SOME = ("normal", "t, 3 degrees of freedom", "normal, rounded to 0.5")
COMMAND = "python benchmarks/validity/interval_coverage.py"
TITLE = """# How often the intervals hold the truth

A 95 % interval should hold the truth in 95 % of data sets; below 93 or above 97 % is in bold. Each
data set draws n members and n non-members from one distribution, shifted for members so that the
AUC before rounding is as given."""


Simulation = Callable[[World, np.random.Generator, int], dict[str, float]]
"""One data set of a world, drawn by a generator, and its number: what its intervals hold."""


def percentile_bootstrap(members: np.ndarray, nonmembers: np.ndarray, seed: int) -> Interval:
    """The usual interval of TPR at FPR <= alpha: 2,000 resamples of either side, none laid out.

    The (k+1)-th largest of n draws has a rank of floor(n U) with U ~ Beta(k+1, n-k), and how many
    of m drawn members exceed it is binomial.
    """
    m, n, rng = len(members), len(nonmembers), np.random.default_rng(seed)
    k = allowed(ALPHA, n)
    rank = np.minimum((n * rng.beta(k + 1, n - k, 2000)).astype(int), n - 1)
    threshold = np.sort(nonmembers)[::-1][rank]
    passed = m - np.searchsorted(np.sort(members), threshold, side="right")
    low, high = np.quantile(rng.binomial(m, passed / m) / m, [0.025, 0.975])
    return float(low), float(high)


def holds(interval: Interval, truth: float) -> bool:
    """Up to rounding, for a truth that lies on the end."""
    return interval[0] - 1e-9 <= truth <= interval[1] + 1e-9


def points(world: World, rng: np.random.Generator, seed: int) -> dict[str, float]:
    """## AUC, and TPR at 1 % FPR

    The AUC's interval is DeLong's on the logit scale (`auc_interval`). The truth of the TPR's
    interval (`tpr_interval`) is the TPR of the population at its own threshold: the lowest whose
    FPR is at most 1 %. It is not the TPR of the threshold that the sample gave, whose FPR differs
    from sample to sample; the next table is about that. "Bootstrap" is the usual percentile
    bootstrap of the same number: it covers 84 to 91 % where n is 200 and separation strong.

    Where the interval of the TPR cannot cover 95 %, it covers more and is wide on purpose:

    - n = 200 expects 2 non-members above the threshold, and in 13 % of samples there is none. An
      interval that is right for all scores then cannot exclude 0. With fewer than 299 non-members
      ours begins at 0, whatever members score, and covers 98 to 100 %.
    - A TPR near 1 % rests on few members found, even at n = 2,500, and whole numbers that small do
      not allow 95 % exactly: it covers up to 98 %.
    """
    members, nonmembers = world.sides(rng)
    ours = tpr_interval(members, nonmembers, ALPHA)
    assert ours is not None
    usual = percentile_bootstrap(members, nonmembers, seed)
    return {
        "TPR is": world.true_tpr,
        "AUC": holds(auc_interval(members, nonmembers), world.true_auc),
        "TPR": holds(ours, world.true_tpr),
        "bootstrap": holds(usual, world.true_tpr),
        "TPR width": ours[1] - ours[0],
        "bootstrap width": usual[1] - usual[0],
    }


def fixed_thresholds(world: World, rng: np.random.Generator, seed: int) -> dict[str, float]:
    """## A threshold fixed beforehand

    `balanced_threshold` chooses on one split, `at_threshold` judges it on another of the same size;
    the truth is what that threshold does in the population. TPR and FPR have Clopper-Pearson
    intervals, balanced accuracy adds them as squares; all promise at least 95 %. The last column is
    the mean FPR that the threshold of `threshold_for` at 1 % has in the population: it should be at
    most 1 %, up to the noise of the simulation.
    """
    calibration, (members, nonmembers) = world.sides(rng), world.sides(rng)
    threshold = balanced_threshold(*calibration)
    tpr, fpr = (float(world.above(threshold, shift)) for shift in (world.shift, 0))
    found = at_threshold(members, nonmembers, threshold)
    conformal = threshold_for(calibration[1], ALPHA)
    assert conformal is not None
    return {
        "TPR": holds(found.tpr_ci, tpr),
        "FPR": holds(found.fpr_ci, fpr),
        "balanced accuracy": holds(found.balanced_accuracy_ci, (tpr + 1 - fpr) / 2),
        "FPR of a conformal threshold": float(world.above(conformal, 0)),
    }


def comparisons(world: World, rng: np.random.Generator, seed: int) -> dict[str, float]:
    """## Two attacks on the same candidates

    Differences of AUC (paired DeLong) and of TPR at 1 % FPR (paired bootstrap) by `compare`. The
    second attack's AUC is half as far from 0.5; their scores are normals, correlated 0.5, turned
    into the distribution and shifted. The bootstrap covers too little, near 90 %, where n is 200,
    separation strong, and tails are heavy or scores have few values.
    """
    weaker = World(world.name, (world.separation + 0.5) / 2, world.n)
    (distribution, step), member = NAMES[world.name], np.arange(2 * world.n) < world.n
    shared, *own = rng.normal(size=(3, 2 * world.n)) * 0.5**0.5
    scores = []
    for part, shift in zip(own, (world.shift, weaker.shift), strict=True):
        score = distribution.ppf(stats.norm.cdf(shared + part)) + shift * member
        scores.append(np.rint(score / step) * step if step else score)
    found = compare(scores[0], scores[1], member, seed)
    assert found.tpr is not None
    return {
        "AUC": holds(found.auc.ci, world.true_auc - weaker.true_auc),
        "TPR": holds(found.tpr.ci, world.true_tpr - weaker.true_tpr),
    }


def distances(world: World, rng: np.random.Generator, seed: int) -> dict[str, float]:
    """## Wasserstein distance

    The truth of `wasserstein` is the shift. Above chance it should be in 5 % of data sets at an AUC
    of 0.5, and more often elsewhere. Under heavy tails few scores far out decide the distance, and
    it covers near 90 % where n is 200 and separation weak.
    """
    found = wasserstein(*world.sides(rng), seed)
    above = found.value > found.chance
    assert found.ci is not None
    return {"distance": holds(found.ci, world.shift), "above chance": above}


def repeated(simulate: Simulation, world: World, data_sets: int) -> dict[str, float]:
    """Means over data sets."""
    seed = zlib.crc32(f"{world.name} {world.separation} {world.n}".encode())
    generators = map(np.random.default_rng, np.random.SeedSequence(seed).spawn(data_sets))
    rows = [simulate(world, rng, number) for number, rng in enumerate(generators)]
    return {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}


def table(pool: Executor, simulate: Simulation, worlds: Sequence[World], data_sets: int) -> str:
    """A row for each world."""
    lines, job = [], partial(repeated, simulate, data_sets=data_sets)
    for world, row in zip(worlds, pool.map(job, worlds), strict=True):
        lines = lines or [
            f"| scores | AUC | n | {' | '.join(row)} |",
            "|---" * (3 + len(row)) + "|",
        ]
        cells = " | ".join(cell(key, value) for key, value in row.items())
        lines.append(f"| {world.name} | {world.separation:g} | {world.n} | {cells} |")
        print(lines[-1], flush=True)
    return "\n".join(lines)


def cell(key: str, value: float) -> str:
    """A share in percent, in bold if it should be 95 % and is not within 93 to 97 %."""
    if "width" in key:
        return f"{value:.3f}"
    if "FPR of" in key or "above" in key or "TPR is" in key:
        return f"{100 * value:.2f} %"
    return f"{100 * value:.1f} %" if 0.93 <= value <= 0.97 else f"**{100 * value:.1f} %**"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data-sets", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=PAGE)
    options = parser.parse_args()
    jobs: tuple[tuple[Simulation, product, int], ...] = (
        (points, product(NAMES, SEPARATIONS, SIZES), 1),
        (fixed_thresholds, product(NAMES, SEPARATIONS, SIZES), 4),
        (comparisons, product(SOME, SEPARATIONS, SIZES[:2]), 5),
        (distances, product(SOME[:2], (0.5, *SEPARATIONS), SIZES[:2]), 5),
    )
    page = f"{TITLE} Made by `{COMMAND} --data-sets {options.data_sets}`.\n"
    with ProcessPoolExecutor(options.workers) as pool, replacing(options.out) as partly:
        for simulate, cells, share in jobs:
            n = options.data_sets // share
            rows = table(pool, simulate, [World(*key) for key in cells], n)
            error = 100 * (0.95 * 0.05 / n) ** 0.5
            size = f"{n:,} data sets a row: a standard error of {error:.1f} points."
            page += f"\n{inspect.getdoc(simulate)}\n\n{size}\n\n{rows}\n"
        partly.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
