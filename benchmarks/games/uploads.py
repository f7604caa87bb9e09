"""Measures what uploads and prompts of one's own are worth against a service without a reference.

Every agent meets the same test candidates of `clipart-overfit`, and calls each in its ways, in
turn, until the budget is gone. Beliefs are learned on `train`.

    python benchmarks/games/uploads.py --budget 12 original@0.3 original@0.3,turned@0.3
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
from miagym.metrics.auc import Interval
from miagym.metrics.comparisons.comparison import compare

TARGET, DATA, SIDE, ENVS = "clipart-overfit", "clipart-tune", 64, 16


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ways", nargs="+", help="ways of one agent, with commas")
    parser.add_argument("--service", default="image-to-image")
    parser.add_argument("--budget", type=int, default=12)
    parser.add_argument("--train", type=int, default=192, help="episodes to learn from")
    parser.add_argument("--test", type=int, default=384, help="episodes that are graded")
    options = parser.parse_args()
    data = load_data(DATA)
    rows = rows_of(data, "test")
    at = dict(zip(data.candidates(rows, SIDE).keys, rows.tolist(), strict=True))
    found: dict[str, dict[str, float]] = {}
    for text in options.ways:
        made = {"target": TARGET, "service": options.service, "budget": options.budget}
        train, test = (ServiceVectorEnv(ENVS, split=s, **made) for s in ("train", "test"))
        ways, episodes = text.split(","), options.train // ENVS
        agent = UploadingAgent.fit_over([train], ways, episodes, seed=0)
        played = play(agent.playing(test), test, options.test // ENVS, seed=1)
        each = [zip(one.candidate, one.probability, strict=True) for one in played.verdicts]
        found[text] = dict(pair for one in reversed(each) for pair in one)
        graded = grade(test.verdicts)
        auc = between(graded.metrics.auc, graded.metrics.auc_ci)
        reward = between(graded.brier_reward, graded.brier_reward_ci)
        print(f"| `{text}` | {graded.n_candidates} | {auc} | {reward} |", flush=True)
    first, *others = found
    for other in others:
        keys = sorted(found[first].keys() & found[other].keys())
        where = np.array([at[key] for key in keys])
        one, two = (np.array([said[key] for key in keys]) for said in (found[other], found[first]))
        groups = None if data.groups is None else data.groups[where]
        gain = compare(one, two, data.member[where], 0, groups).auc
        print(f"{other} over {first}, {len(keys)} candidates: {between(gain.value, gain.ci)}")


def between(value: float, ends: Interval) -> str:
    return f"{value:.3f} [{ends[0]:.3f}, {ends[1]:.3f}]"


if __name__ == "__main__":
    main()
