"""Loops over single pictures, as authors' scripts have them, against our attacks in batches.

    python benchmarks/speed/one_image_loops.py [--images 32]

- `secmi`: SecMI-LDM's script climbs 19 DDIM steps of 10, takes a step down from each place, and
  decodes the last one, to look at one difference, at t = 140. Ours asks for that one alone.
- `sima`: the script's 20 timesteps, one after another. Ours has the same rows, in batches.
- `walk`: the seed paper's partial denoising, a draw at a time: a guided step, its loss, its latent
  and its pixel error at each timestep. Ours has the same rows, encodes and decodes, in batches.

The loops do as their authors' code does, in words of ours. Scores of `secmi` and `sima` are the
same, and what is printed says how nearly; `walk` draws noise of its own, so that means agree and
scores do not. Times are CPU seconds. How much batches gain at all is the processor's affair: `bare`
is what nobody could beat here, our rows asked of the networks in the same batches and nothing else.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import torch
from batched_loops import DRAWS, WALK, Loops, walked
from diffusers import StableDiffusionPipeline
from torch import Tensor

from attacks.grey_box.secmi import SecMI
from attacks.grey_box.sima import SimA
from miagym.candidates import Candidates
from miagym.data.registry import load_data
from miagym.oracle import Oracle
from miagym.targets.base import Target
from miagym.targets.registry import load_target, targets_folder

ROUNDS = 3
GRID = range(0, 200, 10)
"""Timesteps of both authors' scripts."""
LOOKED_AT = 140
"""Where SecMI-LDM compares."""


class SingleLoops(Loops):
    """What scripts ask about one picture: `Candidates` of length 1."""

    def secmi(self, one: Candidates) -> Tensor:
        words, up = self.embedded(one.captions), [self.encoded(one)]
        for t in GRID[:-1]:
            up.append(self.moved(up[-1], self.unet(up[-1], t, words).sample, t, t + 10))
        down = {
            t - 10: self.moved(z, self.unet(z, t, words).sample, t, t - 10)
            for t, z in zip(GRID[:0:-1], up[:0:-1], strict=True)
        }
        self.decoded(down[0])
        return (up[GRID.index(LOOKED_AT)] - down[LOOKED_AT]).square().mean()[None]

    def sima(self, one: Candidates) -> Tensor:
        z0, words = self.encoded(one), self.embedded(one.captions)
        predicted = [self.unet(z0, t, words).sample for t in GRID]
        return torch.stack([each.flatten(1).norm(p=4, dim=1) for each in predicted], dim=1)

    def walk(self, candidates: Candidates) -> Tensor:
        return torch.stack([self.draw(candidates) for _ in range(DRAWS)]).mean(0)

    def draw(self, one: Candidates) -> Tensor:
        """Loss, latent and pixel error (1, 3 * timesteps) under one draw of noise."""
        z0, words = self.encoded(one), self.embedded(("", *one.captions))
        x = torch.from_numpy(one.images.transpose(0, 3, 1, 2).copy()).float() / 255
        eps = torch.randn_like(z0)
        z, errors = self.noised(z0, eps, WALK.noise_step), []
        for t in WALK.visited():
            nothing, told = self.unet(torch.cat([z, z]), t, words).sample.chunk(2)
            guided = nothing + WALK.guidance_scale * (told - nothing)
            z = self.moved(z, guided, t, t - WALK.stride)
            errors += [(told - eps).square().mean(), (z - z0).square().mean()]
            errors += [255 * (x - self.decoded(z)).abs().mean()]
        return torch.stack(errors)[None]


def secmi(oracle: Oracle, candidates: Candidates) -> Tensor:
    return -torch.from_numpy(SecMI(LOOKED_AT, stride=10)(oracle, candidates))


def sima(oracle: Oracle, candidates: Candidates) -> Tensor:
    scores = [torch.from_numpy(SimA(timestep=t)(oracle, candidates)) for t in GRID]
    return -torch.stack(scores, dim=1)


class Compared(NamedTuple):
    """An attack of ours, and the rows of the networks that it asks for."""

    ours: Callable[[Oracle, Candidates], Tensor]
    timesteps: list[int]
    guidance_scale: float = 1.0
    decodes: bool = False
    """After each row; then noise is drawn too, by each side its own."""

    def bare(self, target: Target, candidates: Candidates) -> Tensor:
        """Nothing but those rows, in the target's batches."""
        images = torch.from_numpy(candidates.images.transpose(0, 3, 1, 2).copy()).float()
        z, captions = target.encode(images / 127.5 - 1), list(candidates.captions)
        for t in self.timesteps:
            target.predict_noise(z, t, captions, self.guidance_scale)
            if self.decodes:
                target.decode(z)
        return z


COMPARED = {
    "secmi": Compared(secmi, [*GRID[:15], LOOKED_AT + 10]),
    "sima": Compared(sima, list(GRID)),
    "walk": Compared(walked, list(WALK.visited()) * DRAWS, WALK.guidance_scale, decodes=True),
}


def timed(work: Callable[[], Tensor]) -> tuple[Tensor, float]:
    """What comes out, and seconds of the processor."""
    start = time.process_time()
    with torch.inference_mode():
        found = work()
    return found, time.process_time() - start


def agreement(theirs: Tensor, ours: Tensor, same_noise: bool) -> str:
    theirs, ours = (each.double().reshape(len(each), -1) for each in (theirs, ours))
    if same_noise:
        return f"scores differ by {float((ours / theirs - 1).abs().max()):.0e} at most"
    return f"means differ by {float((ours.mean(0) / theirs.mean(0) - 1).abs().max()):.0%} at most"


def measured(loops: SingleLoops, name: str, target: Target, candidates: Candidates) -> str:
    """How much faster ours is, and the bare networks are, in the middle of some rounds."""
    loop, compared = getattr(loops, name), COMPARED[name]
    gains, bounds, agrees = [], [], ""
    for round_ in range(ROUNDS + 1):  # the first warms up
        theirs, single = timed(lambda: torch.cat([loop(one) for one in candidates.chunks(1)]))
        ours, own = timed(lambda: compared.ours(Oracle(target, seed=ROUNDS), candidates))
        _, bare = timed(lambda: compared.bare(target, candidates))
        if round_:
            gains, bounds = [*gains, single / own], [*bounds, single / bare]
        agrees = agreement(theirs, ours, not compared.decodes)
    gain, bound = statistics.median(gains), statistics.median(bounds)
    return f"{gain:.1f} times as fast as one picture after another ({bound:.1f} bare); {agrees}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=32)
    options = parser.parse_args()
    data, target = load_data("clipart-tune"), load_target("clipart-overfit")
    rows = data.rows("calibration", seed=0)[: options.images]
    candidates = data.candidates(rows, target.resolution)
    folder = targets_folder() / "clipart-overfit"
    loops = SingleLoops(StableDiffusionPipeline.from_pretrained(folder).to(torch.float32))
    for name in COMPARED:
        print(f"{name}: {measured(loops, name, target, candidates)}", flush=True)


if __name__ == "__main__":
    main()
