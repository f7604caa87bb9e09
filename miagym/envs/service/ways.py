"""Ways of calling a service, by name: which upload, which prompt, what strength."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from PIL import Image

from miagym.envs.service.uploads import (
    ANOTHER,
    BLENDED,
    PROMPTS,
    UPLOADS,
    Picture,
    UploadSample,
    blended,
)
from miagym.errors import SettingsError, UnknownName
from miagym.remote.services import (
    IMAGE_TO_IMAGE,
    INPAINTING,
    TEXT_TO_IMAGE,
    right_half,
)

if TYPE_CHECKING:
    from miagym.envs.service.settings import ServiceSettings
    from miagym.remote.settings import HostedSettings

    Takes = ServiceSettings | HostedSettings

Action = dict[str, Any]
DISTANCES = ("mean |d|", "root mean d²")
"""What an agent reads off a picture that arrived: of its difference d to what was uploaded, or to
the candidate where nothing was, in shares of the whole range of a pixel."""
INPAINTED = "inpainted"
MIN_DISTANCE = 1e-3
"""Distances below are read as this, before their logarithm: a third of a step of 8 bits."""


@dataclass(frozen=True)
class Way:
    """Way of calling a service about a candidate."""

    upload: str
    """Name of `UPLOADS`, or "blended"; "none" for a text to image, "inpainted" for the original
    whose right half is painted anew."""
    prompt: str = "caption"
    """Name of `PROMPTS`, or "another"."""
    strength: float = 1.0

    @classmethod
    def of(cls, text: str) -> Self:
        """Reads "turned@0.3", "turned+empty@0.3", or "none+cut" for a text to image.

        Raises:
            UnknownName: if there is no such upload or prompt.
            SettingsError: if the strength is none.
        """
        what, at, number = str(text).partition("@")
        upload, plus, prompt = what.partition("+")
        uploads, prompts = (*UPLOADS, BLENDED, INPAINTED, "none"), (*PROMPTS, ANOTHER)
        hint = "Ways are written as in turned+empty@0.3."
        if upload not in uploads:
            raise UnknownName("upload", upload, uploads, hint)
        if plus and prompt not in prompts:
            raise UnknownName("prompt", prompt, prompts, hint)
        try:
            strength = float(number) if at else 1.0
        except ValueError:
            strength = 0.0
        if not 0 < strength <= 1 or bool(at) == (upload == "none"):
            raise SettingsError(
                f"Expected a strength above 0, up to 1, for each upload, as in turned@0.3, and "
                f"none for a text to image, as in none+cut; got {text!r}."
            )
        return cls(upload, prompt or "caption", strength)

    @property
    def needs_another(self) -> bool:
        return self.upload == BLENDED or self.prompt == ANOTHER

    @property
    def kind(self) -> str:
        kinds = {"none": TEXT_TO_IMAGE, INPAINTED: INPAINTING}
        return kinds.get(self.upload, IMAGE_TO_IMAGE)

    def sample(
        self, about: UploadSample, other: UploadSample | None, rng: np.random.Generator
    ) -> UploadSample:
        """What is uploaded and written about a candidate.

        Args:
            about: the candidate.
            other: another picture of the agent's own.
            rng: of noise.
        """
        if self.needs_another:
            assert other is not None
        picture = about.picture
        if self.upload == BLENDED and other is not None:
            picture = blended(picture, other.picture)
        elif self.upload in UPLOADS:
            picture = UPLOADS[self.upload](picture, rng)
        if self.prompt == ANOTHER and other is not None:
            return UploadSample(picture, other.caption)
        return UploadSample(picture, PROMPTS[self.prompt](about.caption))

    def action(self, settings: Takes, sent: UploadSample, probability: float) -> Action:
        """The action that sends a sample this way, for one picture."""
        kinds = settings.kind.calls
        action: Action = {
            "question": kinds.index(self.kind),
            "prompt": sent.caption,
            "pictures": 1,
            "probability": probability,
            "stop": 0,
        }
        if settings.kind.takes_uploads:
            action |= {"picture": sent.picture, "strength": self.strength}
        if settings.kind.takes_masks:
            action["mask"] = right_half(settings.resolution)
        if settings.kind.takes_seeds:
            action["seed"] = 0
        if settings.kind.takes_guidance:
            action["guidance"] = 1.0
        return action


def ways_of(texts: Sequence[str], settings: Takes, other: UploadSample | None) -> tuple[Way, ...]:
    """Reads ways that a service takes.

    Raises:
        SettingsError: if there are none, one comes twice, the service does not take one, or one
            needs another picture, and there is none.
        UnknownName: if one names something that there is not.
    """
    if isinstance(texts, str) or not texts:
        raise SettingsError(f"Expected a list of one or more ways to call, got {texts!r}.")
    ways = tuple(Way.of(text) for text in texts)
    if len(set(ways)) < len(ways):
        raise SettingsError(f"Each way of calling is named once, got {list(texts)}.")
    for text, way in zip(texts, ways, strict=True):
        if way.kind not in settings.kind.calls:
            raise SettingsError(
                f"The service {settings.service} takes {' and '.join(settings.kind.calls)} only; "
                f"{text} is {way.kind}."
            )
        if way.needs_another and other is None:
            raise SettingsError(f"{text} needs another picture; give other=Sample(...).")
    return ways


def distances(upload: Picture, answer: Picture) -> tuple[float, float]:
    """Distances of an answer to what was uploaded, as in `DISTANCES`.

    An answer of another size is compared with the upload resized to it.
    """
    if answer.shape != upload.shape:
        size = (answer.shape[1], answer.shape[0])
        upload = np.asarray(Image.fromarray(upload).resize(size, Image.Resampling.LANCZOS))
    d = (answer.astype(np.float64) - upload) / 255
    return float(np.abs(d).mean()), float(np.sqrt((d**2).mean()))
