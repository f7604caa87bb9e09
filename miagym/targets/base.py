"""Interface of every target: a latent diffusion model and its DDIM steps.

Notation as in the papers: z0 a clean latent, z_t = sqrt(ab_t) z0 + sqrt(1 - ab_t) eps, with
ab_t = `alphas_cumprod[t]`; E(z, t, c) the predicted noise.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from miagym.errors import DataError, TargetError
from miagym.targets.rows import ForEach, for_each

Texts = Sequence[str] | Tensor
"""Prompts, or their embeddings (n, tokens, width)."""

Timesteps = ForEach
"""One timestep for all rows, or one for each row."""

TOKENS, VOCABULARY = 77, 49408
"""Tokens of a prompt, and how many different ones there are, as in CLIP's text encoder."""

FINAL = -1
"""The timestep after the last one: where DDIM ends, at `final_alpha_cumprod`."""


class Target(ABC):
    """A text-to-image latent diffusion model. Tensors in and out are float32, on `device`.

    Images are (n, 3, resolution, resolution) in [-1, 1]; latents (n, *latent_shape), scaled so that
    their standard deviation is about 1.
    """

    name: str
    resolution: int
    latent_shape: tuple[int, int, int]
    device: torch.device
    alphas_cumprod: Tensor
    """ab_t for t = 0 .. T - 1, float64 on the CPU, from the model's own scheduler."""
    final_alpha_cumprod: float
    has_gradients: bool = False
    fingerprint: str = ""
    """A digest of the weights, so that a run knows whether it resumes on the same model."""

    @abstractmethod
    def encode(self, images: Tensor) -> Tensor:
        """Encodes images to latents: the posterior's mean, so that nothing is random."""

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

    def latent_gradient(
        self, latents: Tensor, timestep: int, prompts: Texts, noise: Tensor
    ) -> Tensor:
        """Gradient of each row's ||E(z, t, c) - noise||² (sum over elements) by z, shaped as z."""
        raise self.no_gradients()

    def pixel_gradient(
        self, images: Tensor, timestep: int, prompts: Texts, noise: Tensor
    ) -> Tensor:
        """Gradient of each row's ||E(z_t, t, c) - noise||² by the image, through the encoder."""
        raise self.no_gradients()

    def embedding_gradient(
        self, latents: Tensor, timestep: int, embeddings: Tensor, noise: Tensor
    ) -> Tensor:
        """Gradient of each row's ||E(z, t, e) - noise||² by e, shaped as the embeddings."""
        raise self.no_gradients()

    def parameter_gradient_norms(
        self, latents: Tensor, timesteps: Sequence[int], prompts: Texts, noise: Tensor
    ) -> Tensor:
        """L2 norms (n, parameter tensors) of the gradient of each row's loss by the UNet.

        The loss is the mean square of E(z, t, c) - noise, averaged over k timesteps; latents and
        noise are (n, k, *latent_shape).
        """
        raise self.no_gradients()

    def no_gradients(self) -> TargetError:
        """Error of a target without gradients; the oracle raises it before it charges."""
        return TargetError(
            f"{self.name} gives no gradients; use an attack of grey access or below."
        )

    def alpha_bar(self, timestep: int) -> float:
        """ab_t of a timestep; `FINAL` stands for the end of sampling."""
        if timestep == FINAL:
            return self.final_alpha_cumprod
        return float(self.alphas_cumprod[timestep])

    def check_timestep(self, timestep: int) -> None:
        """Refuses what is no timestep of this model.

        Raises:
            DataError: if it is outside 0 .. T - 1.
        """
        if not 0 <= timestep < len(self.alphas_cumprod):
            raise DataError(
                f"Expected a timestep from 0 to {len(self.alphas_cumprod) - 1}, got {timestep}."
            )

    def each_timestep(self, timestep: Timesteps, rows: int) -> list[int]:
        """Timesteps of so many rows, one for each.

        Raises:
            DataError: if there are more or fewer than rows, or one is outside 0 .. T - 1.
        """
        each = for_each(timestep, rows, "timestep")
        for t in set(each):
            self.check_timestep(t)
        return each

    def mix(self, a: Tensor, b: Tensor, timestep: Timesteps) -> Tensor:
        """Mixture sqrt(ab_t) a + sqrt(1 - ab_t) b, both (n, channels, height, width)."""
        ab = self.alphas_cumprod[self.each_timestep(timestep, len(a))].view(-1, 1, 1, 1)
        return ab.sqrt().to(a) * a + (1 - ab).sqrt().to(a) * b

    def add_noise(self, z0: Tensor, noise: Tensor, timestep: Timesteps) -> Tensor:
        """Noised latent z_t = sqrt(ab_t) z0 + sqrt(1 - ab_t) eps (Ho et al. 2020, Eq. 4)."""
        return self.mix(z0, noise, timestep)

    def ddim_move(self, z: Tensor, eps: Tensor, start: int, end: int) -> Tensor:
        """Moves z between timesteps, up or down (Song et al. 2021, Eq. 12, sigma = 0)."""
        ab, ab_end = self.alpha_bar(start), self.alpha_bar(end)
        x0 = (z - (1 - ab) ** 0.5 * eps) / ab**0.5
        return ab_end**0.5 * x0 + (1 - ab_end) ** 0.5 * eps

    def generate(
        self, noise: Tensor, prompts: Sequence[str], steps: int, guidance_scale: float
    ) -> Tensor:
        """Generates images from text by DDIM, from the given noise, shaped as latents."""
        return self.decode(self._denoise(noise, self.timesteps(steps), prompts, guidance_scale))

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
        timesteps = self.timesteps(steps)[steps - variation_steps(strength, steps) :]
        z = self.add_noise(z0, noise, timesteps[0])
        return self.decode(self._denoise(z, timesteps, prompts, guidance_scale))

    def _denoise(
        self, z: Tensor, timesteps: list[int], prompts: Sequence[str], guidance_scale: float
    ) -> Tensor:
        for t, following in zip(timesteps, [*timesteps[1:], FINAL], strict=True):
            z = self.ddim_move(z, self.predict_noise(z, t, prompts, guidance_scale), t, following)
        return z


def variation_steps(strength: float, steps: int) -> int:
    """Number of sampling steps that a variation of this strength in (0, 1] runs: at least one.

    Raises:
        TargetError: if the strength is outside (0, 1] or there is no step.
    """
    if not 0 < strength <= 1 or steps < 1:
        raise TargetError(
            f"A variation needs a strength in (0, 1] and at least one step, "
            f"got {strength} and {steps}."
        )
    return max(1, min(steps, int(strength * steps)))
