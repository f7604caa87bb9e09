"""Rules of a walk: what is asked is checked here, before it is written down or charged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from miagym.envs.state.moves import Moves
from miagym.errors import HostError
from miagym.hosting.messages import Call
from miagym.hosting.seats import Deck, Seat
from miagym.hosting.service.calls import action_of
from miagym.hosting.service.uploads import unpacked


class Rules:
    """Rules of one walk.

    Args:
        deck: of the task which is played.
        seats: hand by hand.
    """

    def __init__(self, deck: Deck, seats: Sequence[Seat]) -> None:
        self.task, self.spaces, self.seats = deck.task, deck.spaces, seats

    @cached_property
    def _place(self) -> dict[str, tuple[int, int]]:
        """Hand and place in it, by the name of a candidate."""
        return {
            name: (hand, i)
            for hand, seat in enumerate(self.seats)
            for i, name in enumerate(seat.names)
        }

    def moves(self, action: object) -> Moves:
        """Moves of an action of the environment.

        Raises:
            ActionError: if it is outside the space.
        """
        if not isinstance(action, Mapping):
            return self.spaces.moves(self.spaces.check(action, 1))
        if self.task.service:
            action = unpacked(action, self.seats[0].game.settings.resolution)
        return self.spaces.moves(
            self.spaces.check({name: [value] for name, value in action.items()}, 1)
        )

    def called(self, call: Mapping[str, Any]) -> tuple[Seat, Moves]:
        """Where a call is charged, and the step that it is.

        Raises:
            ActionError, HostError: if there is no such call, or its candidate's verdict is given.
        """
        if not self.task.service:
            raise HostError("This task has a menu; POST questions of it to its query.", 404)
        seat = self.seats[self._find(call["candidate"])[0]]
        if seat.is_over:
            raise HostError("The verdict on this candidate is given; ask others.", 409)
        message = Call(request_id="of-the-log", **call)
        takes = self.spaces.action_space.spaces
        return seat, self.moves(action_of(message, seat.game, seat.row, takes))

    def placed(self, questions: Sequence[Sequence[str]]) -> list[tuple[int, int, int]]:
        """Hand, place in it and number on the menu of each question (candidate, question).

        Raises:
            HostError: if there is no such candidate or question, or its hand is over.
        """
        if self.task.service:
            raise HostError("This task is a service; POST calls to its call.", 404)
        menu = [question.name for question in self.seats[0].game.settings.menu]
        placed = []
        for name, question in questions:
            hand, place = self._find(name)
            if question not in menu:
                raise HostError(f"Expected a question of the menu: {', '.join(menu)}.", 404)
            if self.seats[hand].is_over:
                raise HostError("The verdict on this candidate's hand is given; ask others.", 409)
            placed.append((hand, place, menu.index(question)))
        return placed

    def check_paid(self, seat: Seat, moves: Moves) -> None:
        """Refuses a call that the hand cannot pay, before it is written down.

        Raises:
            HostError: with both numbers.
        """
        price, left = seat.game.prices_of(moves)[0, 0], seat.game.accounts.left[seat.row]
        if price > left:
            raise HostError(
                f"This call costs {price} {seat.game.settings.unit}, and {left} of the hand's "
                f"{self.task.budget} are left; nothing was charged.",
                402,
            )

    def _find(self, name: str) -> tuple[int, int]:
        if name not in self._place:
            raise HostError("No candidate of this walk has such a name; GET the candidates.", 404)
        return self._place[name]
