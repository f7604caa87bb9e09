"""Playing from a table: the candidates and answers of a game, without models and without torch."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from miagym.candidates import Candidates
from miagym.data.dataset import Dataset
from miagym.envs.answers.table import AnswerTable
from miagym.envs.sampler import CandidateSplit, shared_data
from miagym.envs.settings import Settings
from miagym.envs.state.moves import PaidQuestion, StepAnswers
from miagym.errors import SettingsError


class TabulatedSplit(CandidateSplit):
    """Candidates of one split, decoded once."""

    def __init__(self, data: Dataset, split: str, size: int) -> None:
        super().__init__(data, split, size)
        self.everybody = super().candidates(np.arange(len(self)))
        self._keys = self.everybody.keys

    def candidates(self, places: NDArray[np.integer]) -> Candidates:
        """Candidates at some places of the split, as an attacker sees them."""
        everybody = self.everybody
        captions, keys = ([all_[i] for i in places] for all_ in (everybody.captions, self._keys))
        return Candidates(everybody.images[places], tuple(captions), tuple(keys))


@dataclass(frozen=True, eq=False)
class TabulatedTarget:
    """What a game needs of a target that is not there."""

    name: str
    fingerprint: str
    tokens: dict[str, NDArray[np.int32]]
    """By caption (77,)."""

    def tokenize(self, prompts: Sequence[str]) -> NDArray[np.int32]:
        """Token ids (n, 77) of captions of the table."""
        return np.stack([self.tokens[prompt] for prompt in prompts])


@dataclass(frozen=True, eq=False)
class TableWorld:
    """Candidates and answers of a game that is played from a table."""

    target: TabulatedTarget
    split: TabulatedSplit
    table: AnswerTable
    rows: NDArray[np.int64]
    """Row of the table, of each place of the split."""

    @classmethod
    def load(cls, settings: Settings) -> Self:
        """Loads the candidates that the settings name.

        Raises:
            DataError: if the data cannot be loaded.
            SettingsError: if they are others than those that the table is about.
        """
        table, data = settings.answers, settings.data_name
        assert table is not None
        data = shared_data(data) if isinstance(data, str) else data
        split = TabulatedSplit(data, settings.split, table.record.size)
        keys = split.everybody.keys
        if data.digest != table.record.data_digest or not set(keys) <= table.places.keys():
            raise SettingsError(
                f"The table of answers {table.path} is about other pictures than those of "
                f"{data.name} ({table.record.data_digest}, {data.digest}); play with the data it "
                "was made with, or tabulate answers about these."
            )
        rows = np.array([table.places[key] for key in keys])
        tokens = dict(zip(split.everybody.captions, table.tokens[rows], strict=True))
        target = TabulatedTarget(table.record.target, table.record.fingerprint, tokens)
        return cls(target, split, table, rows)

    @property
    def questions(self) -> tuple[str, ...]:
        """The table's menu."""
        return self.table.record.questions


class TableQuestioner:
    """Answers questions from a table, as `Questioner` does by asking."""

    def __init__(self, settings: Settings, world: TableWorld) -> None:
        self._table = world.table
        self._question = question_numbers(settings)

    def forget(self, episode: int) -> None:
        """Nothing is remembered of an episode but what the game counts."""

    def saved(self) -> None:
        """Nothing to be saved, since answers do not depend on what was asked of others."""

    def restore(self, saved: object) -> None:
        """Nothing to be restored."""

    def ask(
        self, asked: Sequence[PaidQuestion], candidates: Sequence[Candidates | None]
    ) -> StepAnswers:
        """Looks all answers up."""
        rows = []
        for one in asked:
            dealt = candidates[one.episode]
            assert dealt is not None
            rows.append(self._table.places[dealt.keys[one.candidate]])
        questions = self._question[[one.question for one in asked]]
        draws, earlier = (
            np.array([getattr(one, name) for one in asked]) for name in ("draw", "earlier")
        )
        values = self._table.values(np.array(rows), questions, draws, earlier)
        pictures = self._table.pictures
        if pictures is None:
            return StepAnswers(values, [None] * len(asked))
        at = questions * self._table.record.draws + draws
        return StepAnswers(
            values, [_picture(pictures[row][i]) for row, i in zip(rows, at, strict=True)]
        )


def question_numbers(settings: Settings) -> NDArray[np.int64]:
    """Number within the table's menu of each question of an environment's (K,)."""
    assert settings.answers is not None
    has = settings.answers.record.questions
    return np.array([has.index(question.name) for question in settings.menu])


def _picture(content: bytes) -> NDArray[np.uint8] | None:
    return np.asarray(Image.open(io.BytesIO(content))) if content else None
