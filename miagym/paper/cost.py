"""Cost of the experiments before they run: UNet rows, decodes, hours at a measured speed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from miagym.api.names import attacks_of, loaded_target
from miagym.candidates import Candidates
from miagym.data.dataset import CALIBRATION, TEST
from miagym.data.registry import EMBEDDED, load_data
from miagym.embedded.pairings import pairing
from miagym.evaluation.signals import Signals
from miagym.evaluation.workers import chunk_workers
from miagym.oracle import Cost
from miagym.oracle.cache import Cache
from miagym.paper.setup import trained_rows
from miagym.paper.stages import Places, Stage, stages_of
from miagym.paper.worlds import PaperWorld
from miagym.targets.base import Target, Timesteps
from miagym.targets.dummy import DummyTarget

CLASSIFIERS = 4
TRAINING_ROWS = 3
"""Rows that a latent counts for in training: there, and twice as much back."""
CALLS = 4
"""By which a speed is measured."""


@dataclass(frozen=True)
class Speed:
    """What a target answers in a second, measured at the batch size of the run."""

    rows: float
    decodes: float
    encodes: float
    device: str

    def hours(self, cost: Cost) -> float:
        seconds = cost.unet_rows / self.rows + cost.decodes / self.decodes
        return (seconds + cost.encodes / self.encodes) / 3600


@dataclass(frozen=True)
class Load:
    """What a stage asks for: the cost of all its candidates."""

    name: str
    targets: int
    cost: Cost


@dataclass(frozen=True)
class Bill:
    """What everything costs at most, before anything is run.

    Args:
        loads: of each stage, and of the training if there is one.
        fits: classifiers that are fitted, which no target is asked for.
        speed: measured.
    """

    loads: tuple[Load, ...]
    fits: int
    speed: Speed

    @property
    def total(self) -> Cost:
        return sum((load.cost for load in self.loads), Cost())

    @property
    def hours(self) -> float:
        return self.speed.hours(self.total)

    def sentences(self) -> Iterator[str]:
        """A sentence for each stage, and one for all."""
        for load in self.loads:
            where = f"{load.targets} target{'s' * (load.targets > 1)}"
            yield f"{load.name}, {where}: {_told(load.cost)}, {_time(self.speed.hours(load.cost))}."
        speed = self.speed
        yield (
            f"Together at most {_told(self.total)}: {_time(self.hours)} on {speed.device} at "
            f"{speed.rows:,.0f} UNet rows, {speed.decodes:,.0f} decodes and {speed.encodes:,.0f} "
            f"encodes a second, as measured now. Beside it {self.fits:,} classifiers are fitted."
        )


class Distinct(DummyTarget):
    """A target without a network whose answers differ wherever questions do.

    `DummyTarget` itself comes to the same latents under several captions and guidances, and what
    follows would seem to be asked twice.
    """

    def eps(self, z: Tensor, timestep: Timesteps, embeddings: Tensor) -> Tensor:
        """Half of z, moved by what is told: linear, so that nothing saturates."""
        times = torch.tensor(self.each_timestep(timestep, len(z)), dtype=z.dtype) / 1000
        moved = embeddings.flatten(1).mean(1) + times
        return z / 2 + moved[:, None, None, None]


def bill(world: PaperWorld, places: Places, seed: int) -> Bill:
    """What the world's experiments cost at most, answers that are shared counted once.

    Args:
        world: the sizes.
        places: its targets and data; data that are yet to be fetched count with their limits.
        seed: of the candidates.
    """
    loads = [_load(stage, world, seed) for stage in stages_of(world, places)]
    if trained := trained_rows(world, seed):
        loads.insert(0, Load("fine-tuning", 1, Cost(unet_rows=TRAINING_ROWS * trained)))
    fits = len(world.settings) * CLASSIFIERS * (1 + world.splits)
    target = loaded_target(world.target, world.device, world.dtype)
    return Bill(tuple(loads), fits, measured_speed(target, world.batch_size))


def shared_cost(attacks: Sequence[str]) -> Cost:
    """What a target computes for one candidate of all variants of attacks, each answer once.

    Measured in a dry run. The variants that are chosen cost no more.
    """
    noise = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    pictures = Candidates(noise, ("a black cat on a mat", "a dog in the fog"))
    made = attacks_of(list(attacks))
    signals = Signals(Distinct(pictures[:1]), made)
    cache = Cache()
    for attack in made.values():
        for variant in attack.variants():
            variant(signals.oracle(variant, cache), pictures[1:])
    return cache.computed


def measured_speed(target: Target, batch: int) -> Speed:
    """What a target answers in a second, asked as a run asks it: in batches, from all workers."""
    noise = torch.randn((batch, *target.latent_shape), generator=torch.Generator().manual_seed(0))
    latents = noise.to(target.device)
    pictures = target.decode(latents)
    texts = target.embed(["a drawing"] * batch)
    timestep = target.timesteps(4)[1]
    return Speed(
        rows=batch * _calls(lambda: target.predict_noise(latents, timestep, texts), target),
        decodes=batch * _calls(lambda: target.decode(latents), target),
        encodes=batch * _calls(lambda: target.encode(pictures), target),
        device=_device(target),
    )


def _load(stage: Stage, world: PaperWorld, seed: int) -> Load:
    config, each = stage.config(world, seed), shared_cost(stage.attacks)
    cost = Cost()
    for target, data in stage.pairs:
        sides = _sides(data, config.choose_on, CALIBRATION, seed)
        sides += _sides(data, stage.limit, TEST, seed)
        known = pairing(target)
        if known is not None and known.null is not None:
            sides += _sides(data, min(world.null_on, stage.limit), TEST, seed)
        cost += sides * each
    return Load(stage.name, len(stage.pairs), cost)


def _sides(data: str, limit: int, part: str, seed: int) -> int:
    """Candidates of a part: as many as there are, or the limit, where nothing is fetched yet."""
    if data in EMBEDDED or Path(data).exists():
        return len(load_data(data).rows(part, seed, limit))
    return 2 * limit


def _calls(call: Callable[[], object], target: Target) -> float:
    """Calls in a second."""

    def timed(_: int) -> None:
        call()
        _wait(target)

    with chunk_workers(target) as pool:
        list(pool.map(timed, range(CALLS // 2)))  # the first calls are slower
        start = time.perf_counter()
        list(pool.map(timed, range(CALLS)))
        return CALLS / (time.perf_counter() - start)


def _wait(target: Target) -> None:
    if target.device.type == "cuda":
        torch.cuda.synchronize(target.device)


def _device(target: Target) -> str:
    if target.device.type == "cuda":
        return torch.cuda.get_device_name(target.device)
    threads = torch.get_num_threads()
    return f"{threads} CPU thread{'s' * (threads > 1)}"


def _told(cost: Cost) -> str:
    return f"{cost.unet_rows:,} UNet rows, {cost.decodes:,} decodes and {cost.encodes:,} encodes"


def _time(hours: float) -> str:
    return f"{60 * hours:.1f} minutes" if hours < 1 else f"{hours:,.1f} hours"
