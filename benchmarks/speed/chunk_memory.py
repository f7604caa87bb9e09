"""Bytes that each attack keeps for a candidate in the cache of a chunk, at the size of SD 1.x.

    python benchmarks/speed/chunk_memory.py [--attacks loss secmi rediffuse]

A dry run on one candidate of 512 x 512 pixels. The target has the shapes of Stable Diffusion 1.x,
(4, 64, 64) latents of (3, 512, 512) pictures, and no network: what an answer takes is decided by
its shape, in float32 as the oracle keeps it. Prints a table in Markdown: with the settings that an
attack has by itself, and with all the variants that a calibration part tries.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from attacks import attack_names, make_attack
from attacks.base import Attack, LearnedAttack
from attacks.registry import blind_names
from miagym.candidates import Candidates
from miagym.errors import MiagymError
from miagym.oracle import Oracle
from miagym.oracle.cache import Cache
from miagym.targets.dummy import DummyTarget

SIDE, DOWN, CHANNELS = 512, 8, 4


class ShapesOnly(DummyTarget):
    """Answers of the shapes that Stable Diffusion 1.x gives, by no network."""

    def __init__(self, training: Candidates) -> None:
        super().__init__(training)
        self.latent_shape = (CHANNELS, SIDE // DOWN, SIDE // DOWN)

    def latents(self, images: Tensor) -> Tensor:
        colours = avg_pool2d(images, DOWN)
        return torch.cat([colours, colours.mean(1, keepdim=True)], 1)

    def decoded(self, latents: Tensor) -> Tensor:
        return interpolate(latents[:, :3], scale_factor=DOWN, mode="nearest")


def kept(attacks: Sequence[Attack], target: ShapesOnly, candidate: Candidates) -> int:
    """Bytes in one cache once all of these have asked about a candidate."""
    cache = Cache()
    reference = Oracle(target, cache=Cache())
    for attack in attacks:
        oracle = Oracle(target, attack.access, cache=cache, reference=reference)
        if isinstance(attack, LearnedAttack):
            attack.features(oracle, candidate)
        else:
            attack(oracle, candidate)
    return cache.kept_bytes


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--attacks", nargs="+", default=[n for n in attack_names() if n not in blind_names()]
    )
    args = parser.parse_args()
    noise = np.random.default_rng(0).integers(0, 256, (2, SIDE, SIDE, 3), dtype=np.uint8)
    pictures = Candidates(noise, ("a black cat on a mat", "a dog in the fog"))
    target, everything = ShapesOnly(pictures[:1]), []
    print("| attack | MB a candidate | with all variants |\n|---|---|---|")
    for name in args.attacks:
        attack = make_attack(name)
        try:
            sizes = [kept(each, target, pictures[1:]) for each in ([attack], attack.variants())]
        except MiagymError as error:
            print(f"| `{name}` | not asked: {error} | |")
            continue
        everything.append(attack)
        print(
            "| `{}` | {} |".format(name, " | ".join(f"{size / 1e6:.2f}" for size in sizes)),
            flush=True,
        )
    together = kept(everything, target, pictures[1:])
    print(f"| all of these, sharing one cache | {together / 1e6:.2f} | |")


if __name__ == "__main__":
    main()
