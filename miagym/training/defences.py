"""Defences of a training: what is done so that a model remembers less of each picture.

They change the model itself, where those of `miagym.oracle.defences` change what a service says.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from miagym.errors import RunError
from miagym.noise import row_seed

VIEWS = 16
"""Turned or cropped views of each picture, all made before the training; one is drawn a step."""

MAX_TURN, MIN_CROP, MAX_U_SHAPE, MAX_EPSILON, MAX_SMP = 180.0, 0.25, 50.0, 100.0, 100.0
EXAMPLE = (
    "mirror, turn:10 (at most so many degrees), crop:0.8 (at least that share of the side), "
    "u-shaped:4 (of timesteps), smp:1 (against a proxy attack), dp-sgd:8 (epsilon), or several of "
    "them as mirror+crop:0.8"
)
FIELDS = {"turn": "turn", "crop": "crop", "u-shaped": "u_shape", "dp-sgd": "epsilon", "smp": "smp"}


@dataclass(frozen=True)
class TrainingDefence:
    """What keeps a training from remembering single pictures; by default nothing.

    Raises:
        RunError: if a strength is beyond reason.
    """

    mirror: bool = False
    """Whether each picture is shown mirrored in half of the steps."""
    turn: float = 0.0
    """Pictures are turned by up to so many degrees, either way."""
    crop: float = 1.0
    """Pictures are cut to a random square of at least this share of the side, and scaled back."""
    u_shape: float = 0.0
    """Timesteps t of T have a density like exp(a t/T) + exp(a (1 - t/T)); 0 is even."""
    epsilon: float | None = None
    """The training is differentially private (DP-SGD) with this epsilon; None is without."""
    smp: float = 0.0
    """How much fooling a proxy attack counts beside the loss (SMP-LoRA); 0 is without."""

    def __post_init__(self) -> None:
        allowed = (
            0 <= self.turn <= MAX_TURN
            and MIN_CROP <= self.crop <= 1
            and 0 <= self.u_shape <= MAX_U_SHAPE
            and (self.epsilon is None or 0 < self.epsilon <= MAX_EPSILON)
            and 0 <= self.smp <= MAX_SMP
        )
        if not allowed:
            raise RunError(
                f"Expected a turn of 0 to {MAX_TURN:g} degrees, a crop of {MIN_CROP:g} to 1, a "
                f"u-shape of 0 to {MAX_U_SHAPE:g}, an epsilon above 0 and up to "
                f"{MAX_EPSILON:g}, and an smp of 0 to {MAX_SMP:g}, got {self}."
            )

    @classmethod
    def named(cls, name: str) -> TrainingDefence:
        """Such as "mirror+u-shaped:4"; an empty name is none.

        Raises:
            RunError: if the name is none of a defence.
        """
        given: dict[str, Any] = {}
        for part in name.split("+") if name else ():
            kind, _, strength = part.strip().partition(":")
            field = "mirror" if part.strip() == "mirror" else FIELDS.get(kind)
            try:
                value = True if field == "mirror" else float(strength)
            except ValueError:
                field, value = None, 0.0
            if field is None or field in given:
                raise RunError(
                    f"{part!r} in {name!r} is no defence of a training; expected {EXAMPLE}."
                )
            given[field] = value
        return cls(**given)

    def __str__(self) -> str:
        strengths = (
            ("turn", self.turn, 0.0),
            ("crop", self.crop, 1.0),
            ("u-shaped", self.u_shape, 0.0),
            ("smp", self.smp, 0.0),
            ("dp-sgd", self.epsilon, None),
        )
        parts = ["mirror"] if self.mirror else []
        return "+".join([*parts, *(f"{k}:{v:g}" for k, v, off in strengths if v != off)])

    @property
    def views(self) -> int:
        """How many views of each picture there are; 1 is the picture as it is."""
        return VIEWS if self.turn or self.crop < 1 else 1 + self.mirror

    def view(self, images: Tensor, keys: Sequence[str], number: int, seed: int) -> Tensor:
        """One view of pictures (n, 3, h, w), a function of the seed, the key and its number.

        Every second one is mirrored, if any is. Beyond its edge a picture is continued by its
        mirror image.
        """
        if self.turn or self.crop < 1:
            moves = [self._move(np.random.default_rng(row_seed(seed, k, number))) for k in keys]
            theta = torch.from_numpy(np.stack(moves)).to(images)
            grid = affine_grid(theta, list(images.shape), align_corners=False)
            images = grid_sample(images, grid, padding_mode="reflection", align_corners=False)
        return images.flip(-1) if self.mirror and number % 2 else images

    def _move(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """Where a view looks in its picture, in halves of the side: (2, 3) turn and place."""
        angle = math.radians(rng.uniform(-self.turn, self.turn))
        side = rng.uniform(self.crop, 1)
        place = rng.uniform(-1, 1, (2, 1)) * (1 - side)
        turned = [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
        return np.hstack([side * np.array(turned), place])


UNDEFENDED = TrainingDefence()


def drawn_timesteps(
    rng: np.random.Generator, timesteps: int, n: int, u_shape: float
) -> NDArray[np.int64]:
    """Timesteps (n,) of a step: even, or rare in the middle (Rao and Moyer 2026).

    https://arxiv.org/abs/2603.13421, "symmetric exponential", for flows, in whose middle they found
    members to show most. The exponent a is our own choice, and any schedule may have it.
    """
    if not u_shape:
        return rng.integers(timesteps, size=n)
    share = np.log1p(rng.random(n) * np.expm1(u_shape)) / u_shape  # density like exp(a x) on [0, 1]
    share = np.where(rng.random(n) < 0.5, share, 1 - share)
    return np.minimum((share * timesteps).astype(np.int64), timesteps - 1)
