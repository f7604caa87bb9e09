"""Calls put to the target: those that can share a batch do."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from miagym.candidates import Candidates
from miagym.envs.asking import Questioner, as_bytes
from miagym.envs.service.calls import Call
from miagym.envs.service.rate_limit import a_minute, await_turn
from miagym.envs.service.settings import ServiceSettings
from miagym.envs.world import World
from miagym.remote.services import INPAINTING, TEXT_TO_IMAGE
from miagym.targets.sizes import variation_steps

CALLER = "a caller"
"""Whom the oracle's noise is paired with: a service knows no candidates, only its own numbers."""


@dataclass(frozen=True)
class Wanted:
    """One picture of a paid call, and the number of its noise."""

    call: Call
    draw: int
    episode: int
    number: int
    """Of the picture among all of its episode, from 0."""
    price: int
    """Of the call, with its first picture; the others come with it."""


class ServiceQuestioner(Questioner):
    """Answers calls with pictures of 8 bits, as they arrive at the caller's."""

    def __init__(self, settings: ServiceSettings, world: World, episodes: int) -> None:
        super().__init__(settings, world, episodes)
        self._service = settings
        calls = settings.calls_a_minute
        self._bucket = None if calls is None else a_minute(calls)

    def await_turn(self, episodes: Sequence[int]) -> None:
        """Waits until each of these episodes may call, whatever comes of its call."""
        if self._bucket is not None:
            await_turn(self._bucket, episodes)

    def serve(self, wanted: Sequence[Wanted]) -> list[NDArray[np.uint8]]:
        """Pictures (side, side, 3), one for each that is wanted, in order."""
        steps, own = self._service.steps, self._service.guidance_scale
        batches: defaultdict[tuple[str, int, float], list[int]] = defaultdict(list)
        for i, one in enumerate(wanted):
            guidance = own if one.call.guidance is None else one.call.guidance
            run = variation_steps(one.call.strength, steps)
            batches[one.call.kind, run, guidance].append(i)
        found: dict[int, NDArray[np.uint8]] = {}
        for (kind, run, guidance), rows in batches.items():
            batch = [wanted[i] for i in rows]
            pictures = as_bytes(self._made(kind, run, guidance, batch))
            found |= dict(zip(rows, map(self._arrived, pictures), strict=True))
        return [found[i] for i in range(len(wanted))]

    def refuse(self, episode: int, step: int, price: int) -> None:
        """Called where a call of an episode is refused for which it has paid."""

    def _made(self, kind: str, run: int, guidance: float, batch: Sequence[Wanted]) -> Tensor:
        """Pictures (k, 3, size, size) of calls of one kind that run so many steps, guided alike."""
        oracle, settings = self.oracles[0], self._service
        size, n = settings.resolution, len(batch)
        prompts = tuple(one.call.prompt for one in batch)
        draws = [one.draw for one in batch]
        nothing = np.zeros((size, size, 3), dtype=np.uint8)
        uploads = [nothing if one.call.upload is None else one.call.upload for one in batch]
        about = Candidates(np.stack(uploads), prompts, (CALLER,) * n)
        if kind == TEXT_TO_IMAGE:
            return oracle.generate(about, draw=draws, steps=settings.steps, guidance_scale=guidance)
        # Half a step more, since strengths are rounded down to steps.
        strength = min(1.0, (run + 0.5) / settings.steps)
        told: dict[str, Any] = {
            "strength": strength,
            "draw": draws,
            "steps": settings.steps,
            "guidance_scale": guidance,
        }
        if kind == INPAINTING:
            masks = [one.call.mask for one in batch if one.call.mask is not None]
            return oracle.inpaint(about, np.stack(masks), **told)
        return oracle.vary(about, **told)

    def _arrived(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A picture after the way to the caller: resized, then compressed."""
        settings = self._service
        side = settings.answer_side
        if side != len(picture):
            shrunk = Image.fromarray(picture).resize((side, side), Image.Resampling.LANCZOS)
            picture = np.asarray(shrunk)
        if settings.jpeg is not None:
            packed = io.BytesIO()
            Image.fromarray(picture).save(packed, "JPEG", quality=settings.jpeg)
            picture = np.asarray(Image.open(packed).convert("RGB"))
        return picture.copy()
