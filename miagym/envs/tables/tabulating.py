"""Tabulating: every question about every candidate under every draw, asked once."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from miagym import __version__
from miagym.candidates import Candidates
from miagym.data.dataset import Dataset
from miagym.envs.answers.record import TableRecord
from miagym.envs.answers.table import AnswerTable
from miagym.envs.asking import Questioner, as_bytes
from miagym.envs.sampler import CandidateSplit, shared_data
from miagym.envs.settings import SPLITS, Settings
from miagym.envs.state.moves import PaidQuestion
from miagym.envs.statistics import statistic_of_mean, statistics_of
from miagym.envs.world import World
from miagym.errors import SettingsError, option
from miagym.progress import Progress, silent


def tabulate(
    settings: Settings,
    splits: Sequence[str],
    *,
    pictures: bool = False,
    progress: Progress = silent,
) -> AnswerTable:
    """Asks every question of a menu about every candidate, under each draw of noise.

    A game that is played from the table equals the live one to the bit if that asks in batches of
    the same size: of one row, since the size of other batches depends on the game.

    Args:
        settings: whom to ask what, with `draws`; the budget is the largest that will be played.
        splits: whose candidates.
        pictures: whether to keep the pictures that answer as well.
        progress: told of each candidate.

    Raises:
        SettingsError: if the settings name no number of draws, or there is no split.
        TargetError, DataError: if target or data cannot be loaded.
    """
    if settings.draws is None:
        raise SettingsError(
            f"A table holds so many draws of noise: name them, {option('draws', 16)} say."
        )
    if settings.family is not None:
        raise SettingsError(
            f"A table of answers is about one target; name it with {option('target')}, no family."
        )
    if not splits or len(set(splits)) < len(splits) or not set(splits) <= set(SPLITS):
        raise SettingsError(
            f"Expected {option('splits')} of {', '.join(SPLITS)}, each once; got {list(splits)}."
        )
    world, data = World.load(settings), settings.data_name
    data = shared_data(data) if isinstance(data, str) else data
    parts = [CandidateSplit(data, split, world.target.resolution) for split in splits]
    record = _record(settings, world, data, tuple(splits), pictures)
    step = progress("Candidates", sum(map(len, parts)))
    asked = [
        (dealt, _about(dealt, settings, world, pictures))
        for split in parts
        for dealt in (split.candidates(np.array([place])) for place in range(len(split)))
        if step() is None
    ]
    kept = tuple(one[2] for _, one in asked)
    return AnswerTable(
        record,
        path="",
        keys=tuple(dealt.keys[0] for dealt, _ in asked),
        tokens=world.target.tokenize([dealt.captions[0] for dealt, _ in asked]),
        own=np.stack([one[0] for _, one in asked]),
        means=np.stack([one[1] for _, one in asked]),
        pictures=kept if pictures else None,
    )


def _record(
    settings: Settings, world: World, data: Dataset, splits: tuple[str, ...], pictures: bool
) -> TableRecord:
    reference, draws = world.reference, settings.draws
    assert draws is not None
    return TableRecord(
        target=world.target.name if not isinstance(settings.target, str) else settings.target,
        fingerprint=world.target.fingerprint,
        reference=settings.reference if isinstance(settings.reference, str | None)
        else settings.reference.name,
        reference_fingerprint="" if reference is None else reference.fingerprint,
        reference_noise=settings.reference_noise,
        data=settings.data_name if isinstance(settings.data_name, str) else data.name,
        data_digest=data.digest,
        access=settings.access,
        questions=tuple(question.name for question in settings.menu),
        splits=splits,
        steps=int(settings.steps),
        guidance_scale=float(settings.guidance_scale),
        defence=settings.defence,
        noise_seed=int(settings.noise_seed),
        draws=int(draws),
        budget=int(settings.budget),
        size=world.target.resolution,
        batch_size=int(settings.batch_size),
        pictures=pictures,
        version=__version__,
        torch=torch.__version__,
    )  # fmt: skip


def _about(
    dealt: Candidates, settings: Settings, world: World, pictures: bool
) -> tuple[NDArray[np.float32], NDArray[np.float32], tuple[bytes, ...]]:
    """Of one candidate: single answers (K, D, models, 3), means (K, D, L, models), and PNGs."""
    questioner, draws = Questioner(settings, world, 1), range(settings.draws or 0)
    own, means, kept = [], [], []
    for number, question in enumerate(settings.menu):
        batch = [PaidQuestion(0, 0, 0, number, draw) for draw in draws]
        answers = questioner.answers(question.kind, batch, [dealt])
        singles = [statistics_of(one.difference, one.difference)[:, :3] for one in answers]
        own.append(torch.stack(singles, dim=1).cpu().numpy())
        averages = [_means(one.difference, settings.max_answers) for one in answers]
        means.append(torch.stack(averages, dim=2).cpu().numpy())
        shown = answers[0].images if pictures else None
        kept += [b""] * len(draws) if shown is None else map(_png, as_bytes(shown))
    return np.stack(own), np.stack(means), tuple(kept)


def _means(difference: Tensor, longest: int) -> Tensor:
    """Statistics (D, L) of means of l + 1 answers since draw d, summed in the order of asking."""
    total, found = torch.zeros_like(difference), []
    for answers in range(longest):
        total = total + difference.roll(-answers, dims=0)
        found.append(statistic_of_mean(total / (answers + 1)))
    return torch.stack(found, dim=1)


def _png(picture: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()
