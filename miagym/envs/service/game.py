"""Game of a service: the rules of `Game`, with calls in the place of a menu."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from miagym.envs.game import Game
from miagym.envs.service.asking import ServiceQuestioner, Wanted
from miagym.envs.service.calls import SEEDS, Call, ServiceMoves
from miagym.envs.service.settings import MAX_PICTURES, ServiceSettings
from miagym.envs.state.moves import Moves, Slot
from miagym.envs.statistics import statistics_of
from miagym.envs.world import World

CHOSEN = 2**40
"""Added to draws of a seed that the caller chose, which no other draw then is."""


class ServiceGame(Game):
    """State of b episodes with a service; slot i holds the i-th picture of the last call."""

    settings: ServiceSettings

    def __init__(self, settings: ServiceSettings, episodes: int, **options: Any) -> None:
        super().__init__(settings, episodes, **options)
        self.refused = np.zeros((episodes, 1), dtype=np.int8)
        """Whether the filter has refused the last call."""

    @property
    def questioner(self) -> ServiceQuestioner:
        if self._questioner is None:
            world = cast(World, self.world)
            self._questioner = ServiceQuestioner(self.settings, world, len(self.over))
            self._questioner.restore(self._answers)
        return cast(ServiceQuestioner, self._questioner)

    def prices_of(self, moves: Moves) -> NDArray[np.int64]:
        """Price of each call (k, 1); 0 of those that are refused for nothing."""
        calls = cast(ServiceMoves, moves).calls
        return np.array([[self._price(call)] for call in calls], dtype=np.int64)

    def _refuses(self, call: Call) -> bool:
        found = self.settings.prompt_filter
        return found is not None and found.refuses(call.prompt)

    def _price(self, call: Call) -> int:
        found = self.settings.prompt_filter
        if found is not None and not found.charged and found.refuses(call.prompt):
            return 0
        return self.settings.price_of(call.kind, call.strength, call.pictures, call.guidance)

    def _note(self, episodes: NDArray[np.intp], moves: Moves, asking: NDArray[np.bool_]) -> None:
        super()._note(episodes, moves, asking)
        for i in np.flatnonzero(asking[:, 0]):
            slots = self.last[episodes[i]]
            call = cast(ServiceMoves, moves).calls[i]
            slots[0] = replace(slots[0], price=self._price(call))

    def _ask(self, episodes: NDArray[np.intp], moves: Moves, paid: NDArray[np.bool_]) -> None:
        calls = cast(ServiceMoves, moves).calls
        wanted: list[Wanted] = []
        where: list[tuple[int, int, int]] = []
        self.questioner.await_turn(episodes[~moves.stop].tolist())
        self._filter(episodes, moves, paid)
        for i in np.flatnonzero(paid.any(axis=1) & ~self.refused[episodes, 0].astype(bool)):
            episode, call = int(episodes[i]), calls[i]
            first = int(self.count[episode].sum())
            for picture in range(call.pictures):
                draw, price = self._draw(episode, call, picture), self._price(call)
                price = price if picture == 0 else 0  # the others come with it
                wanted.append(Wanted(call, draw, episode, first + picture, price))
                where.append((episode, picture, int(moves.question[i, 0])))
        if not wanted:
            return
        pictures = self.questioner.serve(wanted)
        for (episode, slot, question), one, picture in zip(where, wanted, pictures, strict=True):
            self.answered[episode, slot] = 1
            self.answer_images[episode, slot] = picture
            self.count[episode, 0, question] += 1
            values = _distance(picture, self.images[episode, 0], one.call.upload)
            self.last[episode][slot] = Slot(0, question, values, picture, one.price)

    def _filter(self, episodes: NDArray[np.intp], moves: Moves, paid: NDArray[np.bool_]) -> None:
        """Refuses prompts; what the filter charges for is paid, and brings nothing."""
        for i in np.flatnonzero(~moves.stop):
            episode, call = int(episodes[i]), cast(ServiceMoves, moves).calls[i]
            if self._refuses(call):
                self.refused[episode] = 1
                self.last[episode][0] = replace(self.last[episode][0], is_filtered=True)
                if paid[i, 0]:
                    self.questioner.refuse(episode, int(self.steps[episode]), self._price(call))

    def _clear_answers(self, episodes: NDArray[np.intp]) -> None:
        super()._clear_answers(episodes)
        self.refused[episodes] = 0

    def _draw(self, episode: int, call: Call, picture: int) -> int:
        """Number of the noise: the next of the episode, or that of the seed that was chosen."""
        if call.seed is None:
            return int(self._first_draw[episode] + self.count[episode].sum()) + picture
        assert 0 <= call.seed < SEEDS
        return CHOSEN + call.seed * MAX_PICTURES + picture


def _distance(
    picture: NDArray[np.uint8], candidate: NDArray[np.uint8], upload: NDArray[np.uint8] | None
) -> NDArray[np.float32]:
    """Statistics (F,) that `render` prints: of the difference to what was uploaded."""
    asked = candidate if upload is None else upload
    if picture.shape != asked.shape:
        return statistics_of(torch.zeros(1, 1), torch.zeros(1, 1))[0].numpy()
    d = torch.from_numpy((picture.astype(np.float32) - asked) / 255)[None]
    return statistics_of(d, d)[0].numpy()
