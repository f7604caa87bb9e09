"""Oracle of a hosted hand, so that black-box attacks play where nobody can look behind it."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from miagym.candidates import Candidates
from miagym.errors import AccessDenied, BudgetExhausted, DataError
from miagym.oracle.access import Access
from miagym.oracle.budget import Cost
from miagym.oracle.costs import generation_cost, variation_cost
from miagym.oracle.hosted.hand import HostedMeter, HostedModel
from miagym.oracle.inputs import Prompts, texts_of
from miagym.oracle.oracle import Oracle
from miagym.remote.env import RemoteEnv
from miagym.targets.rows import ForEach, for_each
from miagym.targets.sizes import variation_steps


class HostedOracle(Oracle):
    """Oracle of the hand that a remote environment plays; see `oracle_from_env`.

    It answers what is on the host's menu, about candidates as they were dealt, with pictures of 8
    bits. Noise is the host's: `draw` only tells answers apart, and who asks this oracle for the
    same one again gets it from memory, for nothing.

    Args:
        env: after `reset`.
        reference: an oracle to the public model that the host tells of, if it is here.

    Raises:
        ResetNeeded: if no hand is being played.
    """

    def __init__(self, env: RemoteEnv, reference: Oracle | None = None) -> None:
        meter = HostedMeter(env)
        model = HostedModel(f"the hosted task {env.task}", env.settings.resolution)
        super().__init__(model, Access.BLACK, reference=reference)
        self.meter = meter
        self.candidates = meter.candidates
        self._env = env
        self._dealt = dict(zip(self.candidates.keys, self.candidates.pictures, strict=True))
        self._kept: dict[tuple[str, str, int], NDArray[np.uint8]] = {}

    def generate(
        self,
        candidates: Candidates,
        *,
        prompts: Prompts = None,
        initial: Tensor | None = None,
        draw: ForEach = 0,
        steps: int = 20,
        guidance_scale: float = 7.5,
    ) -> Tensor:
        """Text to image, as in `Oracle.generate`.

        Raises:
            AccessDenied: if it is not on the menu, or the host is told more than a caption.
        """
        cost = generation_cost(steps, guidance_scale)
        if initial is not None:
            raise AccessDenied(
                "A host chooses the noise itself; use an attack that begins with none."
            )
        question = self._question("text-to-image", None, steps, guidance_scale)
        return self._asked(candidates, question, prompts, draw, cost)

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
        """Image to image, as in `Oracle.vary`.

        Raises:
            AccessDenied: if it is not on the menu, or about other pictures than those dealt.
        """
        cost = variation_cost(strength, steps, guidance_scale)
        question = self._question("variation", strength, steps, guidance_scale)
        return self._asked(candidates, question, prompts, draw, cost)

    def inpaint(
        self, candidates: Candidates, masks: NDArray[np.bool_], **options: object
    ) -> Tensor:
        """Refuses to paint.

        Raises:
            AccessDenied: always.
        """
        raise AccessDenied(f"{self._offer()} It paints into no pictures.")

    def _require(self, question: str, needs: Access) -> None:
        if needs > Access.BLACK:
            raise AccessDenied(
                f"{question.capitalize()} needs {needs} access, and a host answers with pictures "
                "only; use a black-box attack."
            )

    def _question(
        self, kind: str, strength: float | None, steps: int, guidance_scale: float
    ) -> str:
        """Name of the question on the menu that is asked so."""
        told = self._env.settings
        asked = kind if strength is None else f"{kind}@{strength:g}"
        if (steps, guidance_scale) == (told.steps, told.guidance_scale):
            for one in told.menu:
                same = one.strength is strength is None or (
                    one.strength is not None
                    and strength is not None
                    and variation_steps(one.strength, steps) == variation_steps(strength, steps)
                )
                if one.kind == kind and same:
                    return one.name
        raise AccessDenied(
            f"{self._offer()} It was asked for {asked} in {steps} steps with guidance "
            f"{guidance_scale:g}; name an attack's own, as in rediffuse(strength=0.3)."
        )

    def _offer(self) -> str:
        told = self._env.settings
        menu = ", ".join(question.name for question in told.menu)
        return (
            f"This host answers {menu} in {told.steps} steps with guidance "
            f"{told.guidance_scale:g}, about candidates as they were dealt."
        )

    def _asked(
        self, candidates: Candidates, question: str, prompts: Prompts, draw: ForEach, cost: Cost
    ) -> Tensor:
        """Answers (n, 3, size, size) in [0, 1]."""
        self.pixels(candidates)  # refuses pictures of another size
        places = self._places(candidates)
        own = [self.candidates.captions[place] for place in places]
        dealt = [self._dealt[key] for key in candidates.keys]
        if list(texts_of(candidates, prompts)) != own or list(candidates.pictures) != dealt:
            raise AccessDenied(
                f"{self._offer()} It takes no other pictures or prompts; use an attack that makes "
                "none of its own, so without +turned."
            )
        draws = for_each(draw, len(candidates), "draw")
        wanted = [(key, question, d) for key, d in zip(candidates.keys, draws, strict=True)]
        new = [one for one in dict.fromkeys(wanted) if one not in self._kept]
        self.meter.charge([key for key, *_ in new], cost)
        where = dict(zip(candidates.keys, places, strict=True))
        found = self._env.ask([(where[key], name) for key, name, _ in new])
        self._kept |= {
            one: picture for one, picture in zip(new, found, strict=True) if picture is not None
        }
        if any(one not in self._kept for one in wanted):
            raise BudgetExhausted(
                "The host's budget of this hand is spent, by another program with this key."
            )
        pictures = np.stack([self._kept[one] for one in wanted]).transpose(0, 3, 1, 2)
        return torch.from_numpy(pictures.astype(np.float32) / 255)

    def _places(self, candidates: Candidates) -> list[int]:
        known = {key: place for place, key in enumerate(self.candidates.keys)}
        if strangers := set(candidates.keys) - known.keys():
            raise DataError(
                f"{len(strangers)} candidates are not in this hand; ask about `oracle.candidates`."
            )
        return [known[key] for key in candidates.keys]
