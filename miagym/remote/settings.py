"""Settings of a hosted task, as its host tells them: menu, prices and sizes; never a target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from miagym.remote.services import Service


@dataclass(frozen=True)
class HostedQuestion:
    """Question of a hosted menu."""

    name: str
    """As in "variation@0.3"."""
    price: int
    """In the task's coin."""

    @property
    def kind(self) -> str:
        return self.name.partition("@")[0]

    @property
    def strength(self) -> float | None:
        """Of a variation; None of a text to image."""
        value = self.name.partition("@")[2]
        return float(value) if value else None


@dataclass(frozen=True)
class HostedSettings:
    """Settings of a hosted task by the names that `miagym.envs.settings.Settings` has for them."""

    task: str
    menu: tuple[HostedQuestion, ...]
    budget: int
    """Of a hand."""
    unit: str
    """What budgets and prices are counted in."""
    candidates: int
    slots: int
    statistics: int
    """Statistics that an answer comes with."""
    max_answers: int
    resolution: int
    """Side of the pictures in pixels."""
    steps: int
    """DDIM steps of a whole text to image."""
    guidance_scale: float
    defence: str
    """What is done to the pictures of a menu."""
    reference: str | None
    """Name of the public model whose pictures are told beside."""
    service: str
    """Which calls it takes, as `Service` has them; empty where there is a menu of questions."""
    answer_side: int
    """Side of the pictures that arrive in pixels."""

    @property
    def kind(self) -> Service:
        """The service that it is."""
        return Service(self.service)

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """Reads what `GET /tasks/{task}` says."""
        menu = tuple(HostedQuestion(one["question"], one["price"]) for one in told["menu"])
        called_otherwise = {"menu": menu, "resolution": told["size"]}
        names = {one.name for one in fields(cls)} - called_otherwise.keys()
        return cls(**{name: told[name] for name in names}, **called_otherwise)
