"""The seed paper's loop, as its scripts are described, against ours, for the same signals.

    python benchmarks/speed/naive_loop.py [--images 32]

The naive loop takes one image at a time and one draw at a time: it encodes, noises, and walks down
the timesteps with guidance; at each it records the loss, takes the scheduler's step, records the
latent error, decodes, and records the pixel error. Ours is `Trajectory.errors` with all three
signals at all timesteps, in batches. Both run the setting "partial denoising" with 5 draws. The
naive loop draws its own noise, so that the signals agree in distribution and not in value; that
they are the same formulas is what tests/attacks/grey_box/test_trajectory.py shows.

How much batches gain at all is the processor's affair: the last line says what nobody could beat
here, the same rows asked of the bare networks in the same batches and nothing else done.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline
from torch import Tensor

from attacks.grey_box.trajectory import SETTINGS, Signal
from miagym.candidates import Candidates
from miagym.data.registry import load_data
from miagym.oracle import Oracle
from miagym.targets.base import Target
from miagym.targets.registry import load_target, targets_folder

DRAWS = 5
SETTING = replace(SETTINGS["partial-denoising"], draws=DRAWS)


@torch.no_grad()
def naive(pipeline: StableDiffusionPipeline, candidates: Candidates) -> np.ndarray:
    """Signals (n, timesteps, 3), averaged over draws."""
    scheduler: Any = DDIMScheduler.from_config(pipeline.scheduler.config)
    scheduler.set_timesteps(1000 // SETTING.stride)
    signals = []
    for image, caption in zip(candidates.images, candidates.captions, strict=True):
        draws = [draw(pipeline, scheduler, image, caption) for _ in range(DRAWS)]
        signals.append(np.mean(draws, axis=0))
    return np.array(signals)


def draw(
    pipeline: StableDiffusionPipeline, scheduler: Any, image: np.ndarray, caption: str
) -> np.ndarray:
    """Signals (timesteps, 3) of one image under one draw of noise."""
    tokenizer, factor = pipeline.tokenizer, pipeline.vae.config.scaling_factor
    texts = ["", caption]
    length = tokenizer.model_max_length
    tokens = tokenizer(
        texts, padding="max_length", truncation=True, max_length=length, return_tensors="pt"
    )
    embeddings = pipeline.text_encoder(tokens.input_ids)[0]
    x = torch.from_numpy(image.transpose(2, 0, 1).copy())[None].float() / 255
    z0 = pipeline.vae.encode(2 * x - 1).latent_dist.sample() * factor
    eps = torch.randn_like(z0)
    z = scheduler.add_noise(z0, eps, torch.tensor([SETTING.noise_step]))
    rows = []
    for t in SETTING.visited():
        unconditional, conditional = pipeline.unet(torch.cat([z, z]), t, embeddings).sample.chunk(2)
        guided = unconditional + SETTING.guidance_scale * (conditional - unconditional)
        z = scheduler.step(guided, t, z).prev_sample
        decoded = (pipeline.vae.decode(z / factor).sample.clamp(-1, 1) + 1) / 2
        rows.append([mse(eps, conditional), mse(z, z0), float(255 * (x - decoded).abs().mean())])
    return np.array(rows)


def mse(a: Tensor, b: Tensor) -> float:
    return float((a - b).square().mean())


def ours(target: Target, candidates: Candidates) -> np.ndarray:
    """Signals (n, timesteps, 3), averaged over draws."""
    signals = [Signal.LOSS, Signal.LATENT, Signal.PIXEL]
    visited = range(len(SETTING.visited()))
    return SETTING.errors(Oracle(target), candidates, signals, visited).numpy()


@torch.inference_mode()
def bare(target: Any, candidates: Candidates) -> None:
    """The networks' rows of that: an encode, and a guided step and a decode at each timestep."""
    images = torch.from_numpy(candidates.images.transpose(0, 3, 1, 2).copy()).float() / 127.5 - 1
    z, captions = target.encode(images), list(candidates.captions)
    for t in SETTING.visited() * DRAWS:
        target.predict_noise(z, t, captions, SETTING.guidance_scale)
        target.decode(z)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=32)
    options = parser.parse_args()
    data = load_data("clipart-tune")
    rows = data.rows("calibration", seed=0)[: options.images]
    candidates = data.candidates(rows, 64)
    folder = targets_folder() / "clipart-overfit"
    pipeline = StableDiffusionPipeline.from_pretrained(folder).to(torch.float32)
    target = load_target("clipart-overfit")
    loops: dict[str, Callable[[Candidates], object]] = {
        "naive": lambda some: naive(pipeline, some),
        "ours": lambda some: ours(target, some),
        "bare networks": lambda some: bare(target, some),
    }
    for loop in loops.values():
        loop(candidates[:1])  # warm
    torch.manual_seed(0)
    print(f"{options.images} images, {DRAWS} draws, signals at {SETTING.visited()}")
    seconds: dict[str, float] = {}
    for name, loop in loops.items():
        start = time.process_time()
        signals = loop(candidates)
        seconds[name] = time.process_time() - start
        if isinstance(signals, np.ndarray):
            rows = [[f"{value:.3f}" for value in row] for row in signals.mean(0)]
            print(f"mean signals (loss, latent, pixel), {name}: {rows}")
    for name, took in seconds.items():
        print(f"{name}: {took:.1f} s of CPU, {seconds['naive'] / took:.1f} times as fast as naive")


if __name__ == "__main__":
    main()
