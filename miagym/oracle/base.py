"""The door to a target: it checks access, charges, and only then lets a question through."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from miagym.candidates import Candidates, check_texts
from miagym.errors import AccessDenied, DataError
from miagym.noise import paired_noise
from miagym.oracle.access import Access
from miagym.oracle.budget import Budget, Cost, Meter
from miagym.oracle.cache import Cache, digest
from miagym.targets.base import FINAL, variation_steps
from miagym.targets.rows import ForEach, for_each

if TYPE_CHECKING:
    from miagym.oracle import Oracle
    from miagym.targets.base import Target, Texts, Timesteps

Prompts = str | Sequence[str] | None
"""None asks under each candidate's own caption; one text asks under that text for all."""
Conditions = Prompts | Tensor
"""Prompts, or text embeddings (n, tokens, width)."""

Compute = Callable[[list[int]], Tensor]


class Door:
    """What every question goes through, and what anyone knows of a published model.

    Args:
        target: the model behind the door.
        access: what may be asked.
        budget: what one candidate may cost; no limit by default.
        seed: of all noise.
        cache: shared by oracles whose attacks may profit from each other's answers.
        batch_size: rows in one call of the target.
        variation: whether the black box varies images too, or only follows prompts.
        reference: an oracle to a public model, for attacks that calibrate by it.
    """

    def __init__(
        self,
        target: Target,
        access: Access = Access.WHITE,
        *,
        budget: Budget | None = None,
        seed: int = 0,
        cache: Cache | None = None,
        batch_size: int = 64,
        variation: bool = True,
        reference: Oracle | None = None,
    ) -> None:
        self._target = target
        self.access = access
        self.meter = Meter(budget)
        self.seed = seed
        self.cache = Cache() if cache is None else cache
        self.batch_size = batch_size
        self.variation = variation
        self.reference = reference

    # What anyone knows of a published model: free, asks nothing.

    @property
    def alphas_cumprod(self) -> Tensor:
        """ab_t for t = 0 .. T - 1, float64 on the CPU."""
        return self._target.alphas_cumprod

    def timesteps(self, steps: int) -> list[int]:
        """The descending timesteps of DDIM sampling in so many steps."""
        return self._target.timesteps(steps)

    def add_noise(self, z0: Tensor, noise: Tensor, timestep: Timesteps) -> Tensor:
        """z_t = sqrt(ab_t) z0 + sqrt(1 - ab_t) eps."""
        return self._target.add_noise(z0, noise, timestep)

    def ddim_move(self, z: Tensor, eps: Tensor, start: int, end: int) -> Tensor:
        """A deterministic DDIM step from `start` to `end`, up or down, given E(z, start)."""
        for timestep in (start, end):
            if timestep != FINAL:
                self._target.check_timestep(timestep)
        return self._target.ddim_move(z, eps, start, end)

    def noise(self, candidates: Candidates, timestep: Timesteps, draw: ForEach = 0) -> Tensor:
        """Paired noise, shaped as latents: the same for the same (candidate, timestep, draw)."""
        n = len(candidates)
        each = for_each(timestep, n, "timestep"), for_each(draw, n, "draw")
        return self._noise(candidates, "latent", *each)

    def noise_of(self, candidates: Candidates, shape: tuple[int, ...], *what: object) -> Tensor:
        """Paired noise (n, *shape) for other purposes, which `what` tells apart."""
        noise = paired_noise(self.seed, candidates.keys, shape, *what)
        return noise.to(self._target.device)

    def pixels(self, candidates: Candidates) -> Tensor:
        """The candidates as the black box would return them: (n, 3, size, size) in [0, 1].

        Raises:
            DataError: if they are of another size than the target's pictures.
        """
        size = self._target.resolution
        if not len(candidates):
            raise DataError("There are no candidates to ask about.")
        if candidates.images.shape[1:3] != (size, size):
            raise DataError(
                f"{self._target.name} works on {size}×{size} pixels, the candidates have "
                f"{candidates.images.shape[2]}×{candidates.images.shape[1]}; "
                f"load them with size={size}."
            )
        images = torch.from_numpy(np.ascontiguousarray(candidates.images.transpose(0, 3, 1, 2)))
        return images.to(self._target.device).float() / 255

    def _check_latents(
        self, candidates: Candidates, latents: Tensor, timestep: int | None = None
    ) -> None:
        expected = (len(candidates), *self._target.latent_shape)
        if tuple(latents.shape) != expected:
            raise DataError(
                f"Expected a latent for each candidate, of shape {expected}, "
                f"got {tuple(latents.shape)}."
            )
        if timestep is not None:
            self._target.check_timestep(timestep)

    def _conditions(
        self, candidates: Candidates, prompts: Conditions
    ) -> tuple[Texts, Sequence[str | bytes]]:
        """What the target is told for each candidate, and what tells it apart in the cache."""
        if not isinstance(prompts, Tensor):
            texts = texts_of(candidates, prompts)
            return texts, texts
        if prompts.ndim != 3 or len(prompts) != len(candidates):
            raise DataError(
                f"Expected text embeddings ({len(candidates)}, tokens, width), "
                f"got {tuple(prompts.shape)}."
            )
        return prompts, digest(prompts)

    def _encode(self, candidates: Candidates, images: Tensor) -> Tensor:
        """z0, charged already; pictures that look the same are encoded once."""
        keys = [("encode", picture) for picture in candidates.pictures]
        return self._fetch(
            keys, lambda rows: self._target.encode(images[rows] * 2 - 1), Cost(encodes=1)
        )

    def _require(self, question: str, needs: Access) -> None:
        if self.access < needs:
            raise AccessDenied(
                f"{question.capitalize()} needs {needs} access, this oracle grants {self.access}; "
                "use an attack of that access, or an oracle that grants more."
            )

    def _charge(self, question: str, needs: Access, candidates: Candidates, cost: Cost) -> None:
        self._require(question, needs)
        self.meter.charge(candidates.keys, cost)

    def _fetch(self, keys: Sequence[tuple[Hashable, ...]], compute: Compute, cost: Cost) -> Tensor:
        named = [(id(self._target), self.seed, *key) for key in keys]
        return self.cache.fetch(named, compute, cost, self.batch_size)

    def _noise(self, candidates: Candidates, what: str, *each: list[int]) -> Tensor:
        """Paired noise, shaped as latents; each row's own numbers tell it apart."""
        shape = self._target.latent_shape
        noise = [torch.empty((0, *shape))]
        for key, *numbers in zip(candidates.keys, *each, strict=True):
            noise.append(paired_noise(self.seed, [key], shape, what, *numbers))
        return torch.cat(noise).to(self._target.device)


