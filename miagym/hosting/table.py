"""Table: one player's walk through the deck of one task, whichever way the questions come in.

The games of `miagym.envs` keep the rules; the ledger keeps what happened. A table that is gone, as
after a crash, is built again by playing the log once more: answers and charges are in the ledger.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from threading import RLock
from typing import Any, cast

import numpy as np

from miagym.envs.grading.running import is_given_up
from miagym.envs.service.game import ServiceGame
from miagym.envs.state.moves import Moves
from miagym.errors import HostError
from miagym.hosting.messages import observed
from miagym.hosting.records.ledger import Ledger
from miagym.hosting.records.log import ActionLog
from miagym.hosting.rules import Rules
from miagym.hosting.seats import Deck, Seat, seats
from miagym.remote.pictures import as_png

Reply = dict[str, Any]
MAX_SHOWN = 100
"""How often a hand is shown anew of which nothing was asked: the ledger keeps each time."""
REFUSED = "The service's filter has refused this prompt; nothing was drawn."


class GameTable:
    """One walk of one player.

    Args:
        deck: of the task in its phase.
        walk: player, task, phase and the number of the walk.
        ledger: who keeps charges, answers and actions.
    """

    def __init__(self, deck: Deck, walk: str, ledger: Ledger) -> None:
        self.task, self.walk, self.ledger, self._deck = deck.task, walk, ledger, deck
        self.lock = RLock()
        self.log = ActionLog(ledger, walk.partition("/")[0], walk)
        self.current = -1
        """The hand that `reset` and `step` are about."""
        self.begun = ""
        """Numbers of its walk, and of the action there that has begun it."""
        self._shown = 0
        self.seats = seats(deck, walk, ledger)
        self.rules = Rules(deck, self.seats)
        self.played = 0
        for logged in self.log.all():
            reply = self._apply(json.loads(logged.body))
            self.played += 1
            if logged.reply is None:
                self.log.finish(logged.number, json.dumps(reply))

    @property
    def is_behind(self) -> bool:
        """Whether another process has played at this walk since."""
        return self.log.count() > self.played

    def play(self, request: str, body: str) -> Reply:
        """Plays an action that was checked, after it was written down.

        Args:
            request: its name, by which it is found again.
            body: as `messages.body_of` gives it.

        Raises:
            WriteConflict: if another process has played in between; build the table again.
        """
        self.log.begin(self.played, request, body)
        reply = self._apply(json.loads(body))
        self.log.finish(self.played, json.dumps(reply))
        self.played += 1
        return self.whole(reply)

    def whole(self, reply: Reply) -> Reply:
        """A reply as the log keeps it, with what never changes of the hand that it shows."""
        if reply.get("hand") is None:
            return reply
        seat = self.seats[reply["hand"]]
        dealt = seat.game.dealt(seat.row)
        return {
            "names": list(seat.names),
            "captions": list(dealt.captions),
            "tokens": seat.game.tokens[seat.row].tolist(),
            "candidates": self._deck.pictures(dealt),
            **reply,
        }

    def check(self, body: str) -> None:
        """Refuses what cannot be played, and changes nothing.

        Args:
            body: as `messages.body_of` gives it.

        Raises:
            ActionError: if it is outside the space.
            HostError: if there is no such candidate or question, or its hand is over.
        """
        action = json.loads(body)
        if action["kind"] == "step":
            self._check_begun(action.get("begun", self.begun))
            self._checked_step(action["action"])
        elif action["kind"] == "query":
            self.rules.placed(action["questions"])
        elif action["kind"] == "call":
            self.rules.check_paid(*self.rules.called(action["call"]))
        elif self.is_over:
            raise HostError("Every hand of this walk has its verdict.", 409)
        elif self._shown >= MAX_SHOWN and self._is_untouched():
            raise HostError(
                f"This hand was shown {MAX_SHOWN} times, and nothing asked or said; do either.", 409
            )

    def _check_begun(self, begun: str) -> None:
        if begun != self.begun:
            raise HostError(
                "Another environment with this key has begun a hand since, and a key plays one "
                "at a time; reset, and give each environment a key of its own.",
                409,
            )

    def _checked_step(self, action: object) -> Moves:
        if self.current < 0 or self.seats[self.current].is_over:
            raise HostError("No hand is being played; reset before the next step.", 409)
        return self.rules.moves(action)

    @property
    def is_over(self) -> bool:
        """Whether every hand has its verdict."""
        return all(seat.is_over for seat in self.seats)

    def verdicts(self) -> dict[str, float]:
        """The last word on every candidate by its key, one half where there was none."""
        found: dict[str, float] = {}
        for seat in self.seats:
            said = seat.game.probability[seat.row]
            found |= dict(zip(seat.keys, map(float, said), strict=True))
        return found

    @cached_property
    def candidates(self) -> list[Reply]:
        """All candidates of the walk, hand by hand."""
        shown = []
        for hand, seat in enumerate(self.seats):
            dealt = seat.game.dealt(seat.row)
            pictures = self._deck.pictures(dealt)
            for name, caption, picture in zip(seat.names, dealt.captions, pictures, strict=True):
                shown.append(
                    {"candidate": name, "hand": hand, "caption": caption, "picture": picture}
                )
        return shown

    def keys(self) -> dict[str, str]:
        """Key of every candidate, by which verdicts are graded, by the name that players know."""
        found: dict[str, str] = {}
        for seat in self.seats:
            found |= dict(zip(seat.names, seat.keys, strict=True))
        return found

    def _apply(self, action: Mapping[str, Any]) -> Reply:
        if action["kind"] == "reset":
            return self._reset()
        if action["kind"] == "step":
            return self._step(self._checked_step(action["action"]))
        if action["kind"] == "call":
            return self._call(*self.rules.called(action["call"]))
        return self._query(self.rules.placed(action["questions"]))

    def _is_untouched(self) -> bool:
        """Whether the hand is played, and nothing was asked or said."""
        seat = self.seats[self.current]
        return self.current >= 0 and not (seat.is_over or is_given_up(seat.game, seat.row))

    def _reset(self) -> Reply:
        self._shown = self._shown + 1 if self._is_untouched() else 1
        if self.current >= 0:
            seat = self.seats[self.current]
            if is_given_up(seat.game, seat.row):
                seat.game.over[seat.row] = True  # with its last word, and all that it spent
        later = [hand for hand, seat in enumerate(self.seats) if not seat.is_over]
        if not later:
            return {"hand": None}
        self.current = later[0]
        self.begun = f"{self.walk.rpartition('/')[2]}/{self.played}"
        seen = self._observed(self.seats[self.current])
        return {"hand": self.current, "begun": self.begun, "observation": seen}

    def _step(self, moves: Moves) -> Reply:
        seat = self.seats[self.current]
        outcome = seat.game.play(np.array([seat.row]), moves)
        return {
            "observation": self._observed(seat),
            "terminated": bool(outcome.terminated[0]),
            "truncated": bool(outcome.truncated[0]),
        }

    def _query(self, questions: Sequence[tuple[int, int, int]]) -> Reply:
        """Puts the questions hand by hand, slot by slot, as an agent would."""
        slots, n = self.task.slots, self.task.candidates
        answers: list[Reply | None] = [None] * len(questions)
        for hand in sorted({hand for hand, _, _ in questions}):
            seat = self.seats[hand]
            own = [i for i, one in enumerate(questions) if one[0] == hand]
            for start in range(0, len(own), slots):
                chunk = own[start : start + slots]
                whom, what = np.full((1, slots), n), np.zeros((1, slots), dtype=np.int64)
                whom[0, : len(chunk)] = [questions[i][1] for i in chunk]
                what[0, : len(chunk)] = [questions[i][2] for i in chunk]
                said = seat.game.probability[[seat.row]]
                if is_asked := not seat.is_over:  # questions before may have been its last ones
                    moves = Moves(whom, what, said, np.array([False]))
                    seat.game.play(np.array([seat.row]), moves)
                for slot, i in enumerate(chunk):
                    answers[i] = self._answer(seat, slot, questions[i], is_asked)
        left = {hand: int(s.game.accounts.left[s.row]) for hand, s in enumerate(self.seats)}
        return {"answers": answers, "budget_left": left}

    def _call(self, seat: Seat, moves: Moves) -> Reply:
        game, row = seat.game, seat.row
        game.play(np.array([row]), moves)
        brought = game.answer_images[row][game.answered[row] == 1]
        return {
            "pictures": [as_png(picture) for picture in brought],
            "budget_left": int(game.accounts.left[row]),
            "refused": REFUSED if cast(ServiceGame, game).refused[row, 0] else None,
        }

    def _answer(self, seat: Seat, slot: int, asked: tuple[int, int, int], is_asked: bool) -> Reply:
        game, (_, place, question) = seat.game, asked
        answered = is_asked and bool(game.answered[seat.row, slot])
        picture = as_png(game.answer_images[seat.row, slot]) if answered else None
        return {
            "candidate": seat.names[place],
            "question": game.settings.menu[question].name,
            "answered": answered,
            "picture": picture,
            "statistics": game.answer_values[seat.row, slot].tolist() if answered else None,
        }

    def _observed(self, seat: Seat) -> Reply:
        batch = self.rules.spaces.observe(seat.game, np.array([seat.row]))
        return observed({name: value[0] for name, value in batch.items()})
