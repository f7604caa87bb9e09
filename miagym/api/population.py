"""`miagym.evaluate_population`: attacks on every model of a population, each with all others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from miagym.api.names import AttackLike, attacks_of, blind_attacks
from miagym.candidates import Candidates
from miagym.data.dealt import FILE, ModelDeal, model_names
from miagym.data.registry import load_data
from miagym.errors import AttackError, DataError, UnknownName
from miagym.evaluation.protocol import LearnedAttack, cross_fitted
from miagym.evaluation.shadow_models import known_deal
from miagym.evaluation.signals import checked_scores
from miagym.metrics.resampling.over_models import MIN_MODELS, OverModels, over_models
from miagym.oracle import Access, Cache, Oracle
from miagym.progress import Progress, silent
from miagym.targets.base import Target
from miagym.targets.registry import load_target, local_folder

if TYPE_CHECKING:
    from attacks import Attack
    from attacks.shadow.base import ShadowAttack

Scores = NDArray[np.float64]
CHUNK = 256
"""Candidates at work at a time; answers about them are kept until all attacks are done."""


@dataclass(frozen=True, eq=False)
class PopulationRun:
    """Attacks on all models of a population.

    Args:
        name: of the population.
        inside: which model was trained on which picture (k, n).
        scores: by attack (k, n), higher = member.
        access: by attack.
        rows: by attack, with intervals over models and pictures.
        seed: of noise and resampling.
    """

    name: str
    inside: NDArray[np.bool_]
    scores: Mapping[str, Scores]
    access: Mapping[str, str]
    rows: Mapping[str, OverModels]
    seed: int

    def gain(self, first: str, second: str) -> OverModels:
        """What one attack gains over another, paired by model and picture.

        Raises:
            UnknownName: if one of them was not run.
        """
        for name in (first, second):
            if name not in self.scores:
                raise UnknownName("attack of this run", name, list(self.scores))
        return over_models(self.scores[first], self.inside, self.seed, self.scores[second])

    def as_json(self) -> dict[str, Any]:
        """Plain numbers: what `miagym population --json` prints."""
        rows = [
            {"attack": name, "access": self.access[name], **row.as_row()}
            for name, row in self.rows.items()
        ]
        return {"population": self.name, "rows": rows}


def evaluate_population(
    population: str | Path,
    attacks: AttackLike = "sima,sima+reference,sima+lira,sima+bavaria",
    *,
    seed: int = 0,
    device: str = "auto",
    batch_size: int = 64,
    progress: Progress = silent,
) -> PopulationRun:
    """Runs attacks on each model of a population, under their default hyperparameters.

    Nothing is chosen on the pictures that are scored, so all of them are tested on. For attacks by
    shadow models, all other models are the shadows of each; the reference is the common base.
    Blind rows, fitted on one half of a model's pictures and measured on the other, are part of
    every run: their deal was random, so they are at chance or something is wrong.

    Args:
        population: its folder, or the name of the embedded one.
        attacks: names, as `evaluate` takes them; none that learns a rule but the blind ones.
        seed: of noise, halves and resampling.
        device: "auto", "cpu", "cuda", "mps".
        batch_size: latents in one call of a model.
        progress: shows how far it is.

    Raises:
        DataError: if this is no population, its records are broken, or it has fewer than 8 models.
        AttackError: if an attack learns its rule.
    """
    name = str(population).rstrip("/")
    folder = local_folder(name)
    if not (folder / FILE).is_file():
        raise DataError(
            f"{name} is no population; expected a folder with {FILE} in it, as `miagym train` "
            "makes it."
        )
    deal, wanted = ModelDeal.read(folder), attacks_of(attacks)
    for each, attack in wanted.items():
        if isinstance(attack, LearnedAttack) and attack.access > Access.BLIND:
            raise AttackError(
                f"{each} learns a rule from a calibration part, which a population has not; "
                "evaluate it on one model with `miagym evaluate`."
            )
    asking = {each: a for each, a in wanted.items() if a.access > Access.BLIND}
    if len(deal) < MIN_MODELS:
        raise DataError(
            f"An interval over models needs {MIN_MODELS} of them or more, and {name} has "
            f"{len(deal)}; train one of more, or evaluate its models each by itself."
        )
    names = model_names(name, len(deal))
    for each in names:
        known_deal(each)
    models = [load_target(each, device=device) for each in names]
    base = load_target(deal.base, device=device)
    data, m = load_data(names[0]), len(deal.rows)
    candidates = data.candidates(np.arange(m), base.resolution)
    inside = deal.inside
    scores = _blind(blind_attacks(), candidates, inside, seed)
    options = {"seed": seed, "batch_size": batch_size}
    signals = _signals(asking.values(), models, base, candidates, options, progress)
    scores |= {each: _compared(attack, signals, inside) for each, attack in asking.items()}
    every = blind_attacks() | asking
    return PopulationRun(
        name,
        inside,
        scores,
        {each: str(every[each].access) for each in scores},
        {each: over_models(found, inside, seed) for each, found in scores.items()},
        seed,
    )


def _signals(
    attacks: Iterable[Attack],
    models: Sequence[Target],
    base: Target,
    candidates: Candidates,
    options: Mapping[str, Any],
    progress: Progress,
) -> dict[str, Scores]:
    """Scores (k, n) of each attack by itself under each model, by its `repr`.

    A few candidates at a time are asked about by all of them under one cache, so that no picture
    or caption is encoded twice by a model.
    """
    alone = {repr(attack): attack for attack in map(_alone, attacks)}
    found: dict[str, list[Scores]] = {name: [] for name in alone}
    done = progress("asking", -(-len(candidates) // CHUNK))
    for start in range(0, len(candidates), CHUNK):
        some, cache = candidates[start : start + CHUNK], Cache()
        for name, attack in alone.items():
            public = Oracle(base, attack.access, cache=cache, **options)
            oracles = [
                Oracle(model, attack.access, cache=cache, reference=public, **options)
                for model in models
            ]
            scores = [checked_scores(attack, attack(each, some), len(some)) for each in oracles]
            found[name].append(np.stack(scores))
        done()
    return {name: np.concatenate(parts, axis=1) for name, parts in found.items()}


def _shadow(attack: Attack) -> ShadowAttack | None:
    """The attack without its pinned hyperparameters, if it compares with shadow models."""
    from attacks.pinned import Pinned
    from attacks.shadow.base import ShadowAttack

    bare = attack.attack if isinstance(attack, Pinned) else attack
    return bare if isinstance(bare, ShadowAttack) else None


def _alone(attack: Attack) -> Attack:
    """The attack that each model is asked by, whoever else's shadow it is."""
    shadow = _shadow(attack)
    return attack if shadow is None else shadow.attack


