"""Shadow models by name: what each was trained on, and that none of them is the target."""

from __future__ import annotations

import os.path
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from miagym.candidates import Candidates
from miagym.data.dataset import Dataset
from miagym.data.dealt import FILE, ModelDeal, dealt_model, model_names
from miagym.data.registry import load_data
from miagym.errors import DataError, SettingsError
from miagym.oracle import Oracle, Shadows
from miagym.targets.base import Target
from miagym.targets.registry import local_folder
from miagym.training.record import TrainingRecord, record_of


@dataclass(frozen=True, eq=False)
class ShadowModels:
    """Loaded shadow models, with what each was trained on.

    Args:
        targets: the models (k).
        members: keys of the candidates that each was trained on (k).
        pool: all pictures that were dealt to them.
        memory: of scales, computed once a run.
    """

    targets: tuple[Target, ...]
    members: tuple[frozenset[str], ...]
    pool: Candidates
    memory: dict[Hashable, Any] = field(default_factory=dict)

    def through(self, door: Callable[[Target], Oracle]) -> Shadows:
        """The shadow models as an attack gets them, each through a door like the target's."""
        return Shadows(tuple(map(door, self.targets)), self.members, self.pool, self.memory)


def shadow_names(given: Sequence[str], target: str) -> tuple[str, ...]:
    """Names of shadow models; the folder of a population stands for all its models but the target.

    Raises:
        DataError: if the record of a population's deal is broken.
        SettingsError: if one is the target itself.
    """
    names: dict[str, None] = {}
    for name in given:
        folder = local_folder(name)
        if os.path.isfile(folder / FILE):
            models = model_names(name, len(ModelDeal.read(folder)))
            names |= dict.fromkeys(each for each in models if each != target)
        elif name == target:
            raise SettingsError(
                f"{target} cannot be its own shadow model: it knows the answer. Name others."
            )
        else:
            names[name] = None
    return tuple(names)


def load_shadows(
    names: Sequence[str], name: str, target: Target, load: Callable[[str], Target]
) -> ShadowModels:
    """Loads shadow models for a target.

    Args:
        names: of the shadow models.
        name: of the target.
        target: the target itself.
        load: loads a model by its name.

    Raises:
        DataError: if it is not known what one was trained on, or its records disagree.
        SettingsError: if one is the target, was trained like it on the same pictures, or is of
            another architecture.
    """
    models, members, pool = [], [], dict[str, Candidates]()
    own = record_of(name)
    for each in names:
        record, data = known_deal(each)
        if own and (own.data_digest, own.rows) == (record.data_digest, record.rows):
            raise SettingsError(
                f"{each} was trained on the very pictures that {name} was, so it knows the answer; "
                "leave it out of the shadow models."
            )
        model = load(each)
        if model.fingerprint and model.fingerprint == target.fingerprint:
            raise SettingsError(
                f"{each} is {name} under another name; leave it out of the shadow models."
            )
        if _shapes(model) != _shapes(target):
            raise SettingsError(
                f"{each} is of another architecture than {name}; a shadow model has the same "
                "layers, so that their scores can be compared."
            )
        candidates = data.candidates(np.arange(len(data)), target.resolution)
        models.append(model)
        members.append(frozenset(candidates.keys[row] for row in record.rows))
        pool |= {key: candidates[[i]] for i, key in enumerate(candidates.keys) if key not in pool}
    images = np.concatenate([one.images for one in pool.values()])
    captions = tuple(one.captions[0] for one in pool.values())
    return ShadowModels(tuple(models), tuple(members), Candidates(images, captions))


def known_deal(name: str) -> tuple[TrainingRecord, Dataset]:
    """The training record of a shadow model, and the data that its rows are of."""
    record = record_of(name)
    if record is None:
        raise DataError(
            f"Nothing is known of what {name} was trained on; expected shadow models that "
            "`miagym train` has made, a population say."
        )
    is_dealt = dealt_model(local_folder(name)) is not None
    data = load_data(name if is_dealt else record.data)
    if is_dealt:
        agrees = record.rows == tuple(np.flatnonzero(data.member).tolist())
    else:
        agrees = set(record.rows) <= set(range(len(data)))
    if data.digest != record.data_digest or not agrees:
        raise DataError(
            f"{name} was trained on other pictures than its deal says: training.json and "
            f"{FILE if is_dealt else record.data} disagree; train it again."
        )
    return record, data


def _shapes(model: Target) -> tuple[object, ...]:
    parameters = getattr(model, "parameters", list)()
    return type(model), model.latent_shape, [tuple(p.shape) for p in parameters]
