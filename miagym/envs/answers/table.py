"""Table of answers: in memory, and whether it fits an environment."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from miagym.envs.answers.record import TableRecord
from miagym.errors import SettingsError

if TYPE_CHECKING:
    from miagym.envs.settings import Settings

RULES = (
    "reference_noise", "access", "steps", "guidance_scale", "defence", "noise_seed", "draws"
)  # fmt: skip
"""Settings on which an answer depends, beside models and data."""


@dataclass(frozen=True, eq=False)
class AnswerTable:
    """What K questions answer about n candidates, under each of D draws of noise.

    Draw by draw an answer has three statistics of its own for each model that is asked, and one of
    the mean of all answers since the episode's first, which is kept for each first draw and number.
    """

    record: TableRecord
    path: str
    """Where it was read; "" of one that was just made."""
    keys: tuple[str, ...]
    """Of the n candidates: a digest of picture and caption."""
    tokens: NDArray[np.int32]
    """Their captions as the target's text encoder reads them (n, 77)."""
    own: NDArray[np.float32]
    """Statistics of single answers (n, K, D, models, 3); the target first, then the reference."""
    means: NDArray[np.float32]
    """Statistics of mean answers (n, K, D, L, models), by first draw and number of answers."""
    pictures: tuple[tuple[bytes, ...], ...] | None = None
    """PNGs by candidate, then by question and draw (K D); empty of a question without pictures."""

    def __repr__(self) -> str:
        """Sizes, and none of the numbers."""
        record = self.record
        return (
            f"<AnswerTable of {record.target}: {len(self.keys):,} candidates, "
            f"{len(record.questions)} questions, {record.draws} draws>"
        )

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # nothing in it is ever changed

    @cached_property
    def places(self) -> dict[str, int]:
        """Rows by the keys of their candidates."""
        return {key: row for row, key in enumerate(self.keys)}

    @property
    def options(self) -> dict[str, Any]:
        """Options of an environment that it fits, but for split and budget."""
        names = ("target", "reference", "data", "questions", *RULES)
        return {name: getattr(self.record, name) for name in names}

    def values(
        self,
        rows: NDArray[np.integer],
        questions: NDArray[np.integer],
        draws: NDArray[np.integer],
        earlier: NDArray[np.integer],
    ) -> NDArray[np.float32]:
        """Statistics (k, F) of answers, as a live game computes them.

        Args:
            rows: of the candidates (k,).
            questions: numbers within the table's menu (k,).
            draws: of the answers (k,), from 0 to D - 1.
            earlier: answers to the same question about the same candidate before them (k,).
        """
        first = (draws - earlier) % self.record.draws
        own = self.own[rows, questions, draws]
        mean = self.means[rows, questions, first, earlier]
        return np.concatenate([own, mean[..., None]], axis=-1).reshape(len(rows), -1)

    def check_fits(self, settings: Settings) -> None:
        """Checks that a game with these settings can be played from it.

        Raises:
            SettingsError: naming the first setting under which its answers would be others.
        """
        record, whose = self.record, f"The table of answers {self.path}".rstrip()
        wanted = {name: getattr(settings, name) for name in RULES}
        wanted |= {"target": _name(settings.target), "reference": _name(settings.reference)}
        if isinstance(settings.data_name, str):
            wanted["data"] = settings.data_name
        for name, value in wanted.items():
            if value != (has := getattr(record, name)):
                raise SettingsError(
                    f"{whose} was made with {name}={has!r}, and this environment has "
                    f"{name}={value!r}; leave {name} out, or tabulate answers with it."
                )
        for name, model in (("", settings.target), ("reference_", settings.reference)):
            found = getattr(model, "fingerprint", None)
            if found not in (None, had := getattr(record, f"{name}fingerprint")):
                raise SettingsError(
                    f"{whose} has answers of other weights ({had or 'none'}) than those of "
                    f"{_name(model)} ({found or 'none'}); tabulate its answers anew."
                )
        asked = [question.name for question in settings.menu]
        if unknown := [name for name in asked if name not in record.questions]:
            raise SettingsError(
                f"{whose} has no answers to {unknown[0]}; expected some of "
                f"{', '.join(record.questions)}."
            )
        if settings.split not in record.splits:
            raise SettingsError(
                f"{whose} holds candidates of {', '.join(record.splits)} and none of "
                f"{settings.split!r}; expected one of these as split."
            )
        if settings.budget > record.budget:
            raise SettingsError(
                f"{whose} serves a budget of up to {record.budget} UNet rows, and this environment "
                f"has {settings.budget}; lower budget, or tabulate answers for a larger one."
            )


def _name(model: Any) -> str | None:
    return model if model is None or isinstance(model, str) else model.name
