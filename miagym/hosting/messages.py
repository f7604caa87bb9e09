"""Messages of a hosted game: what may be asked, checked field by field, and how answers travel."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any

from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from miagym.envs.service.calls import SEEDS
from miagym.envs.settings import Settings
from miagym.envs.statistics import MAX_STATISTIC
from miagym.hosting.suite import HostedTask
from miagym.remote.client import MAX_QUESTIONS
from miagym.remote.pictures import as_png
from miagym.remote.services import MAX_GUIDANCE, MAX_PROMPT
from miagym.targets.sizes import TOKENS, VOCABULARY

RequestId = Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
"""Chosen by the player, one for each request: whoever sends it again is not charged again."""
Name = Annotated[str, Field(min_length=1, max_length=64)]


class Message(BaseModel):
    """Message with no other fields than those named."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Reset(Message):
    """Begins the next hand, or shows the one again that nothing was asked about."""

    request_id: RequestId


class Step(Message):
    """Action of the environment, as `miagym/Pool-v0` takes it."""

    request_id: RequestId
    action: dict[str, Any]
    begun: Annotated[str, Field(max_length=32)] | None = None
    """What the reset told by which the player has begun this hand; refused after another one."""


class Question(Message):
    """Question of the menu about one candidate."""

    candidate: Name
    question: Name


class Query(Message):
    """Questions about any candidates of the walk; each is charged to its hand."""

    request_id: RequestId
    questions: Annotated[list[Question], Field(min_length=1, max_length=MAX_QUESTIONS)]


class Call(Message):
    """Call to a service about one candidate, charged to its hand."""

    request_id: RequestId
    candidate: Name
    kind: Name
    """"text-to-image", "image-to-image" or "inpainting"."""
    prompt: Annotated[str, Field(max_length=MAX_PROMPT)]
    picture: str | None = None
    """What the last two begin from: any picture, as PNG in base64."""
    strength: Annotated[float, Field(gt=0, le=1)] | None = None
    """How much of it is given up."""
    mask: str | None = None
    """Of an inpainting: PNG in base64, white where it paints."""
    pictures: Annotated[int, Field(ge=1)] = 1
    """How many to bring, each with noise of its own."""
    seed: Annotated[int, Field(ge=0)] | None = None
    """Of the noise, where the caller chooses it."""
    guidance: Annotated[float, Field(ge=1, le=MAX_GUIDANCE)] | None = None
    """Where the caller chooses it; 1 is off."""


Played = Reset | Step | Query | Call


def is_asking(message: Played) -> bool:
    """Whether a request asks the model something; a step that gives the verdict does not."""
    if isinstance(message, Step):
        return message.action.get("stop") != 1
    return not isinstance(message, Reset)


def body_of(message: Played) -> str:
    """What a request asks for, without its name: how it is written down, and compared."""
    if isinstance(message, Step):
        since = {} if message.begun is None else {"begun": message.begun}
        return json.dumps({"kind": "step", "action": message.action, **since}, sort_keys=True)
    if isinstance(message, Query):
        asked = [[one.candidate, one.question] for one in message.questions]
        return json.dumps({"kind": "query", "questions": asked})
    if isinstance(message, Call):
        called = message.model_dump(exclude={"request_id"}, exclude_none=True)
        return json.dumps({"kind": "call", "call": called}, sort_keys=True)
    return json.dumps({"kind": "reset"})


def observed(observation: dict[str, NDArray[Any]]) -> dict[str, Any]:
    """What of an observation changes in play: numbers as lists, pictures as PNG or none."""
    found: dict[str, Any] = {}
    for name, value in observation.items():
        if name in ("candidates", "captions", "candidate", "caption"):
            continue  # told by `reset` once
        found[name] = (
            [as_png(image) if image.any() else None for image in value]
            if name == "images"
            else value.tolist()
        )
    return found


def described(task: HostedTask, phase: str, settings: Settings) -> dict[str, Any]:
    """A task as players are told: menu, prices, sizes, and how much there is to play; no target."""
    return {
        "task": task.name,
        "about": task.about,
        "phase": phase,
        "menu": [{"question": one.name, "price": one.price} for one in settings.menu],
        "budget": task.budget,
        "candidates": task.candidates,
        "slots": task.slots,
        "hands": task.hands,
        "walks": task.in_phase(phase, task.walks),
        "submissions_a_day": task.in_phase(phase, task.submissions_a_day),
        "reference": task.reference,
        "steps": task.steps,
        "guidance_scale": settings.guidance_scale,
        "service": task.service,
        "unit": settings.unit,
        "tariff": asdict(task.prices),
        "filter": task.prompt_filter and {"charged": task.prompt_filter.charged},
        "calls_a_minute": task.calls_a_minute,
        "answer_side": settings.answer_side,
        "jpeg": task.jpeg,
        "defence": task.defence,
        "seeds": SEEDS,
        "size": settings.resolution,
        "statistics": 0 if task.service else settings.statistics,
        "max_answers": settings.max_answers,
        "max_steps": settings.step_limit,
        "price": settings.price,
        "tokens": TOKENS,
        "vocabulary": VOCABULARY,
        "max_statistic": MAX_STATISTIC,
    }
