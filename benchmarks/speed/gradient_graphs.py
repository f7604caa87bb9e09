"""GSA1 with several timesteps in a graph, against a graph for each.

    python benchmarks/speed/gradient_graphs.py [--candidates 16]

Prints how many times as fast, on the embedded overfit target: the median of three rounds each, in
turn.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np

from attacks import make_attack
from attacks.base import LearnedAttack
from miagym.data.dataset import TEST
from miagym.data.registry import load_data
from miagym.oracle import Access, Oracle
from miagym.targets import gradients
from miagym.targets.registry import load_target


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--candidates", type=int, default=16)
    args = parser.parse_args()
    target, data = load_target("clipart-overfit"), load_data("clipart-tune")
    candidates = data.candidates(data.rows(TEST, 0)[: args.candidates], target.resolution)
    attack = make_attack("gsa1(timesteps=(99, 199, 299, 399, 499, 599, 699, 799, 899, 999))")
    assert isinstance(attack, LearnedAttack)
    seconds: dict[int, list[float]] = {1: [], gradients.GRAPH_ELEMENTS: []}
    found = {}
    for _ in range(3):
        for elements in seconds:
            gradients.GRAPH_ELEMENTS = elements
            start = time.process_time()
            found[elements] = attack.features(Oracle(target, Access.WHITE), candidates)
            seconds[elements].append(time.process_time() - start)
    one, several = found.values()
    apart = float(np.max(np.abs(one - several) / np.maximum(np.abs(one), 1e-12)))
    single, together = (statistics.median(each) for each in seconds.values())
    print(
        f"{args.candidates} candidates, ten timesteps: {single:.1f} s of CPU time in ten graphs, "
        f"{together:.1f} s in one: {single / together:.2f} times as fast; largest relative "
        f"difference of a norm {apart:.1e}."
    )


if __name__ == "__main__":
    main()
