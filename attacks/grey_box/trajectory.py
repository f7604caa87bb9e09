"""Noises a latent and walks it through denoising timesteps: a member strays less from itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import product

import torch
from torch import Tensor

from attacks.base import Attack, Scores, as_scores, mean_square
from attacks.grey_box.trajectory_settings import KNOBS
from miagym.oracle import FINAL, Access, AttackError, Candidates, Oracle


class Signal(Enum):
    """What is measured at a visited timestep t; lower for members."""

    LOSS = "loss"
    """Mean of (eps - E(z_t, t, c))², of the half that knows the caption."""
    LATENT = "latent"
    """Mean of (z_prev - z0)², where z_prev is the latent after the DDIM step from t."""
    PIXEL = "pixel"
    """Mean of |255 x - 255 decode(z_prev)|."""

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True)
class Visit:
    """What happened at one visited timestep: eps, E(z_t, t, c) and z_prev, each as a latent."""

    eps: Tensor
    predicted: Tensor
    z_prev: Tensor


@dataclass(frozen=True)
class Trajectory(Attack):
    """One loop over DDIM timesteps, with the knobs of the paper's sixteen settings.

    Dubiński et al., Towards More Realistic Membership Inference Attacks on Large Diffusion Models,
    WACV 2024, arXiv 2306.12983. Grey box: whoever steers the loop needs encoder and latents. (The
    paper counts the loss as white box, the latent as grey, the pixels as black; what a black box
    can do is `TextToImage`.) Faithful in its formulas: under the same noise and timesteps the
    authors' code gives the same losses and latent errors (rank correlation 1.000000; partial
    denoising and reversed noising, 64 + 64 drawings of clipart-overfit). The numbers are ours where
    the paper's are not known, first of all the short grid of 3 timesteps. Paired noise, and z0 is
    the posterior's mean, where the reference samples it. From the authors' code it departs in:

    - Text shift: theirs shifts both halves of guidance, the empty prompt by noise of its own; ours
      the caption alone. All errors differ but the first visit's loss, which is the caption's half.
    - Not iterative: theirs noises z0 to all t with one eps; ours has another for each noise level.
      Each t's error by itself is distributed alike, several together are not.
    - Timesteps: on SD 1.x their scheduler visits 301, 201, 101 (steps_offset 1), ours are 300, 200,
      100; start=301, stop=101 gives theirs.
    - Pixel error: theirs rounds the decoded picture to 8 bits, ours does not. Rank correlation at
      least 0.99995, AUC within 0.0006 (as above).
    - Pictures: theirs resizes bilinearly; here all attacks get the same, resized by Lanczos.

    z starts as z0 noised to `noise_step`. At each visited t: E = E(z, t, "") + s (E(z, t, c) -
    E(z, t, "")), z_prev = phi(z, t -> t - stride). Score: -`signal` at `position`, averaged over
    draws. The paper takes the timestep that is best on its test data; calibration chooses here.

    Costs 1 encode, and for each draw and timestep up to `position` (only that timestep, if not
    iterative) 1 UNet row, 2 with guidance; 1 decode a draw for pixels.

    Args:
        start: the first t.
        stop: the last t.
        stride: from one t to the next.
        noise_step: the noise level at which the latent enters.
        iterative: continue from z_prev; otherwise z0 is noised afresh for each t, to t.
        fix_noise_step: if not iterative, to `noise_step` instead, whatever t the model is told.
        reverse: visit in ascending order; each step still goes from t to t - stride.
        guidance_scale: s; 1 is off. 7.5 is ours.
        text_shift: scale of Gaussian noise on the caption's embeddings, one draw for a whole walk.
        latent_shift: index of the visit before which unit noise is added to z.
        draws: draws of noise. The paper's value is 5; 1 is ours, for its cost.
        signal: what is measured.
        position: index of the visit at which it is measured.
    """

    access = Access.GREY
    paper = "Dubiński et al. 2024, arXiv 2306.12983"

    start: int = 300
    stop: int = 100
    stride: int = 100
    noise_step: int = 300
    iterative: bool = True
    fix_noise_step: bool = False
    reverse: bool = False
    guidance_scale: float = 7.5
    text_shift: float = 0.0
    latent_shift: int | None = None
    draws: int = 1
    signal: Signal = Signal.LATENT
    position: int = -1

    def __post_init__(self) -> None:
        places = len(self.visited()) if self.stride > 0 else 0
        if self.draws < 1 or self.stop < 0 or not -places <= self.position < places:
            raise AttackError(
                "Expected draws, timesteps from start down to stop >= 0, and a position among "
                f"them, got {self}."
            )

    def visited(self) -> list[int]:
        """The timesteps in the order of the walk."""
        descending = list(range(self.start, self.stop - 1, -self.stride))
        return descending[::-1] if self.reverse else descending

    def __call__(self, oracle: Oracle, candidates: Candidates) -> Scores:
        errors = self.errors(oracle, candidates, [self.signal], [self._index])
        return as_scores(-errors[:, 0, 0])

    def variants(self) -> tuple[Attack, ...]:
        places = product(Signal, range(len(self.visited())))
        others = [place for place in places if place != (self.signal, self._index)]
        return (self, *(replace(self, signal=s, position=i) for s, i in others))

    def errors(
        self,
        oracle: Oracle,
        candidates: Candidates,
        signals: Sequence[Signal],
        positions: Sequence[int],
    ) -> Tensor:
        """Errors (n, positions, signals) of one walk, averaged over draws; positions from 0."""
        z0 = oracle.encode(candidates)
        embeddings = oracle.embed(candidates) if self.text_shift else None
        draws = []
        for draw in range(self.draws):
            visits = self._walk(oracle, candidates, z0, embeddings, positions, draw)
            errors = [
                _error(signal, oracle, candidates, z0, visits[i])
                for i in positions
                for signal in signals
            ]
            draws.append(torch.stack(errors, dim=1))
        return torch.stack(draws).mean(0).unflatten(1, (len(positions), len(signals)))

    @property
    def _index(self) -> int:
        return range(len(self.visited()))[self.position]

    def _asked(self, positions: Sequence[int]) -> Sequence[int]:
        """The visits that have to be made so that those at `positions` are known."""
        return range(max(positions) + 1) if self.iterative else positions

    def _walk(
        self,
        oracle: Oracle,
        candidates: Candidates,
        z0: Tensor,
        embeddings: Tensor | None,
        positions: Sequence[int],
        draw: int,
    ) -> dict[int, Visit]:
        if embeddings is not None:
            shape = tuple(embeddings.shape[1:])
            unit = oracle.noise_of(candidates, shape, "text shift", draw)
            embeddings = embeddings + self.text_shift * unit
        visits = {}
        eps, z = _noised(oracle, candidates, z0, self.noise_step, draw)
        for i in self._asked(positions):
            t = self.visited()[i]
            if not self.iterative:
                level = self.noise_step if self.fix_noise_step else t
                eps, z = _noised(oracle, candidates, z0, level, draw)
            if i == self.latent_shift:
                z = z + oracle.noise_of(candidates, tuple(z.shape[1:]), "latent shift", draw)
            # The halves of guidance are asked for one by one: the loss needs the first alone.
            predicted = guided = oracle.predict_noise(candidates, z, t, prompts=embeddings)
            if self.guidance_scale != 1:
                empty = oracle.predict_noise(candidates, z, t, prompts="")
                guided = empty + self.guidance_scale * (predicted - empty)
            z = oracle.ddim_move(z, guided, t, t - self.stride if t >= self.stride else FINAL)
            visits[i] = Visit(eps, predicted, z)
        return visits


def _noised(
    oracle: Oracle, candidates: Candidates, z0: Tensor, level: int, draw: int
) -> tuple[Tensor, Tensor]:
    """The paired noise of a noise level, and z0 noised by it."""
    eps = oracle.noise(candidates, level, draw)
    return eps, oracle.add_noise(z0, eps, level)


def _error(
    signal: Signal, oracle: Oracle, candidates: Candidates, z0: Tensor, visit: Visit
) -> Tensor:
    """The signal of each candidate at one visit (n,)."""
    if signal is Signal.LOSS:
        return mean_square(visit.eps - visit.predicted)
    if signal is Signal.LATENT:
        return mean_square(visit.z_prev - z0)
    difference = oracle.pixels(candidates) - oracle.decode(candidates, visit.z_prev)
    return 255 * difference.abs().flatten(1).mean(1)


SETTINGS = {name: Trajectory(**knobs) for name, knobs in KNOBS.items()}
"""The paper's sixteen settings by its scripts' names."""
