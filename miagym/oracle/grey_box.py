"""Questions of grey-box access: latents, text embeddings and predicted noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from miagym.candidates import Candidates
from miagym.errors import DataError, TargetError
from miagym.oracle.access import Access
from miagym.oracle.budget import Cost
from miagym.oracle.cache import digest
from miagym.oracle.costs import DECODER_BACKWARD, guidance_rows
from miagym.oracle.inputs import (
    Conditions,
    Prompts,
    check_latents,
    check_told,
    conditions_of,
    not_told,
    pick,
    texts_of,
)
from miagym.targets.base import Timesteps, Told

if TYPE_CHECKING:
    from miagym.oracle.oracle import Oracle


def encode(self: Oracle, candidates: Candidates) -> Tensor:
    """z0: the latents of the candidates (n, *latent_shape). Costs 1 query and 1 encode."""
    self._check_size(candidates)
    self._charge("encoding", Access.GREY, candidates, Cost(queries=1, encodes=1))
    return self._encode(candidates)


def decode(self: Oracle, candidates: Candidates, latents: Tensor) -> Tensor:
    """Pictures (n, 3, size, size) in [0, 1] from latents. Costs 1 query and 1 decode."""
    cost = Cost(queries=1, decodes=1)
    check_latents(self._target, candidates, latents)
    self._charge("decoding", Access.GREY, candidates, cost)
    keys = [("decode", row) for row in digest(latents)]
    shape = 3, self._target.resolution, self._target.resolution
    return self._fetch(keys, lambda rows: self._target.decode(latents[rows]) / 2 + 0.5, cost, shape)


def decoder_gradient(
    self: Oracle, candidates: Candidates, latents: Tensor, weights: Tensor
) -> Tensor:
    """J_D(z)^T v: the gradient of sum(v * D(z)) by latents z, for weights v shaped as pictures.

    Grey, since a model's autoencoder is mostly a public one. Costs 1 query and 3 decodes.
    """
    check_latents(self._target, candidates, latents)
    expected = tuple(self.pixels(candidates).shape)
    if weights.shape != expected:
        raise DataError(f"Expected weights of shape {expected}, got {tuple(weights.shape)}.")
    self._require("the decoder's gradient", Access.GREY)
    if not self._target.has_decoder:
        raise TargetError(
            f"{self._target.name} works on pixels and has no decoder; leave +pullback out."
        )
    if not self._target.has_gradients:
        raise self._target.no_gradients()
    self._charge("the decoder's gradient", Access.GREY, candidates, DECODER_BACKWARD)

    def compute(rows: list[int]) -> Tensor:
        return self._target.decoder_gradient(latents[rows], weights[rows])

    asked = zip(digest(latents), digest(weights), strict=True)
    keys = [("decoder_gradient", *row) for row in asked]
    return self._fetch(keys, compute, DECODER_BACKWARD, latents.shape[1:])


def embed(self: Oracle, candidates: Candidates, prompts: Prompts = None) -> Tensor:
    """Text embeddings (n, tokens, width), to be changed and asked under. Costs 1 query."""
    if self._target.told is not Told.TEXT:
        raise not_told(self._target)
    texts = texts_of(candidates, prompts)
    self._charge("text embeddings", Access.GREY, candidates, Cost(queries=1))
    return self._target.embed(texts)


def predict_noise(
    self: Oracle,
    candidates: Candidates,
    latents: Tensor,
    timestep: Timesteps,
    *,
    prompts: Conditions = None,
    guidance_scale: float = 1.0,
) -> Tensor:
    """E(z, t, c) at any latents, shaped as they are; each row may have its own timestep.

    Costs 1 query and 1 UNet row, or 2 rows where `guidance_scale` is not 1.
    """
    cost = Cost(queries=1, unet_rows=guidance_rows(guidance_scale))
    check_latents(self._target, candidates, latents)
    check_told(self._target, candidates, prompts, guidance_scale)
    timesteps = self._target.each_timestep(timestep, len(candidates))
    texts, names = conditions_of(candidates, prompts)
    self._charge("predicted noise", Access.GREY, candidates, cost)

    def compute(rows: list[int]) -> Tensor:
        return self._target.predict_noise(
            latents[rows], [timesteps[i] for i in rows], pick(texts, rows), guidance_scale
        )

    asked = zip(timesteps, digest(latents), names, strict=True)
    keys = [("predict_noise", guidance_scale, *row) for row in asked]
    return self._fetch(keys, compute, cost, latents.shape[1:])
