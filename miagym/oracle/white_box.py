"""The white-box half of the oracle: the questions that gradients answer."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from torch import Tensor

from miagym.candidates import Candidates
from miagym.errors import DataError
from miagym.oracle.access import Access
from miagym.oracle.base import Conditions, Door, pick
from miagym.oracle.budget import Cost
from miagym.oracle.cache import digest

BACKWARD = Cost(queries=1, unet_rows=1, backward_rows=1)
"""One latent through the UNet and back."""


class GradientQuestions(Door):
    """Questions of white access; `Oracle` has them. Noise and latents are (n, *latent_shape).

    Losses are squared distances ||E(z, t, c) - noise||², summed over the elements of a row, so that
    the gradient of a row is the same in any batch.
    """

    def latent_gradient(
        self,
        candidates: Candidates,
        latents: Tensor,
        timestep: int,
        noise: Tensor,
        *,
        prompts: Conditions = None,
    ) -> Tensor:
        """Gradient of the loss at latents z by z. Costs 1 query, 1 UNet row, 1 backward row."""
        for tensor in (latents, noise):
            self._check_latents(candidates, tensor, timestep)
        texts, names = self._conditions(candidates, prompts)

        def compute(rows: list[int]) -> Tensor:
            ask = self._target.latent_gradient
            return ask(latents[rows], timestep, pick(texts, rows), noise[rows])

        asked = zip(digest(latents), digest(noise), names, strict=True)
        keys = [("latent_gradient", timestep, *row) for row in asked]
        return self._differentiate(candidates, keys, compute, BACKWARD)

    def pixel_gradient(
        self,
        candidates: Candidates,
        images: Tensor,
        timestep: int,
        noise: Tensor,
        *,
        prompts: Conditions = None,
    ) -> Tensor:
        """Gradient of the loss of noised images by the images (n, 3, size, size) in [0, 1].

        Costs 1 query, 1 encode, 1 UNet row, 1 backward row.
        """
        self._check_latents(candidates, noise, timestep)
        if images.shape != self.pixels(candidates).shape:
            raise DataError(
                f"Expected images of shape {tuple(self.pixels(candidates).shape)}, "
                f"got {tuple(images.shape)}."
            )
        texts, names = self._conditions(candidates, prompts)

        def compute(rows: list[int]) -> Tensor:
            ask, pixels = self._target.pixel_gradient, images[rows] * 2 - 1
            return 2 * ask(pixels, timestep, pick(texts, rows), noise[rows])

        asked = zip(digest(images), digest(noise), names, strict=True)
        keys = [("pixel_gradient", timestep, *row) for row in asked]
        return self._differentiate(candidates, keys, compute, BACKWARD + Cost(encodes=1))

    def embedding_gradient(
        self,
        candidates: Candidates,
        latents: Tensor,
        timestep: int,
        noise: Tensor,
        embeddings: Tensor,
    ) -> Tensor:
        """Gradient of the loss under text embeddings (n, tokens, width) by the embeddings.

        Costs 1 query, 1 UNet row, 1 backward row.
        """
        for tensor in (latents, noise):
            self._check_latents(candidates, tensor, timestep)
        _, names = self._conditions(candidates, embeddings)

        def compute(rows: list[int]) -> Tensor:
            ask = self._target.embedding_gradient
            return ask(latents[rows], timestep, embeddings[rows], noise[rows])

        asked = zip(digest(latents), digest(noise), names, strict=True)
        keys = [("embedding_gradient", timestep, *row) for row in asked]
        return self._differentiate(candidates, keys, compute, BACKWARD)

    def parameter_gradient_norms(
        self,
        candidates: Candidates,
        latents: Tensor,
        timesteps: Sequence[int],
        noise: Tensor,
        *,
        prompts: Conditions = None,
    ) -> Tensor:
        """L2 norms (n, parameter tensors) of the gradient of each candidate's loss by the UNet.

        The loss is the mean square, averaged over k timesteps. Costs 1 query, k UNet rows, k
        backward rows.

        Args:
            candidates: whose latents they are.
            latents: (n, k, *latent_shape).
            timesteps: k of them.
            noise: (n, k, *latent_shape).
            prompts: texts or embeddings, by default the captions.
        """
        if not len(timesteps) == latents.shape[1] == noise.shape[1]:
            raise DataError(
                f"Expected latents and noise (n, {len(timesteps)}, ...) for {len(timesteps)} "
                f"timesteps, got {tuple(latents.shape)} and {tuple(noise.shape)}."
            )
        for i, t in enumerate(timesteps):
            for tensor in (latents, noise):
                self._check_latents(candidates, tensor[:, i], t)
        texts, names = self._conditions(candidates, prompts)

        def compute(rows: list[int]) -> Tensor:
            ask = self._target.parameter_gradient_norms
            return ask(latents[rows], timesteps, pick(texts, rows), noise[rows])

        asked = zip(digest(latents), digest(noise), names, strict=True)
        keys = [("gradient_norms", *timesteps, *row) for row in asked]
        cost = Cost(queries=1, unet_rows=len(timesteps), backward_rows=len(timesteps))
        return self._differentiate(candidates, keys, compute, cost)

    def _differentiate(
        self,
        candidates: Candidates,
        keys: Sequence[tuple[Hashable, ...]],
        compute: Callable[[list[int]], Tensor],
        cost: Cost,
    ) -> Tensor:
        self._require("gradients", Access.WHITE)
        if not self._target.has_gradients:
            raise self._target.no_gradients()
        self._charge("gradients", Access.WHITE, candidates, cost)
        return self._fetch(keys, compute, cost)
