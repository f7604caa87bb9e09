"""Gradients of a target's denoising loss: by latents, pixels, text embeddings and parameters."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from miagym.targets.base import Target, Texts, Timesteps

HALF_PRECISION_SCALE = 1024.0
"""Losses are scaled before they are differentiated, so that small gradients survive float16."""

GRAPH_ELEMENTS = 16_384
"""Numbers in the latents of one graph by the weights: one row of Stable Diffusion at 512 pixels,
whose graph is large, or a dozen of a small model."""


class DifferentiableTarget(Target):
    """Target that autograd differentiates; rows never influence each other's gradient."""

    has_gradients = True
    dtype: torch.dtype = torch.float32

    @abstractmethod
    def eps(self, z: Tensor, timestep: Timesteps, embeddings: Tensor) -> Tensor:
        """Predicted noise E(z, t, c) (n, *latent_shape), differentiable."""

    @abstractmethod
    def latents(self, images: Tensor) -> Tensor:
        """Latents z0 (n, *latent_shape) of images, differentiable."""

    @abstractmethod
    def decoded(self, latents: Tensor) -> Tensor:
        """Images of latents before they are clamped, differentiable."""

    @abstractmethod
    def parameters(self) -> Sequence[Tensor]:
        """Parameter tensors of `parameter_gradient_norms`."""

    def condition(self, prompts: Texts) -> Tensor:
        """Text embeddings (n, tokens, width) of prompts, or embeddings as they are."""
        return prompts if isinstance(prompts, Tensor) else self.embed(prompts)

    def decoder_gradient(self, latents: Tensor, weights: Tensor) -> Tensor:
        z, v = latents.clone().requires_grad_(), weights.clone()
        with torch.enable_grad():
            total = (self.decoded(z) * v).sum() * self._scale
            (gradient,) = torch.autograd.grad(total, z)
        return gradient.float() / self._scale

    def latent_gradient(
        self, latents: Tensor, timestep: int, prompts: Texts, noise: Tensor
    ) -> Tensor:
        embeddings = self.condition(prompts).clone()
        return self._gradient(latents, lambda z: self.eps(z, timestep, embeddings) - noise)

    def pixel_gradient(
        self, images: Tensor, timestep: int, prompts: Texts, noise: Tensor
    ) -> Tensor:
        embeddings = self.condition(prompts).clone()

        def error(x: Tensor) -> Tensor:
            z_t = self.add_noise(self.latents(x), noise, timestep)
            return self.eps(z_t, timestep, embeddings) - noise

        return self._gradient(images, error)

    def embedding_gradient(
        self, latents: Tensor, timestep: int, embeddings: Tensor, noise: Tensor
    ) -> Tensor:
        z = latents.clone()
        return self._gradient(embeddings, lambda e: self.eps(z, timestep, e) - noise)

    def _gradient(self, by: Tensor, error: Callable[[Tensor], Tensor]) -> Tensor:
        variable = by.clone().requires_grad_()
        with torch.enable_grad():
            square = error(variable).pow(2).sum() * self._scale
            (gradient,) = torch.autograd.grad(square, variable)
        return gradient.float() / self._scale

    def parameter_gradient_norms(
        self, latents: Tensor, timesteps: Sequence[int], prompts: Texts, noise: Tensor
    ) -> Tensor:
        parameters, norms = list(self.parameters()), []
        rows = max(1, GRAPH_ELEMENTS // latents[0, 0].numel())
        for z, embedding, eps in zip(latents, self.condition(prompts), noise, strict=True):
            total = [torch.zeros_like(p, dtype=torch.float32) for p in parameters]
            for part in torch.arange(len(timesteps)).split(rows):
                with torch.enable_grad():
                    words = embedding.expand(len(part), *embedding.shape).clone()
                    visited = [timesteps[i] for i in part.tolist()]
                    predicted = self.eps(z[part].clone(), visited, words)
                    loss = (predicted - eps[part]).pow(2).flatten(1).mean(1).sum() * self._scale
                    # Frozen or unused parameters have no gradient; their norm is 0.
                    gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
                for sum_, gradient in zip(total, gradients, strict=True):
                    if gradient is not None:
                        sum_ += gradient.float() / (self._scale * len(timesteps))
            norms.append(torch.stack([gradient.norm() for gradient in total]))
        return torch.stack(norms)

    @property
    def _scale(self) -> float:
        return 1.0 if self.dtype == torch.float32 else HALF_PRECISION_SCALE