def _compared(attack: Attack, signals: Mapping[str, Scores], inside: NDArray[np.bool_]) -> Scores:
    """Scores (k, n) of an attack under each model, the others being its shadows if it has any."""
    from attacks.shadow.likelihood import Scale

    own, shadow = signals[repr(_alone(attack))], _shadow(attack)
    if shadow is None:
        return own
    found = []
    for i, signal in enumerate(own):
        others, rest = np.delete(own, i, axis=0), np.delete(inside, i, axis=0)
        shadow.check_enough(rest)
        scores = shadow.compare(signal, others, rest, Scale.of(others, rest))
        found.append(checked_scores(attack, scores, own.shape[1]))
    return np.stack(found)


def _blind(
    attacks: Mapping[str, Any], candidates: Candidates, inside: NDArray[np.bool_], seed: int
) -> dict[str, Scores]:
    """Scores (k, n) of attacks that see no model, each half by a rule fitted to the other."""
    from miagym.targets.dummy import DummyTarget

    scores: dict[str, Scores] = {}
    oracle = Oracle(DummyTarget(candidates[:1]), Access.BLIND)
    for name, attack in attacks.items():
        features = attack.features(oracle, candidates)
        held = [cross_fitted(attack, features, member, seed) for member in inside]
        if all(one is not None for one in held):
            scores[name] = np.stack([one for one in held if one is not None])
    return scores
