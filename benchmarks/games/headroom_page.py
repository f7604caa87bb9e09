"""The page of `headroom.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from miagym.envs.answers.record import TableRecord

HEAD = """# What choosing whom to ask can win

`Pool-v0` with {pool} candidates, black access, `{target}` beside `{reference}`
under shared noise, the one question `{question}` (3 UNet rows), from a table of {draws} draws;
{seeds} seeds. Made by `python benchmarks/games/headroom.py TABLE --seeds {seeds}`. The table came
of the same questions, asked in batches of 64 by a script that went before `miagym tabulate`; one
that is made as the benchmark says has not been played.

**Optimistic.** Rewards on `test` had been seen while beliefs and regressions were tried, before
`val` was left to choose; its 86 candidates, five pools, choose uncertainly. What is said of the
agents holds for candidates like these at best.

- **reward**: Brier reward, mean of 1 - 4 (p - y)², without a price; who says one half has 0.
- **[intervals]** of 95 %: whole groups of look-alikes and seeds are resampled, both; differences
  are paired by candidate and seed. They do not cover another `train` or another target.
- All but `blind` have one belief: Gaussian log ratios of target to reference, learned on `train`.
- **evenly** asks everybody in turn, **adaptive** who is nearest to one half, **gradient** where the
  next answer is expected to gain the most (knowledge gradient), **gradient, pictures** also guesses
  from the pixels of who was not asked yet what a first answer is worth.
- **knows the answers** sees all answers before it spends, and spends so that the belief is surest;
  no bound, since a belief may be sure and wrong. **knows answers and labels** spends so that the
  belief is right, which is a bound under this belief, and needs what is to be found out.
- **share**: of what knowing the answers gains over evenly.

Blind row (pixels and captions, no question): {blind}.

| UNet rows | agent | reward | less evenly | share |
|---|---|---|---|---|
"""
END = """
On `val`:

{on_val}

Of four regressions on eight facts of a picture, learned on `train`, `val` at 30 rows chose the
best: {tried}.

## What it says

At 60 rows everybody is asked once and four answers are left; whom the first one left in doubt is
known then, and the gradient takes nearly all that knowing the answers would. `val` prefers the one
that looks at pictures, at both budgets; on `test` it takes 64 % of it.

At 30 rows ten of sixteen are asked once: no answer tells anything about the next candidate, so that
`adaptive` and `gradient` are `evenly`, and all there is to go by are the pictures, which the
environment shows for nothing. They promise a part of it, and its interval reaches zero. (Before the
regression was chosen on `val`, ridge on sureness had been played: +0.055 [0.012, 0.093] on `test`.)

So half of what knowing the answers gains is reached at 60 rows, and not at 30. Half of what knowing
the labels too would gain is reached at neither: who knows labels leaves out those whose answers
mislead, and an answer that misleads looks like any other. The belief is one ratio, taken since its
gain has a closed form; on `val` after one answer a regression on four does somewhat better.

Under targets that the belief has not seen, and noise of the reference's own, see
[unseen_targets.md](unseen_targets.md). Not measured: other menus.
"""


def page(
    rows: Sequence[tuple[int, str, str, str, float]],
    on_val: Sequence[tuple[int, Mapping[str, float]]],
    tried: Mapping[str, float],
    blind: str,
    record: TableRecord,
    seeds: int,
) -> str:
    """All of it, as markdown."""
    head = HEAD.format(
        pool=16, target=record.target, reference=record.reference, question=record.questions[0],
        draws=record.draws, seeds=seeds, blind=blind,
    )  # fmt: skip
    lines = []
    for budget, name, value, gain, share in rows:
        shown = ("", "") if name == "evenly" else (gain, f"{share:.0%}")
        lines.append(f"| {budget} | {name} | {value} | {' | '.join(shown)} |")
    said = "\n".join(
        f"- {budget} rows: " + ", ".join(f"{name} {mean:.3f}" for name, mean in means.items())
        for budget, means in on_val
    )
    found = "; ".join(f"{name} {mean:.3f}" for name, mean in tried.items())
    return head + "\n".join(lines) + "\n" + END.format(on_val=said, tried=found)
