"""All attacks together under one cache, against the same attacks one by one.

    python benchmarks/speed/sharing.py [--candidates 32] [--attacks all]

Every attack asks what it asks of a calibration chunk: threshold attacks under all their variants,
learned attacks for their features. "One by one" gives each attack a cache of its own, which its
variants still share; "unshared" gives each variant its own. Prints rows computed and seconds as
ratios, and the share of the time together that is spent inside the target's networks, forwards and
backwards. One thread of
work, torch on all cores, batches of 64 as by default. Nothing is fitted: that time is the same.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from attacks import attack_names, blind_names, make_attack
from miagym.evaluation.chunk import Chunk, Clock, Job
from miagym.evaluation.config import Config, Match
from miagym.evaluation.experiment import Experiment, Objects
from miagym.evaluation.protocol import LearnedAttack
from miagym.evaluation.scoring import score_chunk


class Stopwatch:
    """Time inside some functions, those called by each other counted once."""

    def __init__(self) -> None:
        self.seconds, self._depth = 0.0, 0

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **options: Any) -> Any:
            self._depth += 1
            start = time.perf_counter()
            try:
                return function(*args, **options)
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self.seconds += time.perf_counter() - start

        return timed


@contextmanager
def networks_timed(target: Any) -> Iterator[Stopwatch]:
    """Times UNet, autoencoder and text encoder, and the way back through them."""
    watch = Stopwatch()
    places = [
        (target.pipeline.unet, "forward"),
        (target.pipeline.vae, "encode"),
        (target.pipeline.vae, "decode"),
        (target.pipeline.text_encoder, "forward"),
        (torch.autograd, "grad"),
    ]
    before = [getattr(place, name) for place, name in places]
    for (place, name), function in zip(places, before, strict=True):
        setattr(place, name, watch.around(function))
    try:
        yield watch
    finally:
        for (place, name), function in zip(places, before, strict=True):
            setattr(place, name, function)


def job(run: Experiment, names: list[str]) -> Job:
    """What a calibration chunk is asked for by these attacks."""
    attacks = {name: run.attacks[name] for name in names}
    learning = {name: a for name, a in attacks.items() if isinstance(a, LearnedAttack)}
    scored = {
        name: {repr(variant): variant for variant in attack.variants()}
        for name, attack in attacks.items()
        if name not in learning
    }
    return Job(scored, learning=learning)


def done(run: Experiment, chunk: Chunk, each: Job) -> Clock:
    """What it takes to do a job with a chunk, whose pictures are read anew."""
    return score_chunk(run, chunk, each, each.names, run.load(chunk))[2]


def one_by_one(run: Experiment, names: list[str]) -> list[Job]:
    return [job(run, [name]) for name in names]


def unshared(run: Experiment, names: list[str]) -> list[Job]:
    """A job for each variant."""
    whole = job(run, names)
    variants = [{n: {v: a}} for n, of in whole.scored.items() for v, a in of.items()]
    return [
        *(Job(scored=variant) for variant in variants),
        *(Job(learning={name: attack}) for name, attack in whole.learning.items()),
    ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--candidates", type=int, default=32)
    parser.add_argument("--attacks", default="all")
    options = parser.parse_args()
    names = list(attack_names()) if options.attacks == "all" else options.attacks.split(",")
    match = Match("clipart-overfit", "clipart-tune", tuple(names), None, None)
    objects = Objects({name: make_attack(name) for name in (*blind_names(), *names)})
    run = Experiment(Config((match,)), 0, objects)
    chunk = Chunk(
        "benchmark", "calibration", run.calibration_chunks()[0].rows[: options.candidates]
    )
    done(run, Chunk("warm", "calibration", chunk.rows[:2]), job(run, ["loss"]))
    for attack in run.attacks.values():  # costs are metered once a process, not in each chunk
        _ = [variant.cost for variant in attack.variants()]

    with networks_timed(run.target) as watch:
        start = time.perf_counter()
        clock = done(run, chunk, job(run, names))
        together = time.perf_counter() - start
    print(f"{len(names)} attacks on {len(chunk.rows)} candidates")
    charged = sum(clock.rows_charged.values())
    print(f"UNet rows: {charged:,} charged, {clock.rows_computed:,} computed together")
    print(f"inside the networks: {watch.seconds / together:.2f} of the time together", flush=True)
    for label, jobs in (("one by one", one_by_one(run, names)), ("unshared", unshared(run, names))):
        start = time.perf_counter()
        rows = sum(done(run, chunk, each).rows_computed for each in jobs)
        seconds = time.perf_counter() - start
        print(f"{label}: {rows:,} rows; together computes {clock.rows_computed / rows:.2f} of them")
        print(f"{label}: {seconds:.1f} s; together takes {together:.1f} s,", end=" ")
        print(f"{together / seconds:.2f} of them", flush=True)


if __name__ == "__main__":
    main()
