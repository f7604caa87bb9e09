"""`miagym/Service-v0`: one candidate, and a service that takes prompts and uploads for money."""

from __future__ import annotations

from typing import Any, Unpack

from gymnasium.vector import AutoresetMode

from miagym.envs.env import GameEnv
from miagym.envs.service.settings import ServiceOptions, ServiceSettings
from miagym.envs.service.spaces import ServiceSpaces
from miagym.envs.spaces import Action
from miagym.envs.vector import GameVectorEnv
from miagym.remote.services import call_action


class ServiceEnv(GameEnv):
    """Was this candidate used to train the model of a service? Call it, then say how likely it is.

    The caller makes prompt and upload. What comes back are pictures of 8 bits, and nothing else is
    told about them: whatever distances an agent goes by it computes from these. See
    `ServiceSettings` for the options, `docs/play/environment.md` for the game.

    Action:
        question: index of the kind of call, `env.unwrapped.settings.menu`.
        prompt: any text. pictures: how many to bring, from 1 to P.
        picture: (size, size, 3), 8 bit, what an image to image begins from; strength: how much of
            it is given up, from one step to 1. Both only where the service takes uploads, and
            without meaning in a text to image.
        mask: (size, size), 1 where an inpainting paints anew; only where the service inpaints.
        seed: of the noise, only where callers may choose it: equal calls are equal pictures.
        guidance: from 1, which is off, to 20; only where callers may choose it.
        probability: of membership, in [0, 1]. stop: 1 for the verdict; then nothing is called.

    Observation:
        candidate: (size, size, 3), 8 bit. caption: (77,) token ids.
        answered: (P,) which pictures the last call brought; none if it was refused.
        images: (P, side, side, 3) these pictures, black where there is none.
        count: (K,) pictures so far by kind of call.
        affordable: (K,) which calls can be paid at their cheapest. budget_left: (1,).
        refused: (1,) whether the filter has refused the last prompt; only where there is a filter.

    Info:
        caption: the text. action_mask: (K,) as `affordable`, int8. member: the label, only after
        the verdict and never on `val` and `test`.

    Raises:
        SettingsError, BudgetError, UnknownName: if options make no environment.
    """

    settings: ServiceSettings

    def __init__(
        self, *, render_mode: str | None = None, **options: Unpack[ServiceOptions]
    ) -> None:
        settings = ServiceSettings.given(options)
        super().__init__(settings, ServiceSpaces(settings), render_mode)

    def action(self, **given: Any) -> Action:
        """An action of which only some parts are named; the rest is as for an honest user.

        The picture is the candidate's, the prompt its caption, the strength 1, the mask its right
        half, guidance off, the verdict ½:
        `env.step(env.unwrapped.action(picture=mine, strength=0.3))`.

        Raises:
            ActionError: if this service takes no such thing.
        """
        own: dict[str, Any] = {"prompt": self.game.dealt(0).captions[0]}
        if self.settings.kind.takes_uploads:
            own["picture"] = self.game.images[0, 0].copy()
        return call_action(self._spaces.action_space, self.settings.service, {**own, **given})


class ServiceVectorEnv(GameVectorEnv):
    """Many candidates at once: calls that can share a batch go through the target together."""

    settings: ServiceSettings

    def __init__(
        self,
        num_envs: int = 1,
        *,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
        **options: Unpack[ServiceOptions],
    ) -> None:
        settings = ServiceSettings.given(options)
        super().__init__(num_envs, settings, ServiceSpaces(settings), autoreset_mode, render_mode)
