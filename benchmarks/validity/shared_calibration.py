"""What the calibrations in the package promise to all who share them, on fresh non-members.

    python benchmarks/validity/shared_calibration.py [--sets 400] [--out FILE]

Fresh non-members are those of the test part, about which no calibration was asked. The first
section takes single pictures, all of them; the others take sets, of one drawing of each group.
Some minutes of one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from miagym.app.check.service import SEED, TARGETS, CheckService
from miagym.atomic import replacing
from miagym.checking.calibrated import TOGETHER, CalibratedScores
from miagym.data.dataset import TEST
from miagym.data.registry import load_data
from miagym.embedded.pairings import pairing
from miagym.metrics.conformal import fpr_range, p_values
from miagym.metrics.resampling.permutation import set_test, shared_margin

LEVELS, SIZES, ALPHAS = (0.01, 0.05, 0.1, 0.5), (5, 20, 50, 100), (0.01, 0.05)
RESAMPLES, CALIBRATIONS, SETS_EACH = 999, 60, 60

PAGE = """# What a shared calibration promises

Made by `python benchmarks/validity/shared_calibration.py`. [conformal.md](conformal.md) deals
calibrations anew for each question; here all questions share the one in the package, as all
visitors of a page do. Brackets after a measured share are its 95 % interval (Clopper-Pearson, as if
drawings were independent).

## Single pictures

*Range*: where the share lies under this calibration, by what `miagym check` says (95 %; ranking
non-members count as so many as they are worth in their groups).

| target | ranking non-members (worth) | fresh | p ≤ | share of fresh non-members | range |
|---|---|---|---|---|---|
{pictures}

## Sets of fresh non-members

Drawn {sets} times from one drawing of each group, so that sets overlap. *Margin*: the mean of the
controls is taken to be 1.645 standard errors higher, as `miagym check` has it.

| target | controls | fresh | pictures | 1 %: no margin | margin | 5 %: no margin | margin |
|---|---|---|---|---|---|---|---|
{sets_table}

## Sets under many calibrations

Controls are drawn {calibrations} times from the non-members of both parts, one of each group; the
others are fresh, and {each} sets of them meet each calibration. *Broken*: the share of calibrations
that give significantly more false alarms than promised (binomial test at 1 %). The margin promises
at most 5 %.

| target | pictures | broken at 5 %: no margin | broken at 5 %: margin | mean rate, margin |
|---|---|---|---|---|
{many}
"""


@dataclass(frozen=True)
class World:
    """A target, its calibrated scores, and the scores of fresh non-members."""

    target: str
    calibrated: CalibratedScores
    fresh: NDArray[np.float64]
    one_each: NDArray[np.float64]

    @classmethod
    def of(cls, target: str, service: CheckService) -> World:
        checker = service.checker(target)
        calibrated, known = checker.calibrated(True), pairing(target)
        assert known is not None
        data = load_data(known.data)
        rows = data.rows(TEST, SEED)
        rows = rows[~data.member[rows]]
        scores = []
        for row in rows:
            candidate = data.candidates(np.array([row]), calibrated.signals.target.resolution)
            scores.append(calibrated.scores(candidate)[TOGETHER])
        fresh = np.array(scores)
        assert data.groups is not None
        first = np.unique(data.groups[rows], return_index=True)[1]
        return cls(target, calibrated, fresh, fresh[first])

    def pictures(self) -> Iterator[str]:
        known = self.calibrated.nonmembers[TOGETHER]
        n, worth = len(known), self.calibrated.worth[1]
        p = p_values(self.fresh, known)
        for level in LEVELS:
            low, high = fpr_range(level, n, worth=worth)
            cells = (self.target, f"{n} ({worth:.0f})", len(p), f"{100 * level:g} %")
            found = share(int((p <= level).sum()), len(p))
            yield row(*cells, found, f"{100 * low:.1f}–{100 * high:.1f} %")

    def sets(self, sets: int) -> Iterator[str]:
        controls = self.calibrated.controls
        margins = (0.0, shared_margin(controls))
        for size in SIZES:
            if size > len(self.one_each):
                continue
            rng, p = np.random.default_rng(size), np.empty((sets, 2))
            for i in range(sets):
                suspects = rng.choice(self.one_each, size, replace=False)
                for j, margin in enumerate(margins):
                    p[i, j] = set_test(suspects, controls, i, RESAMPLES, margin).p_value
            rates = [share(int((p[:, j] <= a).sum()), sets) for a in ALPHAS for j in (0, 1)]
            yield row(self.target, len(controls), len(self.one_each), size, *rates)

    def many(self) -> Iterator[str]:
        everyone = np.concatenate([self.calibrated.controls, self.one_each])
        half, rng = len(self.calibrated.controls), np.random.default_rng(0)
        for size in SIZES[1:3]:
            alarms = np.zeros((CALIBRATIONS, 2))
            for c in range(CALIBRATIONS):
                order = rng.permutation(everyone)
                controls, fresh = order[:half], order[half:]
                for i in range(SETS_EACH):
                    suspects = rng.choice(fresh, size, replace=True)
                    for j, margin in enumerate((0.0, shared_margin(controls))):
                        test = set_test(suspects, controls, i, 199, margin)
                        alarms[c, j] += test.p_value <= 0.05
            tests = [
                [binomtest(int(k), SETS_EACH, 0.05, "greater").pvalue < 0.01 for k in alarms[:, j]]
                for j in (0, 1)
            ]
            broken = [share(int(sum(each)), CALIBRATIONS) for each in tests]
            yield row(self.target, size, *broken, f"{100 * alarms[:, 1].mean() / SETS_EACH:.1f} %")


def share(hits: int, n: int) -> str:
    ends = binomtest(hits, n).proportion_ci(0.95, "exact")
    return f"{100 * hits / n:.1f} % [{100 * ends.low:.1f}–{100 * ends.high:.1f}]"


def row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sets", type=int, default=400)
    parser.add_argument(
        "--out", type=Path, default=Path("docs/benchmarks/validity/shared_calibration.md")
    )
    args = parser.parse_args()
    service = CheckService()
    worlds = [World.of(target, service) for target in TARGETS]
    page = PAGE.format(
        pictures="\n".join(line for world in worlds for line in world.pictures()),
        sets=args.sets,
        sets_table="\n".join(line for world in worlds for line in world.sets(args.sets)),
        calibrations=CALIBRATIONS,
        each=SETS_EACH,
        many="\n".join(line for world in worlds for line in world.many()),
    )
    with replacing(args.out) as partial:
        partial.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
