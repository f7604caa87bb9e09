"""Plain loops over batches, as papers' scripts have them, against our attacks, at equal work.

    python benchmarks/speed/batched_loops.py [--images 64] [--batch 32]

Each loop asks the pipeline's own networks, embeds each batch's captions once, and keeps no account
of anything; each attack goes through the oracle, under a cache of its own. Both do the same number
of UNet rows, encodes and decodes. They alternate, and CPU seconds are compared: above 1, ours is
faster. The loops draw noise of their own, so that means agree and scores do not.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from diffusers import StableDiffusionPipeline
from torch import Tensor

from attacks import make_attack
from attacks.grey_box.pfami import centre_crop
from attacks.grey_box.trajectory import SETTINGS, Signal
from miagym.candidates import Candidates
from miagym.data.registry import load_data
from miagym.oracle import Oracle
from miagym.targets.registry import load_target, targets_folder

ROUNDS = 5
DRAWS = 5
WALK = replace(SETTINGS["partial-denoising"], draws=DRAWS)


class Loops:
    """Networks of a pipeline, asked by hand."""

    def __init__(self, pipeline: StableDiffusionPipeline) -> None:
        self.unet: Any = pipeline.unet
        self.vae: Any = pipeline.vae
        self.text: Any = pipeline.text_encoder
        self.tokenizer: Any = pipeline.tokenizer
        scheduler: Any = pipeline.scheduler
        self.ab: Tensor = scheduler.alphas_cumprod
        self.scale: float = self.vae.config.scaling_factor

    def embedded(self, captions: tuple[str, ...]) -> Tensor:
        length = self.tokenizer.model_max_length
        padding: Any = "max_length"
        found = self.tokenizer(
            list(captions), padding=padding, truncation=True, max_length=length, return_tensors="pt"
        )
        return self.text(found.input_ids)[0]

    def encoded(self, candidates: Candidates) -> Tensor:
        x = torch.from_numpy(candidates.images.transpose(0, 3, 1, 2).copy()).float() / 255
        return self.vae.encode(2 * x - 1).latent_dist.mean * self.scale

    def decoded(self, z: Tensor) -> Tensor:
        return (self.vae.decode(z / self.scale).sample.clamp(-1, 1) + 1) / 2

    def noised(self, z0: Tensor, eps: Tensor, t: int) -> Tensor:
        return self.ab[t].sqrt() * z0 + (1 - self.ab[t]).sqrt() * eps

    def moved(self, z: Tensor, eps: Tensor, t: int, end: int) -> Tensor:
        z0 = (z - (1 - self.ab[t]).sqrt() * eps) / self.ab[t].sqrt()
        return z0 if end < 0 else self.noised(z0, eps, end)

    def losses(self, z0: Tensor, t: int, words: Tensor) -> Tensor:
        eps = torch.randn_like(z0)
        predicted = self.unet(self.noised(z0, eps, t), t, words).sample
        return (predicted - eps).square().flatten(1).mean(1)

    def loss(self, candidates: Candidates) -> Tensor:
        z0, words = self.encoded(candidates), self.embedded(candidates.captions)
        return torch.stack([self.losses(z0, 200, words) for _ in range(DRAWS)]).mean(0)

    def pfami(self, candidates: Candidates) -> Tensor:
        words = self.embedded(candidates.captions)
        cropped = candidates.with_images(centre_crop(candidates.images, 0.81))
        both = [self.encoded(candidates), self.encoded(cropped)]
        rises = []
        for t in range(0, 500, 50):
            loss, of_crop = (self.losses(z0, t, words) for z0 in both)
            rises.append((of_crop - loss) / loss.clamp(min=1e-6))
        return torch.stack(rises).mean(0)

    def rediffuse(self, candidates: Candidates) -> Tensor:
        z0, words = self.encoded(candidates), self.embedded(candidates.captions)
        x = torch.from_numpy(candidates.images.transpose(0, 3, 1, 2).copy()).float() / 255
        pictures = []
        for _ in range(2):
            z = self.noised(z0, torch.randn_like(z0), 201)
            for t, end in ((201, 101), (101, 1), (1, -1)):
                z = self.moved(z, self.unet(z, t, words).sample, t, end)
            pictures.append(self.decoded(z))
        return (torch.stack(pictures).mean(0) - x).flatten(1).norm(dim=1)

    def walk(self, candidates: Candidates) -> Tensor:
        """The seed's partial denoising: losses, latent and pixel errors, draws in one batch."""
        errors = []
        empty = self.embedded(("",))
        z0s, words = self.encoded(candidates), self.embedded(candidates.captions)
        images = torch.from_numpy(candidates.images.transpose(0, 3, 1, 2).copy()).float() / 255
        for z0, word, x in zip(z0s, words, images, strict=True):
            z0, told = z0.expand(DRAWS, *z0.shape), torch.stack([word] * DRAWS)
            both = torch.cat([empty.expand(DRAWS, -1, -1), told])
            eps = torch.randn_like(z0)
            z, rows = self.noised(z0, eps, WALK.noise_step), []
            for t in WALK.visited():
                nothing, caption = self.unet(torch.cat([z, z]), t, both).sample.chunk(2)
                guided = nothing + WALK.guidance_scale * (caption - nothing)
                z = self.moved(z, guided, t, t - WALK.stride)
                pixels = 255 * (x - self.decoded(z)).abs().flatten(1).mean(1)
                rows += [(caption - eps).square().flatten(1).mean(1).mean()]
                rows += [(z - z0).square().flatten(1).mean(1).mean(), pixels.mean()]
            errors.append(torch.stack(rows))
        return torch.stack(errors)


def attacked(name: str, **options: Any) -> Callable[[Oracle, Candidates], Any]:
    return replace(make_attack(name), **options)  # type: ignore[type-var]


def walked(oracle: Oracle, candidates: Candidates) -> Tensor:
    signals = [Signal.LOSS, Signal.LATENT, Signal.PIXEL]
    return WALK.errors(oracle, candidates, signals, range(len(WALK.visited())))


OURS = {
    "loss": attacked("loss", draws=DRAWS),
    "pfami": attacked("pfami"),
    "rediffuse": attacked("rediffuse"),
    "walk": walked,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--batch", type=int, default=32)
    options = parser.parse_args()
    data, target = load_data("clipart-tune"), load_target("clipart-overfit")
    rows = data.rows("calibration", seed=0)[: options.images]
    candidates = data.candidates(rows, target.resolution)
    folder = targets_folder() / "clipart-overfit"
    loops = Loops(StableDiffusionPipeline.from_pretrained(folder).to(torch.float32))
    for name, ask in OURS.items():
        loop, ratios, means = getattr(loops, name), [], []
        for round_ in range(ROUNDS + 1):  # the first warms up
            start = time.process_time()
            with torch.inference_mode():
                theirs = torch.cat([loop(some) for some in candidates.chunks(options.batch)])
            middle = time.process_time()
            scores = torch.as_tensor(ask(Oracle(target, seed=round_), candidates))
            end = time.process_time()
            ratios.append((middle - start) / (end - middle))
            means.append((float(theirs.mean()), float(scores.mean().abs())))
        print(
            f"{name}: {statistics.median(ratios[1:]):.2f} times as fast as the loop over batches "
            f"(mean {means[-1][0]:.3f}, ours {means[-1][1]:.3f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
