"""Questions of white-box access: gradients of the denoising loss.

Losses are squared distances ||E(z, t, c) - noise||², summed over the elements of a row, so that the
gradient of a row is the same in any batch. Noise and latents are (n, *latent_shape).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from miagym.candidates import Candidates
from miagym.errors import DataError
from miagym.oracle.access import Access
from miagym.oracle.budget import Cost
from miagym.oracle.cache import digest
from miagym.oracle.costs import BACKWARD
from miagym.oracle.inputs import Conditions, check_latents, check_told, conditions_of, pick

if TYPE_CHECKING:
    from miagym.oracle.oracle import Oracle


def latent_gradient(
    self: Oracle,
    candidates: Candidates,
    latents: Tensor,
    timestep: int,
    noise: Tensor,
    *,
    prompts: Conditions = None,
) -> Tensor:
    """Gradient of the loss at latents z by z. Costs 1 query, 1 UNet row, 1 backward row."""
    check_latents(self._target, candidates, latents, noise)
    return _ask(self, "latent_gradient", candidates, latents, timestep, noise, prompts, BACKWARD)


def pixel_gradient(
    self: Oracle,
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
    check_latents(self._target, candidates, noise)
    expected = tuple(self.pixels(candidates).shape)
    if images.shape != expected:
        raise DataError(f"Expected images of shape {expected}, got {tuple(images.shape)}.")
    x, cost = images * 2 - 1, BACKWARD + Cost(encodes=1)
    return 2 * _ask(self, "pixel_gradient", candidates, x, timestep, noise, prompts, cost)


def embedding_gradient(
    self: Oracle,
    candidates: Candidates,
    latents: Tensor,
    timestep: int,
    noise: Tensor,
    embeddings: Tensor,
) -> Tensor:
    """Gradient of the loss under text embeddings (n, tokens, width) by the embeddings.

    Costs 1 query, 1 UNet row, 1 backward row.
    """
    check_latents(self._target, candidates, latents, noise)
    name = "embedding_gradient"
    return _ask(self, name, candidates, latents, timestep, noise, embeddings, BACKWARD)


def parameter_gradient_norms(
    self: Oracle,
    candidates: Candidates,
    latents: Tensor,
    timesteps: Sequence[int],
    noise: Tensor,
    *,
    prompts: Conditions = None,
) -> Tensor:
    """L2 norms (n, parameter tensors) of the gradient of each candidate's loss by the UNet.

    The loss is the mean square, averaged over k timesteps. Costs 1 query, k UNet rows, k backward
    rows.

    Args:
        self: the oracle.
        candidates: whose latents they are.
        latents: (n, k, *latent_shape).
        timesteps: k of them.
        noise: (n, k, *latent_shape).
        prompts: texts or embeddings, by default the captions.
    """
    k = len(timesteps)
    if not k == latents.shape[1] == noise.shape[1]:
        raise DataError(
            f"Expected latents and noise (n, {k}, ...) for {k} timesteps, "
            f"got {tuple(latents.shape)} and {tuple(noise.shape)}."
        )
    for i in range(k):
        check_latents(self._target, candidates, latents[:, i], noise[:, i])
    cost = Cost(queries=1, unet_rows=k, backward_rows=k)
    name = "parameter_gradient_norms"
    return _ask(self, name, candidates, latents, tuple(timesteps), noise, prompts, cost)


def _ask(
    oracle: Oracle,
    name: str,
    candidates: Candidates,
    at: Tensor,
    timestep: int | tuple[int, ...],
    noise: Tensor,
    prompts: Conditions,
    cost: Cost,
) -> Tensor:
    """The target's gradient of this name at latents or images in [-1, 1] (n, ...)."""
    target = oracle._target
    for t in timestep if isinstance(timestep, tuple) else (timestep,):
        target.check_timestep(t)
    check_told(target, candidates, prompts)
    texts, names = conditions_of(candidates, prompts)
    oracle._require("gradients", Access.WHITE)
    if not target.has_gradients:
        raise target.no_gradients()
    oracle._charge("gradients", Access.WHITE, candidates, cost)

    def compute(rows: list[int]) -> Tensor:
        return getattr(target, name)(at[rows], timestep, pick(texts, rows), noise[rows])

    asked = zip(digest(at), digest(noise), names, strict=True)
    return oracle._fetch([(name, timestep, *row) for row in asked], compute, cost)
