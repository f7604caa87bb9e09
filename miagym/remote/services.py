"""Services by name, and how they are called: what callers elsewhere and the game agree on."""

from __future__ import annotations

import string
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from miagym.errors import ActionError

TEXT_TO_IMAGE, IMAGE_TO_IMAGE, INPAINTING = "text-to-image", "image-to-image", "inpainting"

MAX_PROMPT = 500
"""Characters of a prompt; models read the first 77 tokens."""
MAX_GUIDANCE = 20.0
"""Largest guidance scale of a call; 1 is off."""
LETTERS = string.ascii_letters + string.digits + string.punctuation + " "


class Service(StrEnum):
    """Services by name, as they are met."""

    PROMPT_ONLY = "prompt-only"
    IMAGE_TO_IMAGE = "image-to-image"
    INPAINTING = "inpainting"
    FULL = "full"

    @property
    def calls(self) -> tuple[str, ...]:
        """Kinds of calls that it takes."""
        return {
            Service.PROMPT_ONLY: (TEXT_TO_IMAGE,),
            Service.IMAGE_TO_IMAGE: (IMAGE_TO_IMAGE,),
            Service.INPAINTING: (INPAINTING,),
            Service.FULL: (TEXT_TO_IMAGE, IMAGE_TO_IMAGE, INPAINTING),
        }[self]

    @property
    def takes_uploads(self) -> bool:
        return self is not Service.PROMPT_ONLY

    @property
    def takes_masks(self) -> bool:
        return INPAINTING in self.calls

    @property
    def takes_seeds(self) -> bool:
        """Whether the caller may choose the seed of the noise."""
        return self is Service.FULL

    @property
    def takes_guidance(self) -> bool:
        """Whether the caller may choose the guidance scale."""
        return self is Service.FULL


class Prompt(spaces.Text):
    """Text of up to `MAX_PROMPT` characters, whatever they are; samples are of ASCII."""

    def __init__(self) -> None:
        super().__init__(max_length=MAX_PROMPT, min_length=0, charset=LETTERS)

    def contains(self, x: Any) -> bool:
        return isinstance(x, str) and len(x) <= MAX_PROMPT

    def __repr__(self) -> str:
        return "Prompt()"


def right_half(size: int) -> NDArray[np.int8]:
    """Mask (size, size) of the right half of a picture."""
    mask = np.zeros((size, size), dtype=np.int8)
    mask[:, size // 2 :] = 1
    return mask


def call_action(space: spaces.Dict, service: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """A whole action from what of it is given.

    Args:
        space: of the service's actions.
        service: its name.
        given: parts of the action, a prompt and a picture among them where it takes these.

    Raises:
        ActionError: if this service takes no such thing.
    """
    known = space.spaces
    if unknown := sorted(set(given) - set(known)):
        raise ActionError(
            f"The service {service} takes {', '.join(sorted(known))}; got {', '.join(unknown)}."
        )
    defaults: dict[str, Any] = {"question": 0, "pictures": 1, "probability": 0.5, "stop": 0}
    if "strength" in known:
        defaults["strength"] = 1.0
    if "mask" in known:
        defaults["mask"] = right_half((known["mask"].shape or (0,))[0])
    if "seed" in known:
        defaults["seed"] = 0
    if "guidance" in known:
        defaults["guidance"] = 1.0
    return {**defaults, **given}
