"""The page of `unseen_targets.py`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from agents_page import interval
from numpy.typing import NDArray

from miagym.envs.answers.record import TableRecord

HEAD = """# Choosing whom to ask, under a target that nobody has met

`Pool-v0` with {pool} candidates, black access, targets beside `{reference}` under noise of its own,
the one question `{question}` (3 UNet rows), from tables of {draws} draws; {seeds} seeds. Made by
`python benchmarks/games/unseen_targets.py TABLES --seeds {seeds}`, which says how the tables are
made.

Each of the {n} targets is played once on `test`. What is believed of it was learned from the other
{rest}, on `train`; no number was chosen on what is played.

- **reward**: Brier reward, mean of 1 - 4 (p - y)², without a price; who says one half has 0.
- **[intervals]** of 95 %: whole groups of look-alikes and seeds are resampled, both; differences
  are paired by candidate and seed. They do not cover another `train`, nor other targets: these are
  checkpoints of one training and its null target, on which nothing is to be found.
- **one rule**: a Gaussian belief about log ratios of target to reference, learned from all of the
  others at once. **knows the target**: the same, learned from this very target, on `train`.
- All else believe by `UnknownTargetModel`: which of the others this target is like, the answers of
  the pool say, and what they say under it. **evenly**, **adaptive** and **gradient** are as in
  [headroom.md](headroom.md), so are **knows the answers** and **knows answers and labels**.
- **share**: of what knowing the answers gains over evenly, where that is more than {smallest}.

Blind row (pixels and captions, no question): {blind}.
"""
TABLE = """
## {title}

| UNet rows | agent | reward | less evenly | share |
|---|---|---|---|---|
"""
SMALLEST = 0.01
"""Gain of knowing the answers below which nothing is a share of it."""
RULE, EVENLY, ANSWERS = "one rule, evenly", "evenly", "knows the answers"
CHOOSING = ("adaptive", "gradient")
END = """
## What it says

**Whom to ask matters less than what one is looking at.** Of targets that nobody has met, asking the
pool which target it is like is worth {gains} of reward in the mean, over one rule for all, at the
same even spending; learning from the target itself would be worth more.

Choosing whom to ask gains nothing under this belief, and the gradient loses; it goes by what the
belief promises, which was learned under other targets. Nor is a gain of foresight shown in the
mean: who knows all answers and spends so that this belief is surest is wrong where the belief is.
So half of what foresight gains is not won on unseen targets: there is nothing to halve. Where the
target is known, there is ([headroom.md](headroom.md)).

On the null target a belief can only lose; this one loses less than one rule does.
"""
Played = Mapping[tuple[int, str], NDArray[np.float64]]


def page(
    found: Mapping[str, Played], blind: str, record: TableRecord, pool: int, seeds: int
) -> str:
    """All of it, as markdown.

    Args:
        found: by target, by budget and agent: Brier rewards (seeds, candidates).
        blind: the blind row.
        record: of one of the tables.
        pool: candidates in an episode.
        seeds: how many walks there were.
    """
    head = HEAD.format(
        pool=pool, reference=record.reference, question=record.questions[0], draws=record.draws,
        seeds=seeds, n=len(found), rest=len(found) - 1, blind=blind, smallest=SMALLEST,
    )  # fmt: skip
    first = next(iter(found.values()))
    mean = {key: np.mean([each[key] for each in found.values()], axis=0) for key in first}
    titled = {f"Mean of the {len(found)} targets": mean}
    titled |= {f"`{target}`": values for target, values in found.items()}
    gains = " and ".join(
        f"{interval(mean[budget, EVENLY] - mean[budget, RULE])} ({budget} rows)"
        for budget in dict.fromkeys(budget for budget, _ in mean)
    )
    tables = (TABLE.format(title=t) + "\n".join(lines(v)) + "\n" for t, v in titled.items())
    return head + "".join(tables) + END.format(gains=gains)


def lines(values: Played) -> list[str]:
    """Rows of a table."""
    shown = []
    for (budget, name), rewards in values.items():
        even, known = values[budget, EVENLY], values[budget, ANSWERS]
        gain = "" if name == EVENLY else interval(rewards - even)
        whole, won = np.nanmean(known - even), np.nanmean(rewards - even)
        share = f"{won / whole:.0%}" if name in CHOOSING and whole > SMALLEST else ""
        shown.append(f"| {budget} | {name} | {interval(rewards)} | {gain} | {share} |")
    return shown
