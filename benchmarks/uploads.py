"""Measures what uploads and prompts of one's own are worth against a service without a reference.

Every agent walks once through the test candidates of `clipart-overfit`, and calls each in its ways,
in turn, until the budget is gone. Beliefs are learned on `train`.

    python benchmarks/uploads.py --budget 12 original@0.3 original@0.3,turned@0.3
"""

from __future__ import annotations

import argparse

import numpy as np

from miagym.agents.agent import play
from miagym.agents.uploading import UploadingAgent
from miagym.data.registry import load_data
from miagym.envs.grading.grade import grade
from miagym.envs.sampler import rows_of
from miagym.envs.service.env import ServiceVectorEnv
from miagym.metrics.comparisons.comparison import compare

TARGET, DATA, SIDE = "clipart-overfit", "clipart-tune", 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ways", nargs="+", help="ways of one agent, with commas")
    parser.add_argument("--service", default="image-to-image")
    parser.add_argument("--budget", type=int, default=12)
    parser.add_argument("--train", type=int, default=190, help="episodes to learn from")
    options = parser.parse_args()
    data = load_data(DATA)
    rows = rows_of(data, "test")
    keys = data.candidates(rows, SIDE).keys
    groups = None if data.groups is None else data.groups[rows]
    found: dict[str, np.ndarray] = {}
    for text in options.ways:
        made = {"target": TARGET, "service": options.service, "budget": options.budget}
        train = ServiceVectorEnv(1, split="train", **made)
        agent = UploadingAgent.fit(train, text.split(","), options.train, seed=0)
        test = ServiceVectorEnv(1, split="test", **made)
        play(agent.playing(test), test, len(rows), seed=1)
        verdicts = test.verdicts
        said = dict(zip(verdicts.candidate, verdicts.probability, strict=True))
        found[text] = np.array([said[key] for key in keys])
        graded = grade(verdicts)
        (low, high), (least, most) = graded.metrics.auc_ci, graded.brier_reward_ci
        print(
            f"| `{text}` | {graded.spent:.1f} | {graded.metrics.auc:.3f} [{low:.3f}, {high:.3f}] | "
            f"{graded.brier_reward:.2f} [{least:.2f}, {most:.2f}] |",
            flush=True,
        )
    first, *others = found
    for other in others:
        gain = compare(found[other], found[first], data.member[rows], 0, groups).auc
        print(f"{other} over {first}: {gain.value:+.3f} [{gain.ci[0]:+.3f}, {gain.ci[1]:+.3f}]")


if __name__ == "__main__":
    main()
