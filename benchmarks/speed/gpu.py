"""Images per second of each attack on a model shaped as Stable Diffusion 1.x at 512 pixels.

    python benchmarks/speed/gpu.py [--device cuda] [--dtype float16] [--images 64] [--not-compiled]

The weights are random, as speed does not depend on them: the published configurations are built,
written to a folder, and loaded as any target is, compiled unless told otherwise. Each attack asks
under a cache of its own, after a run on few images that compiles and warms up; captions are
embedded once. Prints images per second and, as a share of the rows per second that the bare
compiled UNet does in the same batch, what the attack's UNet rows come to: encoding and decoding
count as loss. `--small` is a model of the same kind at 64 pixels, to try the script where there is
no GPU.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from attacks import make_attack
from miagym.candidates import Candidates
from miagym.oracle import Oracle
from miagym.targets.base import Target
from miagym.targets.loading.device import DTYPES, choose_device, choose_dtype
from miagym.targets.loading.single.clip_words import clip_tokenizer
from miagym.targets.registry import load_target

ATTACKS = "loss,pia,sima,secmi,clid,pfami,rediffuse,text-to-image,gradient-masking"
CONFIGURATIONS = Path(str(files("miagym").joinpath("assets/configurations/stable-diffusion-1")))
SMALL = {
    "unet": {"block_out_channels": (32, 64, 64, 64), "sample_size": 8, "attention_head_dim": 8},
    "vae": {"block_out_channels": (32, 32, 32, 32), "sample_size": 64},
}


def random_pipeline(small: bool, dtype: torch.dtype) -> StableDiffusionPipeline:
    """The published configurations with random weights."""

    def network(kind: Any, part: str) -> Any:
        config: Any = kind.load_config(CONFIGURATIONS / part)
        config = {**config, **(SMALL[part] if small else {})}
        return kind.from_config(config).to(dtype)

    torch.manual_seed(0)
    text: Any = CLIPTextModel(CLIPTextConfig.from_pretrained(CONFIGURATIONS / "text_encoder"))
    nothing: Any = None
    schedule: Any = DDIMScheduler.load_config(CONFIGURATIONS / "scheduler")
    scheduler: Any = DDIMScheduler.from_config({**schedule, "clip_sample": False})
    return StableDiffusionPipeline(
        vae=network(AutoencoderKL, "vae"),
        text_encoder=text.to(dtype),
        tokenizer=clip_tokenizer(CONFIGURATIONS / "tokenizer" / "tokenizer_config.json"),
        unet=network(UNet2DConditionModel, "unet"),
        scheduler=scheduler,
        safety_checker=nothing,
        feature_extractor=nothing,
        requires_safety_checker=False,
    )


def seconds(target: Target, work: Callable[[], object]) -> float:
    """How long it takes until the device is done."""
    synchronize = getattr(getattr(torch, target.device.type), "synchronize", lambda: None)
    synchronize()
    start = time.perf_counter()
    work()
    synchronize()
    return time.perf_counter() - start


def bare_rows(target: Any, batch: int, rounds: int) -> float:
    """UNet rows per second, nothing around them; the first round compiles."""
    z = torch.randn(batch, *target.latent_shape, device=target.device, dtype=target.dtype)
    t = torch.full((batch,), 200, device=target.device)
    words = target.embed(["a photograph"] * batch).to(target.dtype)

    def once() -> None:
        with torch.inference_mode():
            target.output(z, t, words)

    seconds(target, once)
    return batch * rounds / seconds(target, lambda: [once() for _ in range(rounds)])


def with_attack(
    target: Target, ask: Callable[[Oracle, Candidates], object], images: Candidates, batch: int
) -> float:
    """Seconds of an attack under a cache of its own."""
    oracle = Oracle(target, batch_size=batch)
    return seconds(target, lambda: ask(oracle, images))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--dtype", default="auto", choices=["auto", *DTYPES])
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--attacks", default=ATTACKS)
    parser.add_argument("--not-compiled", action="store_true")
    parser.add_argument("--small", action="store_true")
    options = parser.parse_args()
    dtype = choose_dtype(choose_device(options.device), options.dtype)
    with TemporaryDirectory() as folder:
        random_pipeline(options.small, dtype).save_pretrained(folder)
        target = load_target(
            folder, device=options.device, dtype=dtype, compiled=not options.not_compiled
        )
    on_cuda = target.device.type == "cuda"
    card = torch.cuda.get_device_name(target.device) if on_cuda else target.device.type
    side, rng = target.resolution, np.random.default_rng(0)
    noise = rng.integers(0, 256, (options.images, side, side, 3), dtype=np.uint8)
    images = Candidates(noise, tuple(f"photograph {i}" for i in range(len(noise))))
    rows = bare_rows(target, options.batch_size, max(1, options.images // options.batch_size))
    print(f"{card}, {dtype}, {side} px, torch {torch.__version__}, batches of {options.batch_size}")
    print(f"bare UNet: {rows:.1f} rows/s")
    target.embed(images.captions)  # once for all attacks, as in a run
    print(f"{'attack':<20}{'images/s':>10}{'rows':>6}{'share':>7}", flush=True)
    for name in options.attacks.split(","):
        attack = make_attack(name)
        ask = getattr(attack, "features", attack)  # a learned attack asks the same to be scored

        with_attack(target, ask, images[: options.batch_size], options.batch_size)
        speed = len(images) / with_attack(target, ask, images, options.batch_size)
        price = attack.cost.price
        print(f"{name:<20}{speed:>10.2f}{price:>6}{speed * price / rows:>7.2f}", flush=True)
    if on_cuda:
        print(f"largest memory: {torch.cuda.max_memory_allocated(target.device) / 2**30:.1f} GiB")


if __name__ == "__main__":
    main()
