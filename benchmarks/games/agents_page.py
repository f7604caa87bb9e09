"""The page of benchmarks/games/agents.py: results by agent and budget, with intervals."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from miagym.data.registry import load_data
from miagym.envs import Verdicts, grade
from miagym.envs.grading.grade import calibration_error
from miagym.envs.pool import PoolVectorEnv
from miagym.envs.sampler import rows_of
from miagym.envs.single import SingleVectorEnv
from miagym.metrics.brier import brier_rewards, on_the_right_side
from miagym.targets.base import Target

QUESTIONS = ["loss@60", "loss@200"]
PRICES = np.array([1, 1])
PRICE = 0.1
"""What the whole budget takes off the return, as by default."""
BUDGETS = (1, 2, 4)
"""UNet rows a candidate."""
POOL, SLOTS = 16, 4
DOUBTS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4)
"""Thresholds of the adaptive agent that are tried."""
RESAMPLES, CHANCES = 2000, 50
PAGE = """# Agents against budgets

The overfit embedded target, grey access, a menu of two questions at one UNet row each
(`{questions}`). `Pool-v0` deals {pool} candidates to a pool and asks up to {slots} questions in a
step; `Single-v0` deals one. {seeds} seeds; under each, every agent judges {candidates} candidates
of `test` in the pools, and all {all} one by one. Made by `{command}`.

- **budget**, **spent**: UNet rows a candidate.
- **return**: Brier reward, mean of 1 - 4 (p - y)², less {price} times the share of the budget that
  was spent; 0 for who says one half and asks nothing.
- **accuracy**: exactly one half counts half. **calibration error**: mean distance between what was
  said and what was so, over ten groups; in brackets what the same verdicts would show by chance
  if they were perfectly calibrated.
- **[intervals]** of 95 %: candidates (whole groups of look-alikes) and seeds are resampled, both:
  the pigeonhole bootstrap (Owen 2007). They cover other candidates of the same kind and other
  noise; seeds alone would leave out the candidates, which are the smaller sample. They do not
  cover another `train` to learn from, another run of PPO, or another target.

The menu was chosen on `train`, so that there is something to allocate: one answer to `sima@60`
nearly settles a candidate there. `blind` never asks. `fixed` asks everybody in turn, `adaptive`
whom the answers leave in doubt, both under the same belief; with one answer a candidate to spend,
both ask everybody once. `learned` is PPO in `Single-v0`, one run for each budget; in a pool it
looks at each candidate as if it were alone. Its settings were found on `train` and on a simulated
game: with the first ones tried it had all but stopped asking when it was halted. `sima` is an
attack of the library, let in by `oracle_from_env`: its one question is not on the menu.

The belief is no perfect judge: after one answer its verdicts are further off than chance explains,
and on `val` one answer each to two questions served it worse than one answer alone, so that `fixed`
and `adaptive` keep to a single question. Better beliefs would move both.

