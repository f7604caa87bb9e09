"""Answers of a hosted game: charged in the ledger before they are computed, and kept there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from miagym.candidates import Candidates
from miagym.envs.asking import Questioner, as_bytes
from miagym.envs.questions import BatchAnswer
from miagym.envs.settings import Settings
from miagym.envs.state.moves import PaidQuestion, StepAnswers
from miagym.envs.world import World
from miagym.hosting.records.ledger import Account, Charge, Ledger


class LedgerQuestioner(Questioner):
    """Questioner that charges a ledger, and asks the models for what the ledger does not hold.

    Args:
        settings: of the game, whose menu asks for pictures only.
        world: of the game.
        accounts: of its episodes.
        ledger: who keeps charges and answers.
    """

    def __init__(
        self, settings: Settings, world: World, accounts: Sequence[Account], ledger: Ledger
    ) -> None:
        super().__init__(settings, world, len(accounts))
        self._settings, self._accounts, self._ledger = settings, accounts, ledger
        self._side = settings.resolution

    def ask(
        self, asked: Sequence[PaidQuestion], candidates: Sequence[Candidates | None]
    ) -> StepAnswers:
        """Charges all questions, then answers them.

        Raises:
            HostError: if the ledger does not cover them; nothing was charged or computed.
        """
        for episode in sorted({one.episode for one in asked}):
            charges = [
                Charge(_what(one), self._settings.menu[one.question].price)
                for one in asked
                if one.episode == episode
            ]
            self._ledger.charge(self._accounts[episode], charges, self._settings.budget)
        return super().ask(asked, candidates)

    def answers(
        self, kind: str, batch: Sequence[PaidQuestion], candidates: Sequence[Candidates | None]
    ) -> list[BatchAnswer]:
        missing = [one for one in batch if self._kept(one) is None]
        if missing:
            found = super().answers(kind, missing, candidates)
            pictures = np.stack([as_bytes(_pictures(answer)) for answer in found], axis=1)
            self._ledger.keep_all(
                (self._accounts[one.episode], _what(one), np.ascontiguousarray(answer).tobytes())
                for one, answer in zip(missing, pictures, strict=True)
            )
        kept = np.stack([self._pictures_of(one) for one in batch], axis=1)
        shown = np.stack([_picture(candidates, one) for one in batch])
        pixels = _as_tensor(shown)
        return [
            BatchAnswer(_as_tensor(pictures) - pixels, _as_tensor(pictures)) for pictures in kept
        ]

    def _kept(self, one: PaidQuestion) -> bytes | None:
        return self._ledger.answer(self._accounts[one.episode], _what(one))

    def _pictures_of(self, one: PaidQuestion) -> NDArray[np.uint8]:
        """Pictures (oracles, size, size, 3)."""
        kept = self._kept(one)
        assert kept is not None
        return np.frombuffer(kept, np.uint8).reshape(-1, self._side, self._side, 3)


def _what(one: PaidQuestion) -> str:
    return f"{one.candidate}/{one.question}/{one.draw}"


def _picture(candidates: Sequence[Candidates | None], one: PaidQuestion) -> NDArray[np.uint8]:
    dealt = candidates[one.episode]
    assert dealt is not None
    return dealt.images[one.candidate]


def _pictures(answer: BatchAnswer) -> torch.Tensor:
    assert answer.images is not None, "a hosted menu asks for pictures"
    return answer.images


def _as_tensor(pictures: NDArray[np.uint8]) -> torch.Tensor:
    """Pictures (k, h, w, 3), 8 bit, as (k, 3, h, w) in [0, 1]."""
    return torch.from_numpy(pictures.transpose(0, 3, 1, 2).astype(np.float32) / 255)
