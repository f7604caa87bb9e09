"""Pictures of a hosted service: charged in the ledger before they are made, and kept there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from miagym.envs.service.asking import ServiceQuestioner, Wanted
from miagym.envs.service.settings import ServiceSettings
from miagym.envs.world import World
from miagym.hosting.records.ledger import Account, Charge, Ledger


class LedgerService(ServiceQuestioner):
    """Service that charges a ledger, and asks the model for what the ledger does not hold.

    Args:
        settings: of the game.
        world: of the game.
        accounts: of its episodes.
        ledger: who keeps charges and pictures.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        world: World,
        accounts: Sequence[Account],
        ledger: Ledger,
    ) -> None:
        super().__init__(settings, world, len(accounts))
        self._accounts, self._ledger = accounts, ledger
        self._budget, self._side = settings.budget, settings.answer_side

    def serve(self, wanted: Sequence[Wanted]) -> list[NDArray[np.uint8]]:
        """Charges all calls, then answers them.

        Raises:
            HostError: if the ledger does not cover them; nothing was charged or computed.
        """
        for episode in sorted({one.episode for one in wanted}):
            charges = [Charge(_what(one), one.price) for one in wanted if one.episode == episode]
            self._ledger.charge(self._accounts[episode], charges, self._budget)
        missing = [one for one in wanted if self._kept(one) is None]
        if missing:
            found = super().serve(missing)
            self._ledger.keep_all(
                (self._accounts[one.episode], _what(one), np.ascontiguousarray(picture).tobytes())
                for one, picture in zip(missing, found, strict=True)
            )
        return [self._picture(one) for one in wanted]

    def refuse(self, episode: int, step: int, price: int) -> None:
        """Charges a call that the filter has refused.

        Raises:
            HostError: if the ledger does not cover it.
        """
        charge = Charge(f"refused in step {step}", price)
        self._ledger.charge(self._accounts[episode], [charge], self._budget)

    def _kept(self, one: Wanted) -> bytes | None:
        return self._ledger.answer(self._accounts[one.episode], _what(one))

    def _picture(self, one: Wanted) -> NDArray[np.uint8]:
        kept = self._kept(one)
        assert kept is not None
        return np.frombuffer(kept, np.uint8).reshape(self._side, self._side, 3)


def _what(one: Wanted) -> str:
    return f"picture {one.number}"
