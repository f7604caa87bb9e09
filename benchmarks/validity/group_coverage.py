"""What intervals and alarms are worth where pictures come in groups, on real scores.

    python benchmarks/validity/group_coverage.py --scores runs/groups [--deals 1000] [--out FILE]

The test parts of both embedded splits are dealt again and again as members and non-members, whole
groups together and artists balanced, as the splits themselves were. Their scores are those of a
target that saw none of the drawings, so that nothing is to be found: an interval of the AUC should
hold 0.5 in 95 % of the deals. Scores are computed once (some minutes) and kept in --scores; a
thousand deals take about twenty minutes of one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from group_worlds import UNSEEN, World
from numpy.typing import NDArray
from scipy.stats import binomtest, norm

from miagym.atomic import replacing
from miagym.metrics.comparisons.comparison import compare
from miagym.metrics.comparisons.multiplicity import auc_is_significant, tpr_is_significant
from miagym.metrics.controls import label_shuffle, nonmembers_against_nonmembers
from miagym.metrics.measure import Metrics, measure

CONTROLLED = 100
CORRELATION = 0.3

HEADING = """# Intervals where pictures come in groups

Made by `python benchmarks/validity/group_coverage.py`. [intervals.md](intervals.md) has simulated
scores.

The test part of each embedded split, {deals:,} times dealt anew into members and non-members by the
package's own dealing (groups whole, artists balanced), with scores where nothing is to be found:
those of a target that saw none of the drawings, and `edges`, the mean contrast of neighbouring
pixels, which no model is asked for. *Drawings dealt singly* is what intervals without groups take
for granted. Brackets are 95 % intervals of the share (Clopper-Pearson).
"""


def simulated(rng: np.random.Generator, n: int, sizes: str, auc: float) -> tuple[NDArray, ...]:
    """Normal scores, labels and groups of n a side; members and their likes share a third."""
    scores, groups = [], []
    for first, shift in ((0, np.sqrt(2) * norm.ppf(auc)), (n, 0.0)):
        if sizes == "heavy-tailed":
            each = np.minimum(rng.pareto(1.2, size=n).astype(int) + 1, n // 10)
        else:
            each = np.full(n, int(sizes))
        codes = np.repeat(np.arange(n), each)[:n]
        shared = np.sqrt(CORRELATION) * rng.normal(size=n)[codes]
        scores.append(shared + np.sqrt(1 - CORRELATION) * rng.normal(size=n) + shift)
        groups.append(codes + first)
    return np.concatenate(scores), np.arange(2 * n) < n, np.concatenate(groups)


def simulations(sets: int) -> Iterator[str]:
    """Coverage of AUC and TPR of simulated scores in groups."""
    for n in (200, 1000, 2500):
        for sizes in ("1", "3", "heavy-tailed"):
            for auc in (0.5, 0.8):
                rng = np.random.default_rng([n, len(sizes), round(10 * auc)])
                truth = float(norm.sf(norm.isf(0.01) - np.sqrt(2) * norm.ppf(auc)))
                held: list[tuple[bool, bool, bool]] = []
                for _ in range(sets):
                    score, member, groups = simulated(rng, n, sizes, auc)
                    told, plain = measure(score, member, groups), measure(score, member)
                    tpr = told.tpr_at_fpr[0.01]
                    assert tpr is not None
                    held.append((
                        plain.auc_ci[0] <= auc <= plain.auc_ci[1],
                        told.auc_ci[0] <= auc <= told.auc_ci[1],
                        tpr.ci[0] <= truth <= tpr.ci[1],
                    ))  # fmt: skip
                cells = [share([one[i] for one in held]) for i in range(3)]
                yield f"| {n:,} | {sizes} | {auc} | {' | '.join(cells)} |"


def share(held: list[bool]) -> str:
    k, n = sum(held), len(held)
    ends = binomtest(k, n).proportion_ci(0.95, "exact")
    return f"{100 * k / n:.1f} % [{100 * ends.low:.1f}–{100 * ends.high:.1f}]"


def holds(found: Metrics) -> tuple[bool, bool]:
    """Whether the intervals hold what is true where nothing is to be found."""
    tpr = found.tpr_at_fpr[0.01]
    assert tpr is not None
    return found.auc_ci[0] <= 0.5 <= found.auc_ci[1], tpr.ci[0] <= 0.01 <= tpr.ci[1]


def coverage(world: World, deals: int) -> Iterator[str]:
    """A row for each score: coverage of AUC and TPR, and how the AUC varies."""
    for name, score in world.scores.items():
        kept: dict[str, list[tuple[bool, bool]]] = {"singly": [], "without": [], "with": []}
        aucs, worth = [], []
        for seed in range(deals):
            kept["singly"].append(holds(measure(score, world.dealt(seed, singly=True))))
            member = world.dealt(seed, singly=False)
            plain, ours = measure(score, member), measure(score, member, world.groups)
            kept["without"].append(holds(plain))
            kept["with"].append(holds(ours))
            aucs.append(plain.auc)
            worth.append(sum(ours.effective or (0, 0)))
        columns = [share([auc for auc, _ in kept[kind]]) for kind in kept]
        columns += [share([tpr for _, tpr in kept[kind]]) for kind in kept]
        spread = f"{np.std(aucs):.4f}"
        cells = (world.data, name, f"{np.median(worth):.0f}", spread, *columns)
        yield f"| {' | '.join(cells)} |"


def comparisons(world: World, deals: int) -> Iterator[str]:
    """Differences of two scores: coverage of 0, and how often p is at most 5 %."""
    names = list(world.scores)
    for first, second in pairwise(names):
        found = []
        for seed in range(deals):
            member = world.dealt(seed, singly=False)
            pair = world.scores[first], world.scores[second]
            found.append([compare(*pair, member, seed, groups) for groups in (None, world.groups)])
        cells = [world.data, f"{first} – {second}"]
        for which in (0, 1):
            aucs = [each[which].auc for each in found]
            tprs = [tpr for each in found if (tpr := each[which].tpr)]
            cells += [share([one.p <= 0.05 for one in aucs])]
            cells += [share([one.ci[0] <= 0 <= one.ci[1] for one in tprs])]
        yield f"| {' | '.join(cells)} |"


def alarms(world: World, deals: int) -> Iterator[str]:
    """How often anything is called above chance, of all five scores and both measures."""
    tried = 2 * len(world.scores)
    for label, groups in (("without groups", None), ("with groups", world.groups)):
        loud = []
        for seed in range(deals):
            member = world.dealt(seed, singly=False)
            loud.append(
                any(_alarm(measure(s, member, groups), tried) for s in world.scores.values())
            )
        yield f"| {world.data} | {label} | {share(loud)} |"


def _alarm(found: Metrics, tried: int) -> bool:
    tpr = found.tpr_at_fpr[0.01]
    sizes = found.effective or (found.n_members, found.n_nonmembers)
    in_auc = found.auc_ci[0] > 0.5 and auc_is_significant(found.auc, found.auc_ci[0], tried)
    in_tpr = tpr is not None and tpr.ci[0] > 0.01
    return in_auc or bool(
        in_tpr and tpr and tpr_is_significant(tpr.point.tpr, tpr.point.fpr, *sizes, tried)
    )


def controls(world: World) -> Iterator[str]:
    """How often a control fails where it must hold."""
    for label, groups in (("without groups", None), ("with groups", world.groups)):
        failed: dict[str, list[bool]] = {"label shuffle": [], "non-members": []}
        for name, score in world.scores.items():
            for seed in range(CONTROLLED // len(world.scores)):
                member = world.dealt(seed, singly=False)
                given = score, member, seed, groups
                failed["label shuffle"].append(not label_shuffle(*given).passed)
                halves = nonmembers_against_nonmembers(*given)
                assert halves is not None, name
                failed["non-members"].append(not halves.passed)
        cells = (world.data, label, *(share(each) for each in failed.values()))
        yield f"| {' | '.join(cells)} |"


def section(
    title: str, columns: Sequence[str], rows: Iterable[str], about: str | None = None
) -> list[str]:
    """A heading, what there is to say, and a table."""
    said = [] if about is None else [about, ""]
    head = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return ["", f"## {title}", "", *said, *head, *rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--scores", type=Path, default=Path("runs/groups"))
    parser.add_argument("--deals", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks/validity/groups.md"))
    args = parser.parse_args()
    worlds = [World.of(data, args.scores) for data in UNSEEN]
    lines = [HEADING.format(deals=args.deals)]
    for world in worlds:
        n, groups = len(world.groups), len(np.unique(world.groups))
        lines.append(
            f"- `{world.data}`: {n:,} drawings in {groups:,} groups, worth {world.worth:.0f} if "
            f"all of a group were alike; scored by `{UNSEEN[world.data]}`."
        )
    lines += section(
        "Intervals of one score",
        (
            *("split", "score", "effective n", "sd of the AUC", "AUC: dealt singly"),
            *("groups, not told", "groups, told", "TPR at 1 %: dealt singly"),
            *("groups, not told", "groups, told"),
        ),
        (line for world in worlds for line in coverage(world, args.deals)),
    )
    sets = max(1, args.deals // 3)
    lines += section(
        f"Simulated scores, {sets:,} sets a row",
        (
            *("n a side", "group sizes", "AUC", "AUC: groups, not told", "groups, told"),
            "TPR at 1 %: told",
        ),
        simulations(sets),
        f"Normal scores; those of a group correlate by {CORRELATION}. Heavy-tailed sizes are "
        "Pareto's with exponent 1.2, at most a tenth of the side.",
    )
    lines += section(
        "Paired differences",
        (
            *("split", "pair", "p ≤ 5 % (AUC), not told", "TPR holds 0, not told"),
            *("p ≤ 5 % (AUC), told", "TPR holds 0, told"),
        ),
        (line for world in worlds for line in comparisons(world, max(1, args.deals // 5))),
    )
    lines += section(
        "Any of five scores called above chance, in AUC or TPR",
        ("split", "intervals", "runs with an alarm"),
        (line for world in worlds for line in alarms(world, args.deals)),
    )
    lines += section(
        "Controls that fail",
        ("split", "intervals", "label shuffle", "non-members"),
        (line for world in worlds for line in controls(world)),
    )
    with replacing(args.out) as partial:
        partial.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
