"""Do p-values of fresh non-members keep their promise? Simulated scores, and the embedded targets.

    python benchmarks/validity/conformal.py --scores runs/conformal \\
        --out docs/benchmarks/validity/conformal.md

Scores of the embedded targets are computed once (half an hour on two cores) and kept in --scores.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from conformal_page import PAGE
from scipy.stats import binomtest

from attacks import make_attack
from miagym.checking.cache import Kept, load, save
from miagym.checking.calibration import fitting_part
from miagym.checking.checker import ATTACKS, Checker
from miagym.checking.combination import Combination
from miagym.checking.features import looks
from miagym.checking.ood import Guard
from miagym.checking.sources.pictures import Pictures
from miagym.checking.survey import Survey
from miagym.checking.upload import open_upload
from miagym.data.dataset import CALIBRATION, TEST
from miagym.data.registry import load_data
from miagym.embedded.pairings import pairing
from miagym.evaluation.signals import Signals
from miagym.metrics.auc import auc
from miagym.metrics.conformal import fpr_of_rule, p_values
from miagym.metrics.resampling.permutation import set_test
from miagym.targets.registry import load_target

TARGETS = ("clipart-realistic", "clipart-overfit")
ALPHAS = (0.01, 0.05)
FRESH, FITTED, DIVISIONS, CHECKS = 100_000, 5000, 2000, 10

SHAPES: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "normal": lambda rng, n: rng.normal(size=n),
    "heavy-tailed (Cauchy)": lambda rng, n: rng.standard_cauchy(n),
    "skewed (log-normal)": lambda rng, n: rng.lognormal(0, 2, n),
    "discretised (5 values)": lambda rng, n: rng.integers(0, 5, n).astype(float),
}


def share(hits: int, n: int) -> str:
    interval = binomtest(hits, n).proportion_ci(0.95, "exact")
    return f"{100 * hits / n:.2f} % [{100 * interval.low:.2f}–{100 * interval.high:.2f}]"


def row(*cells: object) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


def simulated(shape: str, n: int) -> str:
    """Each fresh non-member meets a calibration of its own, so that hits are independent."""
    rng = np.random.default_rng([n, list(SHAPES).index(shape)])
    scores = (SHAPES[shape](rng, n + 1) for _ in range(FRESH))
    p = np.array([p_values(one[:1], one[1:])[0] for one in scores])
    return row(shape, n, *(cell(p, alpha, n) for alpha in ALPHAS))


def simulated_combination() -> str:
    """Four dependent attacks, 50 + 50 to fit on, 100 non-members to rank, one fresh non-member."""
    rng, p, labels = np.random.default_rng(0), [], np.arange(100) < 50
    for _ in range(FITTED):
        scores = rng.standard_t(3, size=(201, 4)) + rng.normal(size=(201, 1))
        scores[:50] += [1.0, 0.5, 0.2, 0.0]
        signals = {str(i): scores[:, i : i + 1] for i in range(4)}
        fit = {name: values[:100] for name, values in signals.items()}
        attacks = {name: make_attack("sima") for name in signals}
        combination = Combination.of(attacks, fit, labels, np.arange(100), 0)
        ranked = combination.together(combination.single(signals))[100:]
        p.append(p_values(ranked[:1], ranked[1:])[0])
    return row("a combination, fitted", 100, *(cell(np.array(p), a, 100) for a in ALPHAS))


def cell(p: np.ndarray, alpha: float, n: int) -> str:
    return f"{share(int((p <= alpha).sum()), len(p))}; stated {100 * fpr_of_rule(alpha, n):.2f} %"


@dataclass(frozen=True)
class Division:
    """Combined scores under one division: the controls are one ranking picture of each group."""

    members: np.ndarray
    ranking: np.ndarray
    controls: np.ndarray
    fresh: np.ndarray


class World:
    """An embedded target's scores of its whole data set, under all variants of quick attacks."""

    def __init__(self, target: str, folder: Path) -> None:
        paired = pairing(target)
        assert paired is not None
        names = [n + "+reference" if paired.reference else n for n in ATTACKS["grey"]]
        self.attacks = {name: make_attack(name) for name in names}
        base = load_target(paired.reference) if paired.reference else None
        self.panel = Signals(load_target(target), self.attacks, base)
        self.data = load_data(paired.data)
        self.rows = np.concatenate([self.data.rows(part, 0) for part in (CALIBRATION, TEST)])
        self.member = self.data.member[self.rows]
        self.calibration = self.data.part[self.rows] == CALIBRATION
        assert self.data.groups is not None
        self.groups = self.data.groups[self.rows]
        path = folder / f"{target}.safetensors"
        kept = load(path)
        if kept is None:
            survey = Survey(self.panel, self.data, True, lambda: print(".", end="", flush=True))
            variants = {f"{n}|{v!r}": v for n, a in self.attacks.items() for v in a.variants()}
            kept = Kept(survey.ask(variants, self.rows).signals, {})
            save(path, kept)
        self.signals = kept.arrays

    def scores(self, fitting: np.ndarray) -> np.ndarray:
        """Combined scores of all rows, variants and regression chosen on these."""
        chosen, member = {}, self.member[fitting]
        for name in self.attacks:
            own = {k: v for k, v in self.signals.items() if k.startswith(name + "|")}
            chosen[name] = max(
                own.values(), key=lambda v: auc(v[fitting, 0][member], v[fitting, 0][~member])
            )
        fit = {name: values[fitting] for name, values in chosen.items()}
        combination = Combination.of(self.attacks, fit, member, self.groups[fitting], 0)
        return combination.together(combination.single(chosen))

    def divided(self, seed: int) -> Division:
        """All non-members dealt anew, whole groups, a third of them to calibration as in the data.

        Every use of chance has a stream of its own; with one seed for all, the halves would follow
        from the deal.
        """
        deal, order, half_seed = np.random.SeedSequence([seed, 0]).spawn(3)
        calibration, nonmembers = self.calibration.copy(), np.flatnonzero(~self.member)
        groups = np.random.default_rng(deal).permutation(np.unique(self.groups[nonmembers]))
        chosen = groups[: round(len(groups) / 3)]
        calibration[nonmembers] = np.isin(self.groups[nonmembers], chosen)
        inside = np.random.default_rng(order).permutation(np.flatnonzero(calibration))
        half = fitting_part(self.member[inside], int(half_seed.generate_state(1)[0]))
        scores, rank = self.scores(inside[half]), inside[~half]
        ranking = rank[~self.member[rank]]
        first = np.unique(self.groups[ranking], return_index=True)[1]
        return Division(
            members=scores[rank[self.member[rank]]],
            ranking=scores[ranking],
            controls=scores[ranking[first]],
            fresh=scores[nonmembers[~calibration[nonmembers]]],
        )