def guidance_rows(guidance_scale: float) -> int:
    """UNet rows of one prediction: guidance adds one under the empty prompt."""
    return 1 if guidance_scale == 1.0 else 2


def generation_cost(steps: int, guidance_scale: float) -> Cost:
    """Of one picture from a caption."""
    return Cost(queries=1, unet_rows=steps * guidance_rows(guidance_scale), decodes=1)


def variation_cost(strength: float, steps: int, guidance_scale: float) -> Cost:
    """Of one variation of a picture, which runs `strength` of the steps."""
    rows = variation_steps(strength, steps) * guidance_rows(guidance_scale)
    return Cost(queries=1, unet_rows=rows, encodes=1, decodes=1)


def texts_of(candidates: Candidates, prompts: Prompts) -> Sequence[str]:
    if prompts is None:
        return candidates.captions
    if isinstance(prompts, str):
        check_texts([prompts])
        return [prompts] * len(candidates)
    if len(prompts) != len(candidates):
        raise DataError(f"Got {len(prompts)} prompts for {len(candidates)} candidates.")
    check_texts(prompts)
    return prompts


def pick(texts: Texts, rows: list[int]) -> Texts:
    """Some rows of texts or embeddings."""
    return texts[rows] if isinstance(texts, Tensor) else [texts[i] for i in rows]
