"""Calls to a hosted service as actions of its environment."""

from __future__ import annotations

from collections.abc import Container
from typing import Any, cast

import numpy as np

from miagym.envs.game import Game
from miagym.envs.service.settings import ServiceSettings
from miagym.errors import HostError
from miagym.hosting.messages import Call
from miagym.remote.pictures import as_png
from miagym.remote.services import IMAGE_TO_IMAGE, INPAINTING, TEXT_TO_IMAGE

PARTS = ("picture", "strength", "mask")
NEEDS = {TEXT_TO_IMAGE: (), IMAGE_TO_IMAGE: PARTS[:2], INPAINTING: PARTS}
"""Which of these parts each kind of call is made of."""


def action_of(call: Call, game: Game, row: int, takes: Container[str]) -> dict[str, Any]:
    """The action of the environment that a call is, with pictures as they travel.

    Args:
        call: about the candidate of a hand.
        game: where the hand is played.
        row: its row there.
        takes: names of the parts of an action.

    Raises:
        HostError: if the service takes no such call, or a part is missing or one too many.
    """
    service = cast(ServiceSettings, game.settings).kind
    if call.kind not in service.calls:
        raise HostError(f"This service takes {' and '.join(service.calls)} only.")
    needs = NEEDS[call.kind]
    for name in PARTS:
        if (getattr(call, name) is not None) != (name in needs):
            wanted = " and ".join(needs) if needs else "neither picture nor strength nor mask"
            raise HostError(f"A call for {call.kind} takes {wanted}, beside its prompt.")
    if call.seed is not None and not service.takes_seeds:
        raise HostError("This service chooses its seeds itself; leave out seed.")
    if call.guidance is not None and not service.takes_guidance:
        raise HostError("This service chooses its guidance itself; leave out guidance.")
    # What this kind of call has no use for, as the space wants it nevertheless.
    idle = {"picture": as_png(game.images[row, 0]), "strength": 1.0, "seed": 0, "guidance": 1.0}
    idle["mask"] = as_png(np.zeros(game.images.shape[2:4], dtype=np.uint8))
    given = call.model_dump(exclude={"request_id", "candidate", "kind"}, exclude_none=True)
    action = {
        **idle,
        **given,
        "question": service.calls.index(call.kind),
        "probability": float(game.probability[row, 0]),
        "stop": 0,
    }
    return {name: value for name, value in action.items() if name in takes}
