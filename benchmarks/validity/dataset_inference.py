"""How many pictures a set test needs, from the scores of a finished run.

    python benchmarks/validity/dataset_inference.py runs/attacks \\
        --out docs/benchmarks/validity/dataset_inference.md

The suspects are n random members, or, to count false alarms, n random non-members; the controls
are as many other non-members. All are of the test part, none was fitted on. Sets overlap between
repetitions, so that shares are estimates of what this one run of candidates gives.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from miagym.checking.dataset_inference import set_test
from miagym.evaluation.store import at_full_budget

SIZES, REPETITIONS, RESAMPLES, LEVEL = (5, 10, 20, 40), 200, 999, 0.01
ATTACKS = ("cdi", "sima", "rising-strength")


def share_found(suspects: np.ndarray, controls: np.ndarray, n: int, same: bool) -> float:
    """Share of repetitions in which n suspects score higher than n controls at LEVEL."""
    rng, found = np.random.default_rng(n), 0
    for repetition in range(REPETITIONS):
        chosen = rng.permutation(controls)
        some = chosen[n : 2 * n] if same else rng.choice(suspects, n, replace=False)
        found += set_test(some, chosen[:n], seed=repetition, resamples=RESAMPLES).p_value <= LEVEL
    return found / REPETITIONS


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path, help="folder of a finished run")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    scores = pq.read_table(options.run / "scores.parquet")
    scores = at_full_budget(scores.filter(pc.field("part") == "test"))
    command = json.loads((options.run / "run.json").read_text())["command"]
    lines = [
        "# Many pictures, one answer",
        f"Scores of `{command}`; shares by `benchmarks/validity/dataset_inference.py`: of "
        f"{REPETITIONS} random sets, those whose one-sided permutation p-value is at most {LEVEL}. "
        "False alarms are sets of non-members.",
        "",
        "| target | attack | set | " + " | ".join(f"n = {n}" for n in SIZES) + " |",
        "|---|---|---|" + "---|" * len(SIZES),
    ]
    for target in np.unique(scores["target"].to_numpy(zero_copy_only=False)):
        for attack in ATTACKS:
            own = scores.filter((pc.field("target") == target) & (pc.field("attack") == attack))
            score, member = own["score"].to_numpy(), own["member"].to_numpy(zero_copy_only=False)
            for same, name in ((False, "members"), (True, "non-members")):
                shares = [share_found(score[member], score[~member], n, same) for n in SIZES]
                cells = " | ".join(f"{100 * share:.1f} %" for share in shares)
                lines.append(f"| {target} | {attack} | {name} | {cells} |")
    options.out.write_text(
        "\n".join(lines).replace("sets of non-members.", "sets of non-members.\n") + "\n"
    )


if __name__ == "__main__":
    main()
