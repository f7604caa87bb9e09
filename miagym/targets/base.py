"""Interface of every target: a diffusion model, its noise levels and its deterministic sampling.

Notation as in the papers: z0 a clean latent, z_t = a_t z0 + s_t eps (a_t, s_t: `schedule.signal`,
`schedule.noise`); E(z, t, c) the predicted noise, whatever the network itself predicts.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from enum import Enum
from itertools import pairwise
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from miagym.errors import TargetError
from miagym.targets.gradient_questions import GradientQuestions
from miagym.targets.rows import ForEach, for_each
from miagym.targets.schedule import Level, Move, Schedule
from miagym.targets.sizes import TOKENS as TOKENS  # whoever writes a target finds all of it here
from miagym.targets.sizes import VOCABULARY as VOCABULARY
from miagym.targets.sizes import variation_steps

Texts = Sequence[str] | Tensor
"""Prompts, or their embeddings (n, tokens, width)."""

Timesteps = ForEach
"""One timestep for all rows, or one for each row."""

FINAL = -1
"""The timestep after the last one: where sampling ends, at `schedule.final`."""


class Told(Enum):
    """What a model is told beside the noisy latent and the time."""

    TEXT = "text"
    CLASS = "class"
    """The number or name of a class; a caption has to be one."""
    NOTHING = "nothing"
    """Unconditional: captions make no difference."""


class Target(GradientQuestions, ABC):
    """A diffusion model. Tensors in and out are float32, on `device`.

    Images are (n, 3, resolution, resolution) in [-1, 1]; latents (n, *latent_shape), scaled so that
    their standard deviation is about 1. A model of pixels has images for latents.
    """

    name: str
    resolution: int
    latent_shape: tuple[int, int, int]
    device: torch.device
    schedule: Schedule
    """Of the model's own scheduler."""
    told: Told = Told.TEXT
    can_be_guided: bool = True
    """Whether the network was trained with an empty condition too."""
    clip_sample: float | None = None
    """Sampling clips what it takes for z0 to this size, as models of pixels do."""
    has_decoder: bool = True
    """Whether latents are other than pixels."""
    fingerprint: str = ""
    """A digest of the weights, so that a run knows whether it resumes on the same model."""
    provenance: Mapping[str, str] = MappingProxyType({})
    """Where it is from: "pipeline", its class; "revision", the commit of a model of the hub;
    "configuration", how a single file was read."""

    @abstractmethod
    def encode(self, images: Tensor, noise: Tensor | None = None) -> Tensor:
        """Encodes images to latents: the posterior's mean, or a sample of it.

        Args:
            images: (n, 3, resolution, resolution) in [-1, 1].
            noise: (n, *latent_shape), what the sample is drawn by: mean + deviation * noise. A
                model without a random encoder has no use for it.
        """

    @abstractmethod
    def decode(self, latents: Tensor) -> Tensor:
        """Decodes latents to images, clamped to [-1, 1]."""

    @abstractmethod
    def embed(self, prompts: Sequence[str]) -> Tensor:
        """Text embeddings (n, tokens, width): what the UNet is told instead of the prompts."""

    @abstractmethod
    def tokenize(self, prompts: Sequence[str]) -> NDArray[np.int32]:
        """Token ids (n, TOKENS), each below VOCABULARY, padded or cut to that length."""

    @abstractmethod
    def predict_noise(
        self, latents: Tensor, timestep: Timesteps, prompts: Texts, guidance_scale: float = 1.0
    ) -> Tensor:
        """Predicted noise E(z, t, c); guidance s: E(z, t, "") + s (E(z, t, c) - E(z, t, ""))."""

    @abstractmethod
    def timesteps(self, steps: int) -> list[int]:
        """The descending timesteps of DDIM sampling, as the scheduler spaces them."""

    def level(self, timestep: int) -> Level:
        """The noise level of a timestep; `FINAL` stands for the end of sampling."""
        return self.schedule.final if timestep == FINAL else self.schedule.level(timestep)

    def check_timestep(self, timestep: int) -> None:
        """Refuses what is no timestep of this model.

        Raises:
            TargetError: if it is outside 0 .. T - 1.
        """
        if not 0 <= timestep < len(self.schedule):
            raise TargetError(
                f"Expected a timestep from 0 to {len(self.schedule) - 1}, got {timestep}: "
                f"{self.name} has {len(self.schedule)} of them; name another, as in "
                f"sima(timestep={len(self.schedule) // 10})."
            )

    def each_timestep(self, timestep: Timesteps, rows: int) -> list[int]:
        """Timesteps of so many rows, one for each.

        Raises:
            DataError: if there are more or fewer than rows.
            TargetError: if one is outside 0 .. T - 1.
        """
        each = for_each(timestep, rows, "timestep")
        for t in set(each):
            self.check_timestep(t)
        return each

    def scales(self, timestep: Timesteps, like: Tensor) -> tuple[Tensor, Tensor]:
        """a_t and s_t of each row, (n, 1, 1, 1), of the kind of `like` (n, *latent_shape)."""
        each = self.each_timestep(timestep, len(like))
        signal, noise = self.schedule.signal[each], self.schedule.noise[each]
        return signal.view(-1, 1, 1, 1).to(like), noise.view(-1, 1, 1, 1).to(like)

    def add_noise(self, z0: Tensor, noise: Tensor, timestep: Timesteps) -> Tensor:
        """Noised latent z_t = a_t z0 + s_t eps (Ho et al. 2020, Eq. 4)."""
        a, s = self.scales(timestep, z0)
        return a * z0 + s * noise

    def ddim_move(self, z: Tensor, eps: Tensor, start: int, end: int) -> Tensor:
        """Moves z between timesteps, up or down (Song et al. 2021, Eq. 12, sigma = 0).

        Under flow matching this is Euler's step along the flow.

        Raises:
            TargetError: if nothing but noise is left at `start`.
        """
        return self.level(end).mix(self.level(start).clean(z, eps), eps)

    def moves(self, steps: int, side: int | None = None) -> list[Move]:
        """The moves of sampling in so many steps, from pure noise to the end.

        Args:
            steps: how many.
            side: of the latents, where it is another than the model's own.
        """
        levels = [self.level(t) for t in (*self.timesteps(steps), FINAL)]
        return [Move(start, end) for start, end in pairwise(levels)]

    def generate(
        self, noise: Tensor, prompts: Sequence[str], steps: int, guidance_scale: float
    ) -> Tensor:
        """Generates images from text deterministically, from the given noise, shaped as latents."""
        return self.decode(self.denoise(noise, self.moves(steps), prompts, guidance_scale))

    def vary(
        self,
        z0: Tensor,
        noise: Tensor,
        prompts: Sequence[str],
        strength: float,
        steps: int,
        guidance_scale: float,
    ) -> Tensor:
        """Varies images (SDEdit, Meng et al. 2022): noises the latent partly and denoises it."""
        moves = self.moves(steps)[steps - variation_steps(strength, steps) :]
        z = moves[0].start.mix(z0, noise)
        return self.decode(self.denoise(z, moves, prompts, guidance_scale))

    def inpaint(
        self,
        z0: Tensor,
        hidden: Tensor,
        noise: Tensor,
        prompts: Sequence[str],
        strength: float,
        steps: int,
        guidance_scale: float,
    ) -> Tensor:
        """Paints hidden parts of images anew (Blended Latent Diffusion, Avrahami et al. 2023).

        A variation, but that after each move everything else is the picture's own, noised to that
        level by the same noise. `hidden` (n, 1, height, width) is 1 where latents are painted anew,
        0 elsewhere.
        """
        moves = self.moves(steps)[steps - variation_steps(strength, steps) :]
        z = moves[0].start.mix(z0, noise)
        for move in moves:
            painted = self.denoise(z, [move], prompts, guidance_scale)
            z = hidden * painted + (1 - hidden) * move.end.mix(z0, noise)
        # Where sampling ends, some models have a little noise left.
        return self.decode(hidden * z + (1 - hidden) * z0)

    def denoise(
        self, z: Tensor, moves: Sequence[Move], prompts: Sequence[str], guidance_scale: float
    ) -> Tensor:
        """Latents at the end of these moves, from latents z at the start of the first."""
        for move in moves:
            eps, z0 = self.noise_and_clean(z, move.start, prompts, guidance_scale)
            if self.clip_sample is not None:
                z0 = z0.clamp(-self.clip_sample, self.clip_sample)
            z = move.end.mix(z0, eps)
        return z

    def noise_and_clean(
        self, z: Tensor, level: Level, prompts: Sequence[str], guidance_scale: float
    ) -> tuple[Tensor, Tensor]:
        """Predicted noise and z0 at a noise level of sampling."""
        eps = self.predict_noise(z, int(level.time), prompts, guidance_scale)
        return eps, level.clean(z, eps)