def real(world: World) -> tuple[str, str]:
    """Rows of the tables of pictures and of sets; ± is from how divisions differ."""
    reached: dict[float, list[float]] = {alpha: [] for alpha in ALPHAS}
    stated: dict[float, list[float]] = {alpha: [] for alpha in ALPHAS}
    found, sizes, thinned, crowded = [], [], [], []
    n_fresh = 0
    for seed in range(DIVISIONS):
        d = world.divided(seed)
        p = p_values(d.fresh, d.ranking)
        sizes.append(len(d.ranking))
        n_fresh += len(p)
        for alpha in ALPHAS:
            reached[alpha].append(float((p <= alpha).mean()))
            stated[alpha].append(fpr_of_rule(alpha, len(d.ranking)))
        found.append(float((p_values(d.members, d.ranking) <= 0.01).mean()))
        pick, test = np.random.SeedSequence([seed, 1]).spawn(2)
        suspects = np.random.default_rng(pick).choice(d.fresh, 20, replace=False)
        test_seed = int(test.generate_state(1)[0])
        thinned.append(set_test(suspects, d.controls, test_seed, resamples=999).p_value)
        crowded.append(set_test(suspects, d.ranking, test_seed, resamples=999).p_value)
    cells = []
    for alpha in ALPHAS:
        error = 196 * np.std(reached[alpha]) / DIVISIONS**0.5
        low, high = np.quantile(reached[alpha], [0.025, 0.975])
        cells.append(
            f"{100 * np.mean(reached[alpha]):.2f} % ± {error:.2f}; stated "
            f"{100 * np.mean(stated[alpha]):.2f} %; single divisions "
            f"{100 * low:.1f}–{100 * high:.1f}"
        )
    name, tpr = world.panel.target.name, f"{100 * np.mean(found):.1f} %"
    of_sets = [
        share(int((np.array(p) <= alpha).sum()), DIVISIONS)
        for p in (thinned, crowded)
        for alpha in ALPHAS
    ]
    pictures = row(name, int(np.median(sizes)), f"{n_fresh:,}", *cells, tpr)
    return pictures, row(name, DIVISIONS, *of_sets)


def guard_row(world: World) -> str:
    candidates = world.data.candidates(world.rows, world.panel.target.resolution)
    seen = looks(candidates)
    guard = Guard(seen[world.calibration])
    fresh = seen[~world.calibration]
    refused = sum(not guard(look).resembles for look in fresh)
    return row(world.data.name, len(fresh), share(refused, len(fresh)))


def seconds(world: World, folder: Path) -> float:
    """From a picture's bytes to a verdict, with a warm checker: the median."""
    checker = Checker(world.panel, Pictures(world.data, folder=folder))
    rows = world.rows[~world.calibration][: CHECKS + 1]
    times = []
    for i in rows:
        start = time.perf_counter()
        picture, caption = world.data.pictures[int(i)], world.data.captions[i]
        size = world.panel.target.resolution
        checker.check(open_upload(picture, size, caption=caption))
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])  # the first one calibrates


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--scores", type=Path, required=True, help="folder that keeps scores")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    worlds = [World(target, options.scores) for target in TARGETS]
    found, sets = zip(*map(real, worlds), strict=True)
    clocks = [(w.panel.target.name, seconds(w, options.scores)) for w in worlds]
    text = PAGE.format(
        fresh=FRESH, fitted=FITTED, divisions=DIVISIONS,
        simulated="\n".join(simulated(shape, n) for shape in SHAPES for n in (100, 327, 1000)),
        combination=simulated_combination(),
        real="\n".join(found), sets="\n".join(sets),
        guard="\n".join(map(guard_row, worlds)),
        seconds=", ".join(f"{name} {clock:.2f} s" for name, clock in clocks),
    )  # fmt: skip
    options.out.write_text(text)


if __name__ == "__main__":
    main()
