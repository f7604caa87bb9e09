"""How often the share of a set lies in its interval, and what lists and e-values cost.

    python benchmarks/validity/sets.py --out docs/benchmarks/validity/sets.md

Normal scores, members `apart` standard deviations higher; the number of members in a set is drawn
from 0 to all. Known members and non-members are drawn anew each time.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy.stats import binomtest

from miagym.metrics.conformal import p_values
from miagym.metrics.sets.anytime import e_value
from miagym.metrics.sets.discoveries import discoveries
from miagym.metrics.sets.share import share_at_least, share_of_set

SETS, KNOWN, LOOKS, LEVEL = 500, 100, 20, 0.1


def drawn(rng: np.random.Generator, members: int, n: int, apart: float) -> np.ndarray:
    return np.concatenate([rng.normal(apart, 1, members), rng.normal(0, 1, n - members)])


def share(found: int, n: int) -> str:
    ci = binomtest(found, n).proportion_ci(method="exact")
    return f"{100 * found / n:.1f} % [{100 * ci.low:.1f}–{100 * ci.high:.1f}]"


def coverage(apart: float, n: int) -> str:
    rng, held, bounded, widths, bounds = np.random.default_rng(1), 0, 0, [], []
    for i in range(SETS):
        members = int(rng.integers(0, n + 1))
        scores = drawn(rng, members, n, apart)
        known = rng.normal(apart, 1, KNOWN), rng.normal(0, 1, KNOWN)
        found, bound = share_of_set(scores, *known, seed=i), share_at_least(scores, known[1][:n])
        held += found.ci[0] - 1e-9 <= members / n <= found.ci[1] + 1e-9
        bounded += bound.at_least <= members
        widths.append(found.ci[1] - found.ci[0])
        bounds.append(members / n - bound.ci[0])
    return (
        f"| {apart} | {n} | {share(held, SETS)} | {np.mean(widths):.2f} | {share(bounded, SETS)} | "
        f"{np.mean(bounds):.2f} |"
    )


def lists(apart: float, members: int, n: int, controls: int) -> str:
    rng, wrong, power = np.random.default_rng(2), [], []
    for _ in range(1000):
        scores = drawn(rng, members, n, apart)
        found = discoveries(p_values(scores, rng.normal(0, 1, controls)), controls, LEVEL)
        listed = np.array(found.listed, dtype=int)
        wrong.append(float((listed >= members).mean()) if len(listed) else 0.0)
        power.append((listed < members).sum() / members)
    error = 1.96 * np.std(wrong) / len(wrong) ** 0.5
    return (
        f"| {apart} | {members} of {n} | {controls} | {100 * np.mean(wrong):.1f} ± "
        f"{100 * error:.1f} % | {100 * np.mean(power):.0f} % |"
    )


def peeking(controls: int) -> str:
    """Somebody adds unused pictures, one by one, until 1 in 20 would be reached."""
    rng, by_e, by_p = np.random.default_rng(3), 0, 0
    for _ in range(SETS):
        known, scores = rng.normal(size=controls), rng.normal(size=LOOKS)
        by_e += any(e_value(scores[:n], known).p_value <= 0.05 for n in range(2, LOOKS + 1))
        by_p += any(_rank_sum_p(scores[:n], known) <= 0.05 for n in range(2, LOOKS + 1))
    return f"| {controls} | {share(by_e, SETS)} | {share(by_p, SETS)} |"


def _rank_sum_p(scores: np.ndarray, controls: np.ndarray) -> float:
    from scipy.stats import mannwhitneyu

    return float(mannwhitneyu(scores, controls, alternative="greater").pvalue)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    lines = [
        "# Shares, lists and e-values of sets",
        "",
        f"`python benchmarks/validity/sets.py`: {SETS} simulated sets a row, any number of them "
        f"members; {KNOWN} known members and non-members, n controls for the lower bound; "
        "everything drawn anew each time. In brackets 95 % (Clopper-Pearson).",
        "",
        "| members apart (σ) | set | 95 % interval holds | mean width | lower bound holds | mean "
        "distance below |",
        "|---|---|---|---|---|---|",
    ]
    lines += [coverage(apart, n) for apart in (3.0, 1.5) for n in (12, 24, 40)]
    lines += [
        "",
        f"A list at a false discovery rate of {100 * LEVEL:.0f} %, 1,000 sets a row:",
        "",
        "| members apart (σ) | members | controls | not used among the listed | members listed |",
        "|---|---|---|---|---|",
    ]
    lines += [lists(apart, 20, 100, m) for apart in (3.0, 2.0) for m in (50, 200)]
    lines += [
        "",
        f"Pictures that were not used, added one by one up to {LOOKS}, until 5 % is reached:",
        "",
        "| controls | fooled by the e-value | fooled by a p-value (rank sum) |",
        "|---|---|---|",
    ]
    lines += [peeking(m) for m in (12, 50)]
    options.out.write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
