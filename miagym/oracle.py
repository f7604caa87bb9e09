"""The oracle: the one door to a target. It checks access, charges, and only then answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from miagym.access import Access
from miagym.budget import Budget, Cost, Meter
from miagym.cache import Cache, digest
from miagym.data.candidates import Candidates
from miagym.errors import AccessDenied, DataError
from miagym.noise import paired_noise
from miagym.targets.base import variation_steps

if TYPE_CHECKING:
    from miagym.targets.base import Target

Prompts = str | Sequence[str] | None
"""None asks under each candidate's own caption; one text asks under that text for all."""

Compute = Callable[[list[int]], Tensor]


class Oracle:
    """Answers questions about candidates, under an access level and a budget.

    Every question names the candidates it is about, row by row: they pay for it. Equal questions
    have equal answers, whoever asks, in whatever batch.

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

    def add_noise(self, z0: Tensor, noise: Tensor, timestep: int) -> Tensor:
        """z_t = sqrt(ab_t) z0 + sqrt(1 - ab_t) eps."""
        return self._target.add_noise(z0, noise, timestep)

    def ddim_move(self, z: Tensor, eps: Tensor, start: int, end: int) -> Tensor:
        """A deterministic DDIM step from `start` to `end`, up or down, given E(z, start)."""
        return self._target.ddim_move(z, eps, start, end)

    def noise(self, candidates: Candidates, timestep: int, draw: int = 0) -> Tensor:
        """Paired noise, shaped as latents: the same for the same (candidate, timestep, draw)."""
        return self._noise(candidates, "latent", timestep, draw)

    def pixels(self, candidates: Candidates) -> Tensor:
        """The candidates as the black box would return them: (n, 3, size, size) in [0, 1].

        Raises:
            DataError: if they are of another size than the target's pictures.
        """
        size = self._target.resolution
        if candidates.images.shape[1:3] != (size, size):
            raise DataError(
                f"{self._target.name} works on {size}×{size} pixels, the candidates have "
                f"{candidates.images.shape[2]}×{candidates.images.shape[1]}; "
                f"load them with size={size}."
            )
        images = torch.from_numpy(np.ascontiguousarray(candidates.images.transpose(0, 3, 1, 2)))
        return images.to(self._target.device).float() / 255

    # Black box.

    def generate(
        self,
        candidates: Candidates,
        *,
        prompts: Prompts = None,
        draw: int = 0,
        steps: int = 20,
        guidance_scale: float = 7.5,
    ) -> Tensor:
        """Text to image: one picture a candidate, (n, 3, size, size) in [0, 1].

        Costs 1 query, 1 decode, `steps` UNet rows (twice that with guidance).
        """
        variation_steps(1, steps)  # refuses a number of steps below 1
        cost = Cost(queries=1, unet_rows=steps * _halves(guidance_scale), decodes=1)
        texts = _texts(candidates, prompts)
        self._charge("text to image", Access.BLACK, candidates, cost)
        noise = self._noise(candidates, "generate", draw)
        asked = ("generate", steps, guidance_scale, draw)

        def compute(rows: list[int]) -> Tensor:
            prompts = [texts[i] for i in rows]
            return self._target.generate(noise[rows], prompts, steps, guidance_scale) / 2 + 0.5

        keys = [(*asked, *row) for row in zip(candidates.keys, texts, strict=True)]
        return self._fetch(keys, compute, cost)

    def vary(
        self,
        candidates: Candidates,
        *,
        strength: float,
        prompts: Prompts = None,
        draw: int = 0,
        steps: int = 20,
        guidance_scale: float = 7.5,
    ) -> Tensor:
        """Image to image: one variation of each candidate, (n, 3, size, size) in [0, 1].

        Costs 1 query, 1 encode, 1 decode, about strength · steps UNet rows (twice with guidance).

        Raises:
            AccessDenied: also where this black box has no variation.
        """
        if not self.variation:
            raise AccessDenied("This black box follows prompts only and varies no images.")
        rows = variation_steps(strength, steps) * _halves(guidance_scale)
        cost = Cost(queries=1, unet_rows=rows, encodes=1, decodes=1)
        images, texts = self.pixels(candidates) * 2 - 1, _texts(candidates, prompts)
        self._charge("image variation", Access.BLACK, candidates, cost)
        noise = self._noise(candidates, "vary", draw)
        asked = ("vary", strength, steps, guidance_scale, draw)

        def compute(rows: list[int]) -> Tensor:
            prompts = [texts[i] for i in rows]
            varied = self._target.vary(
                images[rows], noise[rows], prompts, strength, steps, guidance_scale
            )
            return varied / 2 + 0.5

        keys = [(*asked, *row) for row in zip(candidates.keys, texts, strict=True)]
        return self._fetch(keys, compute, cost)

    # Grey box.

    def encode(self, candidates: Candidates) -> Tensor:
        """z0: the latents of the candidates (n, *latent_shape). Costs 1 query and 1 encode."""
        cost = Cost(queries=1, encodes=1)
        images = self.pixels(candidates) * 2 - 1
        self._charge("encoding", Access.GREY, candidates, cost)
        keys = [("encode", key) for key in candidates.keys]
        return self._fetch(keys, lambda rows: self._target.encode(images[rows]), cost)

    def decode(self, candidates: Candidates, latents: Tensor) -> Tensor:
        """Pictures (n, 3, size, size) in [0, 1] from latents. Costs 1 query and 1 decode."""
        cost = Cost(queries=1, decodes=1)
        self._check_latents(candidates, latents)
        self._charge("decoding", Access.GREY, candidates, cost)
        keys = [("decode", row) for row in digest(latents)]
        return self._fetch(keys, lambda rows: self._target.decode(latents[rows]) / 2 + 0.5, cost)

    def predict_noise(
        self,
        candidates: Candidates,
        latents: Tensor,
        timestep: int,
        *,
        prompts: Prompts = None,
        guidance_scale: float = 1.0,
    ) -> Tensor:
        """E(z, t, c) at any latents, shaped as they are.

        Costs 1 query and 1 UNet row, or 2 rows where `guidance_scale` is not 1.
        """
        cost = Cost(queries=1, unet_rows=_halves(guidance_scale))
        self._check_latents(candidates, latents, timestep)
        texts = _texts(candidates, prompts)
        self._charge("predicted noise", Access.GREY, candidates, cost)

        def compute(rows: list[int]) -> Tensor:
            prompts = [texts[i] for i in rows]
            return self._target.predict_noise(latents[rows], timestep, prompts, guidance_scale)

        asked = ("predict_noise", timestep, guidance_scale)
        keys = [(*asked, *row) for row in zip(digest(latents), texts, strict=True)]
        return self._fetch(keys, compute, cost)

    # White box.

    def latent_gradient(
        self,
        candidates: Candidates,
        latents: Tensor,
        timestep: int,
        noise: Tensor,
        *,
        prompts: Prompts = None,
    ) -> Tensor:
        """Gradient of ||E(z, t, c) - noise||² by z. Costs 1 query, 1 UNet row, 1 backward row."""
        ask = self._target.latent_gradient
        return self._gradient("latent_gradient", ask, candidates, latents, timestep, noise, prompts)

    def parameter_gradient_norms(
        self,
        candidates: Candidates,
        latents: Tensor,
        timestep: int,
        noise: Tensor,
        *,
        prompts: Prompts = None,
    ) -> Tensor:
        """L2 norm of the loss gradient by each UNet parameter tensor (n, tensors).

        Costs 1 query, 1 UNet row, 1 backward row.
        """
        ask = self._target.parameter_gradient_norms
        return self._gradient("gradient_norms", ask, candidates, latents, timestep, noise, prompts)

    def _gradient(
        self,
        question: str,
        ask: Callable[[Tensor, int, Sequence[str], Tensor], Tensor],
        candidates: Candidates,
        latents: Tensor,
        timestep: int,
        noise: Tensor,
        prompts: Prompts,
    ) -> Tensor:
        cost = Cost(queries=1, unet_rows=1, backward_rows=1)
        for rows in (latents, noise):
            self._check_latents(candidates, rows, timestep)
        texts = _texts(candidates, prompts)
        self._require("gradients", Access.WHITE)
        if not self._target.has_gradients:
            raise self._target.no_gradients()
        self._charge("gradients", Access.WHITE, candidates, cost)

        def compute(rows: list[int]) -> Tensor:
            return ask(latents[rows], timestep, [texts[i] for i in rows], noise[rows])

        rows = zip(digest(latents), digest(noise), texts, strict=True)
        return self._fetch([(question, timestep, *row) for row in rows], compute, cost)

    def _check_latents(
        self, candidates: Candidates, latents: Tensor, timestep: int | None = None
    ) -> None:
        expected = (len(candidates), *self._target.latent_shape)
        if tuple(latents.shape) != expected:
            raise DataError(
                f"Expected a latent for each candidate, of shape {expected}, "
                f"got {tuple(latents.shape)}."
            )
        if timestep is not None and not 0 <= timestep < len(self.alphas_cumprod):
            raise DataError(
                f"Expected a timestep from 0 to {len(self.alphas_cumprod) - 1}, got {timestep}."
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

    def _fetch(self, keys: Sequence[tuple], compute: Compute, cost: Cost) -> Tensor:
        named = [(id(self._target), self.seed, *key) for key in keys]
        return self.cache.fetch(named, compute, cost, self.batch_size)

    def _noise(self, candidates: Candidates, *what: object) -> Tensor:
        noise = paired_noise(self.seed, candidates.keys, self._target.latent_shape, *what)
        return noise.to(self._target.device)


def _halves(guidance_scale: float) -> int:
    """UNet rows of one prediction: guidance adds one under the empty prompt."""
    return 1 if guidance_scale == 1.0 else 2


def _texts(candidates: Candidates, prompts: Prompts) -> Sequence[str]:
    if prompts is None:
        return candidates.captions
    if isinstance(prompts, str):
        return [prompts] * len(candidates)
    if len(prompts) != len(candidates):
        raise DataError(f"Got {len(prompts)} prompts for {len(candidates)} candidates.")
    return prompts
