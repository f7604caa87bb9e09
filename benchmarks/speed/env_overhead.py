"""Rows per second through `miagym/Pool-v0`, against the bare UNet on equal batches.

    python benchmarks/speed/env_overhead.py

16 environments of the native vector form with 4 slots each fill one batch of 64 rows a step; every
row is a question that was not asked before (`loss` at mixed timesteps, fresh noise), so nothing
comes from a cache. A step of the environments and a call of the bare UNet alternate, so that a
drifting machine slows both.
"""

from __future__ import annotations

import statistics
import time

import gymnasium as gym
import numpy as np
import torch

import miagym  # noqa: F401
from miagym.data.registry import load_data
from miagym.oracle import Oracle
from miagym.targets.registry import load_target

ENVIRONMENTS, SLOTS, CANDIDATES, ROUNDS = 16, 4, 16, 30
QUESTIONS = ["loss@60", "loss@200", "loss@400"]

envs = gym.make_vec(
    "miagym/Pool-v0",
    num_envs=ENVIRONMENTS,
    access="grey",
    questions=QUESTIONS,
    slots=SLOTS,
    candidates=CANDIDATES,
    budget=10_000,
)
envs.reset(seed=0)
batch = ENVIRONMENTS * SLOTS
rng = np.random.default_rng(0)

data, target = load_data("clipart-tune"), load_target("clipart-overfit")
candidates = data.candidates(data.rows("test", seed=0, limit=batch // 2), size=64)
z0 = Oracle(target).encode(candidates)
target.embed(candidates.captions)  # captions are embedded once, as in a real run

bare, played = [], []
for round_ in range(ROUNDS + 1):
    action = {
        "candidate": rng.integers(CANDIDATES, size=(ENVIRONMENTS, SLOTS)),
        "question": rng.integers(len(QUESTIONS), size=(ENVIRONMENTS, SLOTS)),
        "probability": np.full((ENVIRONMENTS, CANDIDATES), 0.5),
        "stop": np.zeros(ENVIRONMENTS, dtype=int),
    }
    z = z0 + torch.randn(z0.shape, generator=torch.Generator().manual_seed(round_))
    start = time.perf_counter()
    target.predict_noise(z, 200, candidates.captions)
    middle = time.perf_counter()
    observation, *_ = envs.step(action)
    end = time.perf_counter()
    assert observation["answered"].all()
    if round_ >= 15:  # the first steps encode the candidates, which later ones remember
        bare.append(middle - start)
        played.append(end - middle)

ratio = statistics.median(b / p for b, p in zip(bare, played, strict=True))
print(f"bare UNet: {batch / statistics.median(bare):,.0f} rows/s at batch {batch}")
print(f"through Pool-v0, {ENVIRONMENTS} environments: {ratio:.2f} of it (median of {len(bare)})")
