"""Partial denoising and reversed noising, from the seed paper's family of trajectory attacks."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from enum import Enum

from torch import Tensor

from attacks.base import Attack, Scores, as_scores, mean_square
from miagym.access import Access
from miagym.budget import Cost
from miagym.data.candidates import Candidates
from miagym.oracle import Oracle


class Signal(Enum):
    """Where the result is compared with the candidate."""

    LATENT = "latent"
    """Mean of (z - z0)²."""
    PIXEL = "pixel"
    """Mean of |255 x - 255 decode(z)|."""

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True)
class TrajectoryAttack(Attack):
    """Noises the latent to `start`, walks through timesteps, and compares where it ends.

    Dubiński et al., WACV 2024, arXiv 2306.12983. The numeric values are ours: the paper's are not
    known. The paper counts the pixel signal as black box; an attacker who steers the loop needs the
    latents, so it is grey here, and `Variation` is what a black box can do.

    Args:
        start: the noise level at which the latent enters.
        stride: timesteps between two steps.
        signal: what is compared.
    """

    access = Access.GREY
    paper = "Dubiński et al. 2024, arXiv 2306.12983"

    start: int = 300
    stride: int = 100
    signal: Signal = Signal.LATENT

    @abstractmethod
    def visited(self) -> list[int]:
        """The timesteps in the order of the walk; each step goes from t to t - stride."""

    def __call__(self, oracle: Oracle, candidates: Candidates) -> Scores:
        z0 = oracle.encode(candidates)
        z = oracle.add_noise(z0, oracle.noise(candidates, self.start), self.start)
        for t in self.visited():
            eps = oracle.predict_noise(candidates, z, t)
            z = oracle.ddim_move(z, eps, t, t - self.stride)
        return as_scores(-self._error(oracle, candidates, z, z0))

    def _error(self, oracle: Oracle, candidates: Candidates, z: Tensor, z0: Tensor) -> Tensor:
        if self.signal is Signal.LATENT:
            return mean_square(z - z0)
        difference = oracle.pixels(candidates) - oracle.decode(candidates, z)
        return 255 * difference.abs().flatten(1).mean(1)

    @property
    def cost(self) -> Cost:
        rows = len(self.visited())
        decoding = Cost(queries=1, decodes=1) * (self.signal is Signal.PIXEL)
        return Cost(queries=rows + 1, unet_rows=rows, encodes=1) + decoding


@dataclass(frozen=True)
class PartialDenoising(TrajectoryAttack):
    """From `start` down to 0. Costs start / stride UNet rows, 1 encode, 1 decode for pixels."""

    def visited(self) -> list[int]:
        return list(range(self.start, 0, -self.stride))


@dataclass(frozen=True)
class ReversedNoising(TrajectoryAttack):
    """The same timesteps in ascending order: the model is told least noise first.

    Costs start / stride UNet rows, 1 encode, 1 decode for pixels.
    """

    def visited(self) -> list[int]:
        return list(range(self.stride, self.start + 1, self.stride))
