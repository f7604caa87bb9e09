"""The oracle: the one door to a target, and the questions that an attacker may ask there."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from miagym.candidates import Candidates
from miagym.errors import AccessDenied
from miagym.oracle.access import Access
from miagym.oracle.base import (
    Conditions,
    Prompts,
    generation_cost,
    guidance_rows,
    pick,
    texts_of,
    variation_cost,
)
from miagym.oracle.budget import Cost
from miagym.oracle.cache import digest
from miagym.oracle.white_box import GradientQuestions
from miagym.targets.base import Timesteps, variation_steps
from miagym.targets.rows import ForEach, for_each


class Oracle(GradientQuestions):
    """Answers questions about candidates, under an access level and a budget (see `Door`).

    Every question names the candidates it is about, row by row: they pay for it. Equal questions
    have equal answers, whoever asks, in whatever batch. Questions of white access, which gradients
    answer, are in `gradients.py`.
    """

    # Black box.

    def generate(
        self,
        candidates: Candidates,
        *,
        prompts: Prompts = None,
        draw: ForEach = 0,
        steps: int = 20,
        guidance_scale: float = 7.5,
    ) -> Tensor:
        """Text to image: one picture a candidate, (n, 3, size, size) in [0, 1].

        Costs 1 query, 1 decode, `steps` UNet rows (twice that with guidance).
        """
        variation_steps(1, steps)  # refuses a number of steps below 1
        cost = generation_cost(steps, guidance_scale)
        texts, draws = texts_of(candidates, prompts), for_each(draw, len(candidates), "draw")
        self._charge("text to image", Access.BLACK, candidates, cost)
        noise = self._noise(candidates, "generate", draws)

        def compute(rows: list[int]) -> Tensor:
            prompts = [texts[i] for i in rows]
            return self._target.generate(noise[rows], prompts, steps, guidance_scale) / 2 + 0.5

        asked = ("generate", steps, guidance_scale)
        keys = [(*asked, *row) for row in zip(draws, candidates.keys, texts, strict=True)]
        return self._fetch(keys, compute, cost)

    def vary(
        self,
        candidates: Candidates,
        *,
        strength: float,
        prompts: Prompts = None,
        draw: ForEach = 0,
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
        cost = variation_cost(strength, steps, guidance_scale)
        texts, draws = texts_of(candidates, prompts), for_each(draw, len(candidates), "draw")
        images = self.pixels(candidates)
        self._charge("image variation", Access.BLACK, candidates, cost)
        z0 = self._encode(candidates, images)
        noise = self._noise(candidates, "vary", draws)

        def compute(rows: list[int]) -> Tensor:
            prompts = [texts[i] for i in rows]
            varied = self._target.vary(
                z0[rows], noise[rows], prompts, strength, steps, guidance_scale
            )
            return varied / 2 + 0.5

        asked = ("vary", strength, steps, guidance_scale)
        about = zip(draws, candidates.keys, candidates.pictures, texts, strict=True)
        return self._fetch([(*asked, *row) for row in about], compute, replace(cost, encodes=0))

    # Grey box.

    def encode(self, candidates: Candidates) -> Tensor:
        """z0: the latents of the candidates (n, *latent_shape). Costs 1 query and 1 encode."""
        cost = Cost(queries=1, encodes=1)
        images = self.pixels(candidates)
        self._charge("encoding", Access.GREY, candidates, cost)
        return self._encode(candidates, images)

    def decode(self, candidates: Candidates, latents: Tensor) -> Tensor:
        """Pictures (n, 3, size, size) in [0, 1] from latents. Costs 1 query and 1 decode."""
        cost = Cost(queries=1, decodes=1)
        self._check_latents(candidates, latents)
        self._charge("decoding", Access.GREY, candidates, cost)
        keys = [("decode", row) for row in digest(latents)]
        return self._fetch(keys, lambda rows: self._target.decode(latents[rows]) / 2 + 0.5, cost)

    def embed(self, candidates: Candidates, prompts: Prompts = None) -> Tensor:
        """Text embeddings (n, tokens, width), to be changed and asked under. Costs 1 query."""
        texts = texts_of(candidates, prompts)
        self._charge("text embeddings", Access.GREY, candidates, Cost(queries=1))
        return self._target.embed(texts)

    def predict_noise(
        self,
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
        self._check_latents(candidates, latents)
        timesteps = self._target.each_timestep(timestep, len(candidates))
        texts, names = self._conditions(candidates, prompts)
        self._charge("predicted noise", Access.GREY, candidates, cost)

        def compute(rows: list[int]) -> Tensor:
            return self._target.predict_noise(
                latents[rows], [timesteps[i] for i in rows], pick(texts, rows), guidance_scale
            )

        asked = zip(timesteps, digest(latents), names, strict=True)
        keys = [("predict_noise", guidance_scale, *row) for row in asked]
        return self._fetch(keys, compute, cost)
