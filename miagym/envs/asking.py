"""Batched questions to the oracle: one batch for all paid questions that can share it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from miagym.candidates import Candidates
from miagym.envs.menu import PICTURES
from miagym.envs.questions import QUESTION_KINDS, BatchAnswer, QuestionBatch
from miagym.envs.settings import OWN, Settings
from miagym.envs.state.moves import PaidQuestion, StepAnswers
from miagym.envs.statistics import RunningMeans, Sums, statistics_of
from miagym.envs.world import World
from miagym.oracle import Oracle
from miagym.oracle.cache import Cache
from miagym.targets.base import Target

OF_THE_REFERENCE = 2**40
"""Added to draws, so that pictures of the reference have noise that no target's have."""


Answers = Mapping[tuple[Hashable, ...], Tensor]
"""By what was asked of a target, whichever process has loaded it."""


@dataclass(frozen=True, eq=False)
class SavedAnswers:
    """What the oracles have answered, for each of them: answers by what was asked, and sums."""

    each: tuple[tuple[Answers, Sums], ...]

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # nothing in it is ever changed

    def __getstate__(self) -> dict[str, Any]:
        """As bytes: a view brings no batch along, and no process shares memory with another."""
        return {"each": _mapped(self.each, _packed)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        object.__setattr__(self, "each", _mapped(state["each"], _unpacked))


class Questioner:
    """Asks the oracles for b episodes, and keeps running means of their answers."""

    def __init__(self, settings: Settings, world: World, episodes: int) -> None:
        self._settings = settings
        self._episodes = episodes
        self._targets = [one for one in (world.target, world.reference) if one is not None]
        self.oracles = world.oracles(settings)
        self._means = [RunningMeans(episodes) for _ in self.oracles]

    def forget(self, episode: int) -> None:
        for means in self._means:
            means.forget(episode)

    def saved(self) -> SavedAnswers:
        """What was answered so far: later answers equal to the last bit need it."""
        each = zip(self._targets, self.oracles, self._means, strict=True)
        return SavedAnswers(
            tuple((answers_of(target, one.cache), means.saved()) for target, one, means in each)
        )

    def restore(self, saved: SavedAnswers | None) -> None:
        """Remembers these answers instead, or none; what was charged stays charged."""
        if saved is None:
            for oracle, means in zip(self.oracles, self._means, strict=True):
                oracle.cache.restore({})
                means.restore(tuple({} for _ in range(self._episodes)))
            return
        each = zip(self._targets, self.oracles, self._means, saved.each, strict=True)
        for target, oracle, means, (answers, sums) in each:
            remember(oracle, target, answers)
            ((_, there),) = _mapped((({}, sums),), lambda tensor, t=target: tensor.to(t.device))
            means.restore(there)

    def ask(
        self, asked: Sequence[PaidQuestion], candidates: Sequence[Candidates | None]
    ) -> StepAnswers:
        """Answers all questions; those of one kind go through the target together."""
        values = np.zeros((len(asked), self._settings.statistics), dtype=np.float32)
        images: list[NDArray[np.uint8] | None] = [None] * len(asked)
        batches: defaultdict[tuple[str, float | None, int], list[int]] = defaultdict(list)
        for i, one in enumerate(asked):
            batches[*self._settings.menu[one.question].batch, one.model].append(i)
        for (kind, *_), rows in batches.items():
            batch = [asked[i] for i in rows]
            answers = self.answers(kind, batch, candidates)
            what = [one.what for one in batch]
            numbers = [
                statistics_of(answer.difference, means.add(what, answer.difference))
                for answer, means in zip(answers, self._means, strict=True)
            ]
            values[rows] = torch.cat(numbers, dim=1).cpu().numpy()
            if (pictures := answers[0].images) is not None:
                for i, picture in zip(rows, as_bytes(pictures), strict=True):
                    images[i] = picture
        return StepAnswers(values, images)

    def answers(
        self, kind: str, batch: Sequence[PaidQuestion], candidates: Sequence[Candidates | None]
    ) -> list[BatchAnswer]:
        """What each oracle answers to a batch of questions of one kind, about one model."""
        rounds = [self._round(batch, candidates)] * len(self.oracles)
        if kind in PICTURES and self._settings.reference_noise == OWN:
            draws = [draw + OF_THE_REFERENCE for draw in rounds[0].draws]
            rounds[1:] = [replace(one, draws=draws) for one in rounds[1:]]
        asked_of = zip(self.oracles_of(batch[0].model), rounds, strict=True)
        return [QUESTION_KINDS[kind].ask(*one) for one in asked_of]

    def oracles_of(self, model: int) -> list[Oracle]:
        """Oracles that are asked about one model: its own, and the reference's if there is one."""
        return self.oracles

    def _round(
        self, batch: Sequence[PaidQuestion], candidates: Sequence[Candidates | None]
    ) -> QuestionBatch:
        about = []
        for one in batch:
            dealt = candidates[one.episode]
            assert dealt is not None
            about.append((dealt, one.candidate))
        menu = self._settings.menu
        return QuestionBatch(
            Candidates.picked(about),
            [menu[one.question].value or 0 for one in batch],
            [one.draw for one in batch],
            self._settings.steps,
            self._settings.guidance_scale,
        )


def answers_of(target: Target, cache: Cache) -> Answers:
    """What a cache holds of a target's answers."""
    kept = cache.saved().items()
    return {key[1:]: a for key, a in kept if isinstance(key, tuple) and key[0] == id(target)}


def remember(oracle: Oracle, target: Target, answers: Answers) -> None:
    """Has the cache of a target's oracle hold these answers, and no others."""
    there: dict[Hashable, Tensor] = {
        (id(target), *key): answer.to(target.device) for key, answer in answers.items()
    }
    oracle.cache.restore(there)


def _mapped(each: tuple[tuple[Any, Any], ...], change: Callable[[Any], Any]) -> Any:
    """The same structure as in `SavedAnswers`, with each tensor changed."""
    return tuple(
        (
            {key: change(answer) for key, answer in answers.items()},
            tuple({what: (change(s), n) for what, (s, n) in one.items()} for one in sums),
        )
        for answers, sums in each
    )


def _packed(tensor: Tensor) -> tuple[torch.dtype, torch.Size, bytes]:
    own = tensor.detach().cpu().contiguous()
    return own.dtype, own.shape, own.reshape(-1).view(torch.uint8).numpy().tobytes()


def _unpacked(packed: tuple[torch.dtype, torch.Size, bytes]) -> Tensor:
    dtype, shape, content = packed
    return torch.frombuffer(bytearray(content), dtype=dtype).reshape(shape)


def as_bytes(pictures: Tensor) -> NDArray[np.uint8]:
    """Pictures (k, 3, h, w) in [0, 1] as (k, h, w, 3), 8 bit."""
    return (pictures * 255).round().clamp(0, 255).byte().permute(0, 2, 3, 1).cpu().numpy()
