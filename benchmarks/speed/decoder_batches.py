"""The decoder on a CPU: few pictures at once against a whole batch of the oracle.

    python benchmarks/speed/decoder_batches.py [--rows 64]

Decodes and differentiates, in parts as the target does and with no limit to them, by turns, so
that a drifting machine slows both. Prints ratios of medians.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import defaultdict

import torch

from miagym.targets.pipeline import autoencoder
from miagym.targets.registry import load_target

LIMITS = {"in parts": autoencoder.BYTES_AT_ONCE, "at once": 2**40}
ROUNDS = 8


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=64)
    rows = parser.parse_args().rows
    target = load_target("clipart-overfit")
    x = torch.rand(rows, 3, target.resolution, target.resolution) * 2 - 1
    z = target.encode(x)
    asked = {
        "decode": lambda: target.decode(z),
        "decoder_gradient": lambda: target.decoder_gradient(z, x),
    }
    seconds: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for _ in range(ROUNDS):
        for name, ask in asked.items():
            for limit, autoencoder.BYTES_AT_ONCE in LIMITS.items():
                start = time.perf_counter()
                ask()
                seconds[name, limit].append(time.perf_counter() - start)
    for name in asked:
        parts, once = (statistics.median(seconds[name, limit]) for limit in LIMITS)
        print(f"{name}: {rows} rows {once / parts:.2f} times as fast in parts as at once")


if __name__ == "__main__":
    main()
