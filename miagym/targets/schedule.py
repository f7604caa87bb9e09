"""How much signal and how much noise a model mixes at each timestep.

Notation as in the papers: z_t = a_t z0 + s_t eps. Variance-preserving models (DDPM, Stable
Diffusion) have a_t² = ab_t and s_t² = 1 - ab_t; flow matching (SD3, FLUX) has a_t = 1 - t/T and
s_t = t/T.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import torch
from torch import Tensor

from miagym.errors import TargetError


class Predicts(Enum):
    """What the network of a model answers, as its scheduler's configuration calls it."""

    NOISE = "epsilon"
    VELOCITY = "v_prediction"
    """v = a_t eps - s_t z0 (Salimans and Ho 2022, variance-preserving)."""
    SAMPLE = "sample"
    """z0 itself."""
    FLOW = "flow"
    """v = eps - z0 (Lipman et al. 2023; rectified flow)."""


@dataclass(frozen=True)
class Level:
    """One noise level: the time that the network is told, and the scales of signal and noise."""

    time: float
    signal: float
    """a_t."""
    noise: float
    """s_t."""

    def clean(self, z: Tensor, eps: Tensor) -> Tensor:
        """z0 that this noise leaves: (z - s_t eps) / a_t.

        Raises:
            TargetError: if nothing but noise is left at this level.
        """
        if self.signal == 0:
            raise TargetError(
                f"Nothing but noise is left at timestep {self.time:g} of this model, from which "
                "predicted noise tells no image; ask at a lower timestep."
            )
        return (z - self.noise * eps) / self.signal

    def mix(self, z0: Tensor, eps: Tensor) -> Tensor:
        """a_t z0 + s_t eps."""
        return self.signal * z0 + self.noise * eps


@dataclass(frozen=True)
class Move:
    """One step of sampling, from a noise level to a lower one."""

    start: Level
    end: Level


@dataclass(frozen=True)
class Schedule:
    """Scales of signal and noise at timesteps 0 .. T - 1, each float64 (T,) on the CPU."""

    signal: Tensor
    """a_t."""
    noise: Tensor
    """s_t."""
    alphas_cumprod: Tensor
    """ab_t, of equal signal-to-noise ratio where the model is a flow: a_t² / (a_t² + s_t²)."""
    final: Level
    """Where sampling ends."""

    @classmethod
    def variance_preserving(cls, alphas_cumprod: Tensor, final: float) -> Schedule:
        """a_t² = ab_t, s_t² = 1 - ab_t; DDIM ends at ab = `final` (Song et al. 2021)."""
        ab = alphas_cumprod.cpu().double()
        return cls(ab.sqrt(), (1 - ab).sqrt(), ab, Level(0, final**0.5, (1 - final) ** 0.5))

    @classmethod
    def flow(cls, timesteps: int) -> Schedule:
        """s_t = t/T, a_t = 1 - t/T: the time is that which the network is told."""
        s = torch.arange(timesteps, dtype=torch.float64) / timesteps
        a = 1 - s
        return cls(a, s, a**2 / (a**2 + s**2), Level(0, 1, 0))

    def __len__(self) -> int:
        return len(self.signal)

    def level(self, timestep: int) -> Level:
        return Level(timestep, float(self.signal[timestep]), float(self.noise[timestep]))


def noise_and_clean(
    output: Tensor, z: Tensor, signal: Tensor | float, noise: Tensor | float, predicts: Predicts
) -> tuple[Tensor, Tensor | None]:
    """Predicted noise and z0 of what a network answered at z_t.

    z0 is None where the network predicts noise, which alone tells it: `Level.clean`.
    """
    if predicts is Predicts.NOISE:
        return output, None
    if predicts is Predicts.VELOCITY:
        return signal * output + noise * z, signal * z - noise * output
    if predicts is Predicts.FLOW:
        return z + signal * output, z - noise * output
    return (z - signal * output) / noise, output
