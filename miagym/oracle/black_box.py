"""Questions of black-box access: pictures from prompts, and variations of pictures."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import adaptive_max_pool2d

from miagym.candidates import Candidates
from miagym.errors import AccessDenied, DataError, TargetError
from miagym.oracle.access import Access
from miagym.oracle.budget import Cost
from miagym.oracle.cache import digest
from miagym.oracle.costs import generation_cost, variation_cost
from miagym.oracle.inputs import Prompts, check_latents, check_told, texts_of
from miagym.oracle.transfer import sent
from miagym.targets.base import Told
from miagym.targets.rows import ForEach, for_each

if TYPE_CHECKING:
    from miagym.oracle.oracle import Oracle


def generate(
    self: Oracle,
    candidates: Candidates,
    *,
    prompts: Prompts = None,
    initial: Tensor | None = None,
    draw: ForEach = 0,
    steps: int = 20,
    guidance_scale: float = 7.5,
) -> Tensor:
    """Text to image: one picture a candidate, (n, 3, size, size) in [0, 1].

    `initial` is the noise to begin with, (n, *latent_shape), where a service lets it be chosen;
    otherwise it is paired noise, told apart by `draw`.

    Costs 1 query, 1 decode, `steps` UNet rows (twice that with guidance).
    """
    cost = generation_cost(steps, guidance_scale)
    check_told(self._target, candidates, prompts, guidance_scale)
    if self._target.told is Told.NOTHING:
        raise TargetError(
            f"{self._target.name} generates without being told anything, so that what it generates "
            "is about no candidate; use an attack that varies the candidates."
        )
    texts, draws = texts_of(candidates, prompts), for_each(draw, len(candidates), "draw")
    if initial is not None:
        check_latents(self._target, candidates, initial)
    self._charge("text to image", Access.BLACK, candidates, cost)
    noise = self._noise(candidates, "generate", draws) if initial is None else initial
    told_apart = draws if initial is None else digest(initial)

    def compute(rows: list[int]) -> Tensor:
        prompts = [texts[i] for i in rows]
        drawn = self._target.generate(noise[rows], prompts, steps, guidance_scale)
        return self.defence(drawn / 2 + 0.5)

    asked = ("generate", steps, guidance_scale, self.defence)
    keys = [(*asked, *row) for row in zip(told_apart, candidates.keys, texts, strict=True)]
    return self._fetch(keys, compute, cost)


def vary(
    self: Oracle,
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
    check_told(self._target, candidates, prompts, guidance_scale)
    sent = _sent(self, "image variation", candidates, prompts, draw, cost)

    def compute(rows: list[int]) -> Tensor:
        about = sent.z0[rows], sent.noise[rows], [sent.texts[i] for i in rows]
        varied = self._target.vary(*about, strength, steps, guidance_scale)
        return self.defence(varied / 2 + 0.5)

    asked = ("vary", strength, steps, guidance_scale, self.defence)
    return self._fetch([(*asked, *row) for row in sent.about], compute, replace(cost, encodes=0))


def inpaint(
    self: Oracle,
    candidates: Candidates,
    masks: NDArray[np.bool_],
    *,
    strength: float = 1.0,
    prompts: Prompts = None,
    draw: ForEach = 0,
    steps: int = 20,
    guidance_scale: float = 7.5,
) -> Tensor:
    """Inpainting: each candidate painted anew where its mask is true, (n, 3, size, size) in [0, 1].

    Masks are (n, size, size). A latent of which any pixel is to be painted is painted. Costs what a
    variation of this strength does.

    Raises:
        AccessDenied: also where this black box takes no pictures.
        DataError: if masks have another shape or hold other than true and false.
    """
    if not self.variation:
        raise AccessDenied("This black box follows prompts only and paints into no images.")
    cost = variation_cost(strength, steps, guidance_scale)
    check_told(self._target, candidates, prompts, guidance_scale)
    hidden = _latent_masks(self, masks, self.pixels(candidates))
    sent = _sent(self, "inpainting", candidates, prompts, draw, cost)

    def compute(rows: list[int]) -> Tensor:
        about = sent.z0[rows], hidden[rows], sent.noise[rows], [sent.texts[i] for i in rows]
        painted = self._target.inpaint(*about, strength, steps, guidance_scale)
        return self.defence(painted / 2 + 0.5)

    asked = ("inpaint", strength, steps, guidance_scale, self.defence)
    keys = [(*asked, *row, mask) for row, mask in zip(sent.about, digest(hidden), strict=True)]
    return self._fetch(keys, compute, replace(cost, encodes=0))


class _Sent(NamedTuple):
    """Pictures that were sent to be changed, and paid for."""

    z0: Tensor
    noise: Tensor
    texts: list[str]
    about: list[tuple[Hashable, ...]]
    """What tells each row's answer from another's, beside the settings."""


def _sent(
    self: Oracle, question: str, candidates: Candidates, prompts: Prompts, draw: ForEach, cost: Cost
) -> _Sent:
    texts, draws = texts_of(candidates, prompts), for_each(draw, len(candidates), "draw")
    self._check_size(candidates)
    self._charge(question, Access.BLACK, candidates, cost)
    z0, noise = self._encode(candidates), self._noise(candidates, "vary", draws)
    about = zip(draws, candidates.keys, candidates.pictures, texts, strict=True)
    return _Sent(z0, noise, list(texts), list(about))


def _latent_masks(self: Oracle, masks: NDArray[np.bool_], images: Tensor) -> Tensor:
    """Masks (n, 1, height, width) of latents: 1 where any of their pixels is to be painted."""
    given, expected = np.asarray(masks), (len(images), *images.shape[2:])
    if given.dtype != np.bool_ or given.shape != expected:
        raise DataError(
            f"Expected masks of true and false, of shape {expected}, got {given.dtype} of shape "
            f"{given.shape}."
        )
    pixels = sent(torch.from_numpy(given.copy())[:, None].float(), images.device)
    return adaptive_max_pool2d(pixels, self._target.latent_shape[1:])
