"""What there is to win by choosing whom to ask, and how much of it an agent wins.

    miagym tabulate --target clipart-overfit --reference clipart-realistic --reference-noise shared
        --questions variation@0.3 --draws 6 --budget 60 --batch-size 64 --out TABLE
    python benchmarks/games/headroom.py TABLE [--seeds 20] [--out FILE]

Belief and value of pictures are learned on `train`; which regression guesses the value is chosen on
`val`. The page in docs/ is optimistic: `test` had been looked at before that was settled.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from agents_page import interval
from headroom_page import page
from table_play import Act, TablePlay, agents

from miagym.agents.answer_models.gaussian import AnswerModel
from miagym.agents.knowledge_gradient import KnowledgeGradientAgent, PictureValue
from miagym.agents.observations import ObservationBatch
from miagym.envs.answers.file import read_table
from miagym.envs.answers.table import AnswerTable
from miagym.envs.spaces import Action, Observation
from miagym.envs.tables.simulation import Simulation

BUDGETS = (30, 60)
LOOKING = "gradient, pictures"


class Study(TablePlay):
    """A table, and what was learned from it on `train`."""

    def __init__(self, table: AnswerTable, seeds: int) -> None:
        super().__init__(table, seeds)
        keys, pictures, member = self.part("train")
        self.model = AnswerModel.fit(table, keys, member)
        self.values = {
            f"{how}, {'reward' if told else 'sureness'}": PictureValue.fit(
                self.model, table, keys, pictures, member=member if told else None,
                forest=how == "forest",
            )
            for how in ("ridge", "forest") for told in (False, True)
        }  # fmt: skip
        self.chosen = next(iter(self.values))
        """Which of them; `choose` says by `val`."""

    def choose(self) -> dict[str, float]:
        """Chooses by the reward on `val` at the smallest budget, and tells all of them."""
        found = {}
        for name in self.values:
            self.chosen = name
            act = self.agents("val", BUDGETS[0])[LOOKING]
            found[name] = float(np.nanmean(self.played(act, "val", BUDGETS[0])))
        self.chosen = max(found, key=lambda name: found[name])
        return found

    def agents(self, split: str, budget: int) -> dict[str, Act]:
        prices = self.prices(split, budget)
        promised = self.values[self.chosen](self.part(split)[1])
        gradient = KnowledgeGradientAgent(self.model, prices)

        def looking(seen: Observation, game: Simulation) -> Action:
            batch = ObservationBatch.of(seen)
            return gradient.act_on(batch, seen, promised[game.places])

        return agents(self.model, prices) | {LOOKING: looking}

    def foreseen(self, split: str, budget: int, *, labels: bool) -> np.ndarray:
        """The same of who knows all answers, and spends as the belief will be surest, or right."""

        def said(ratio: np.ndarray) -> np.ndarray:
            return self.model.probability(ratio, np.arange(ratio.shape[2]))

        return self.best_spent(said, split, budget, labels=labels)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("table", type=Path)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    study = Study(read_table(given.table), given.seeds)
    tried = study.choose()
    on_val, rows = [], []
    for budget in BUDGETS:
        agents = study.agents("val", budget)
        means = {name: np.nanmean(study.played(act, "val", budget)) for name, act in agents.items()}
        on_val.append((budget, {name: float(mean) for name, mean in means.items()}))
        found = {name: study.played(act, "test", budget)
                 for name, act in study.agents("test", budget).items()}  # fmt: skip
        found["knows the answers"] = study.foreseen("test", budget, labels=False)
        found["knows answers and labels"] = study.foreseen("test", budget, labels=True)
        even = found["evenly"]
        known = {name: float(np.nanmean(values - even)) for name, values in found.items()}
        for name, values in found.items():
            share = known[name] / known["knows the answers"]
            rows.append((budget, name, interval(values), interval(values - even), share))
    blind = interval(study.blind("test"))
    printed = page(rows, on_val, tried, blind, study.table.record, given.seeds)
    print(printed)
    if given.out:
        given.out.write_text(printed, encoding="utf-8")


if __name__ == "__main__":
    main()
