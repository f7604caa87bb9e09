"""What there is to win under a target that nobody names and that no belief has learned from.

    for target in clipart-overfit clipart-overfit@130 clipart-overfit@80 clipart-overfit@40 \
        clipart-null; do
      miagym tabulate --target $target --data clipart-tune --reference clipart-realistic \
        --questions variation@0.3 --draws 6 --budget 60 --batch-size 64 --out TABLES/$target.parquet
    done
    python benchmarks/games/unseen_targets.py TABLES/*.parquet [--seeds 20] [--out FILE]

Each target is played once, on `test`, by beliefs that learned from the other ones on `train`.
Nothing is chosen on what is played.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from agents_page import interval
from numpy.typing import NDArray
from table_play import POOL, TablePlay, agents
from unseen_targets_page import page

from miagym.agents.answer_models.gaussian import AnswerModel, ratios
from miagym.agents.answer_models.unknown_target import UnknownTargetModel
from miagym.envs.answers.file import read_table

BUDGETS = (30, 60)
Played = dict[tuple[int, str], NDArray[np.float64]]
"""By budget and agent, Brier rewards (seeds, candidates)."""


def learned(plays: Sequence[TablePlay]) -> tuple[AnswerModel, UnknownTargetModel]:
    """One rule for these targets, and a belief that asks itself which of them it sees."""
    each = []
    for play in plays:
        keys, _, member = play.part("train")
        each.append((ratios(play.table, keys), member))
    answers, members = (np.concatenate(part) for part in zip(*each, strict=True))
    return AnswerModel.of(answers, members), UnknownTargetModel(
        tuple(AnswerModel.of(*one) for one in each)
    )


def foresight(model: UnknownTargetModel, ratio: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the belief says after 0 to K answers, where all answers say which target it is."""
    counts = np.arange(ratio.shape[2])
    weights = model.weights(ratio[..., -1], np.full(ratio.shape[:2], counts[-1]))
    return model.under(weights[..., None], ratio, counts)


def played(
    play: TablePlay, others: Sequence[TablePlay]
) -> Iterator[tuple[tuple[int, str], NDArray]]:
    """All agents on a target: those that learned from others, and one that knows which it is."""
    rule, unknown = learned(others)
    known, _ = learned([play])
    for budget in BUDGETS:
        prices = play.prices("test", budget)
        yield (
            (budget, "one rule, evenly"),
            play.played(agents(rule, prices)["evenly"], "test", budget),
        )
        for name, act in agents(unknown, prices).items():
            yield (budget, name), play.played(act, "test", budget)
        yield (
            (budget, "knows the target, evenly"),
            play.played(agents(known, prices)["evenly"], "test", budget),
        )
        for name, labels in (("knows the answers", False), ("knows answers and labels", True)):
            yield (
                (budget, name),
                play.best_spent(
                    lambda ratio: foresight(unknown, ratio), "test", budget, labels=labels
                ),
            )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("tables", type=Path, nargs="+")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    plays = [TablePlay(read_table(path), given.seeds) for path in given.tables]
    found = {
        play.table.record.target: dict(played(play, [one for one in plays if one is not play]))
        for play in plays
    }
    printed = page(
        found, interval(plays[0].blind("test")), plays[0].table.record, POOL, given.seeds
    )
    print(printed)
    if given.out:
        given.out.write_text(printed, encoding="utf-8")


if __name__ == "__main__":
    main()