"""
CHOSEN = """
Differences are paired by candidate and seed; the Brier reward is the return without the price, so
that the rest of a difference is what was saved on questions. Chosen on `val`: the schedule of
questions about a candidate, over and over, for both agents, and the doubt 4 p (1 - p) above which
`adaptive` asks, of {doubts}.
"""


@dataclass(frozen=True)
class Game:
    """Pool or Single, at so many UNet rows a candidate."""

    name: str
    budget: int

    def envs(self, target: Target, split: str, rows: int) -> PoolVectorEnv | SingleVectorEnv:
        options: dict[str, Any] = {"target": target, "data": "clipart-tune", "split": split}
        options |= {"access": "grey", "questions": QUESTIONS, "price": PRICE}
        if self.name == "Single":
            return SingleVectorEnv(rows, budget=self.budget, **options)
        whole = {"candidates": POOL, "slots": SLOTS, "budget": self.budget * POOL}
        return PoolVectorEnv(rows, **whole, **options)

    def episodes(self, split: str) -> int:
        """As many as deal each candidate once."""
        dealt = POOL if self.name == "Pool" else 1
        return len(rows_of(load_data("clipart-tune"), split)) // dealt


GAMES = [Game(name, budget) for name in ("Pool", "Single") for budget in BUDGETS]


def kept_choice(folder: Path, game: Game) -> Path:
    """Where stands what was chosen on `val`."""
    return folder / f"chosen-{game.name}-{game.budget}.json"


class Result:
    """One agent in one game: values by seed and candidate, NaN where it was not dealt."""

    def __init__(self, verdicts: Sequence[Verdicts], budget: int) -> None:
        data = load_data("clipart-tune")
        rows = rows_of(data, "test")
        keys = {key: i for i, key in enumerate(data.candidates(rows, 64).keys)}
        self.rewards, self.returns, self.right = np.full((3, len(verdicts), len(keys)), np.nan)
        rng, by_chance = np.random.default_rng(0), []
        for seed, one in enumerate(verdicts):
            at = [keys[key] for key in one.candidate]
            y, p = data.member[rows][at], one.probability
            self.rewards[seed, at] = brier_rewards(p, y)
            self.returns[seed, at] = self.rewards[seed, at] - PRICE * one.spent / budget
            self.right[seed, at] = on_the_right_side(p, y)
            by_chance += [calibration_error(p, rng.random(len(p)) < p) for _ in range(CHANCES)]
        grades = [grade(one, data) for one in verdicts]
        self.brier = float(np.mean([g.brier_reward for g in grades]))
        self.calibration = float(np.mean([g.calibration_error for g in grades]))
        self.by_chance = float(np.mean(by_chance))
        self.spent = float(np.mean([g.spent for g in grades]))
        fee = PRICE * self.spent / budget
        assert abs(np.nanmean(self.returns) - (self.brier - fee)) < 1e-9  # the grader says the same

    def row(self) -> str:
        error = f"{self.calibration:.3f} ({self.by_chance:.3f})"
        numbers = f"{self.brier:.3f} | {interval(self.right)} | {error}"
        return f"{interval(self.returns)} | {numbers} | {self.spent:.2f}"


def interval(values: np.ndarray) -> str:
    """Mean [95 % interval] of values (seeds, candidates), resampled both ways."""
    rng, means, group = np.random.default_rng(0), [], groups_of_test()
    seeds, groups = len(values), group.max() + 1
    known, values = ~np.isnan(values), np.nan_to_num(values)
    for _ in range(RESAMPLES):
        by_seed = np.bincount(rng.integers(seeds, size=seeds), minlength=seeds)
        weight = np.bincount(rng.integers(groups, size=groups), minlength=groups)[group]
        means.append((by_seed @ values @ weight) / (by_seed @ known @ weight))
    low, high = np.quantile(means, [0.025, 0.975])
    return f"{values.sum() / known.sum():.3f} [{low:.3f}, {high:.3f}]"


def groups_of_test() -> np.ndarray:
    """Numbers of the groups of look-alikes, of each candidate of `test`."""
    data = load_data("clipart-tune")
    assert data.groups is not None
    return np.unique(data.groups[rows_of(data, "test")], return_inverse=True)[1]


def table(results: Mapping[tuple[Game, str], Result], folder: Path) -> str:
    head = "| budget | agent | return | Brier reward | accuracy | calibration error | spent |"
    lines = []
    for name in ("Pool", "Single"):
        lines += [f"## {name}-v0", "", head, "|---" * 7 + "|"]
        for (game, agent), result in sorted(results.items(), key=lambda one: one[0][0].budget):
            if game.name == name:
                lines.append(f"| {game.budget} | {agent} | {result.row()} |")
        lines.append("")
    chosen_of = CHOSEN.format(doubts=", ".join(map(str, DOUBTS)))
    lines += ["## Differences in return, and what was chosen", chosen_of]
    lines += ["| game | budget | adaptive less fixed | of Brier reward | learned less fixed |"
              " of Brier reward | schedule | doubt |", "|---" * 8 + "|"]  # fmt: skip
    for game in GAMES:
        base = results[game, "fixed"]
        cells = []
        for other in (results[game, "adaptive"], results[game, "learned"]):
            cells += [
                interval(other.returns - base.returns),
                interval(other.rewards - base.rewards),
            ]
        schedule, doubt = json.loads(kept_choice(folder, game).read_text())
        cells += [" ".join(QUESTIONS[k] for k in schedule), str(doubt)]
        lines.append(f"| {game.name} | {game.budget} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def page(results: Mapping[tuple[Game, str], Result], seeds: int, folder: Path) -> str:
    """All of it, as markdown."""
    return PAGE.format(
        questions=", ".join(QUESTIONS), pool=POOL, slots=SLOTS, price=PRICE, seeds=seeds,
        candidates=Game("Pool", 1).episodes("test") * POOL, all=Game("Single", 1).episodes("test"),
        command=f"python benchmarks/games/agents.py --seeds {seeds}",
    ) + table(results, folder)  # fmt: skip
