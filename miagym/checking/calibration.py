"""Calibration: what the attacks say of pictures whose membership is known, in two parts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from miagym import __version__
from miagym.checking.cache import SHIPPED, Kept, load, save
from miagym.checking.survey import CHUNK, Survey
from miagym.data.dataset import CALIBRATION, Dataset
from miagym.errors import DataError, option
from miagym.evaluation.protocol import Attack
from miagym.evaluation.signals import Signals
from miagym.metrics.labelled import Labelled, best_variant
from miagym.progress import Progress, silent

MIN_CALIBRATION = 30
"""Members, and non-members, below which nothing is said of a picture."""
FITTING = 1
"""Tells the randomness of the halves from that of the order of rows."""
RANKED, LEARNED = 99, 20
"""Non-members that resolve a p-value of 1 %, and those that the combination needs at least."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """Signals of n pictures of the calibration part; the test part is never asked about.

    Args:
        member: labels (n,).
        fitting: which pictures variants and combination may learn from (n,); the others rank.
        groups: group numbers (n,): near-duplicates and series, which are not independent.
        keys: of the candidates (n,), to recognise one that is asked about.
        looks: for the guard (n, d).
        attacks: by name, the variant that the fitting part chose.
        signals: by name, (n, d) under that variant.
        left_out: attacks that could not be run, and why.
    """

    member: NDArray[np.bool_]
    fitting: NDArray[np.bool_]
    groups: NDArray[np.integer]
    keys: tuple[str, ...]
    looks: NDArray[np.float64]
    attacks: Mapping[str, Attack]
    signals: Mapping[str, NDArray[np.float64]]
    left_out: Mapping[str, str]


def calibrate(
    signals: Signals,
    data: Dataset,
    *,
    captioned: bool = True,
    limit: int | None = None,
    folder: Path | None = None,
    progress: Progress = silent,
) -> Calibration:
    """Asks all attacks about the calibration part, or remembers that they were asked.

    Args:
        signals: attacks, target and seed.
        data: the members of the target, and non-members like them.
        captioned: whether they are asked about under their captions, or under none.
        limit: at most so many members, and so many non-members.
        folder: where calibrations are kept, beside those that the package brings; None keeps none.
        progress: of what takes time.

    Raises:
        DataError: if there are fewer than `MIN_CALIBRATION` of a side, or no attack can be run.
    """
    rows = data.rows(CALIBRATION, signals.seed, limit)
    member = data.member[rows]
    _check_sizes(member, data, limit)
    path = None
    if folder is not None and signals.target.fingerprint:
        path = folder / f"{_name(signals, data, captioned, limit)}.safetensors"
        for kept in map(load, (path, SHIPPED / path.name)):
            if kept is not None and (found := restored(kept, signals)):
                return found
    made = _asked(signals, data, rows, captioned, progress)
    if path is not None:
        save(path, stored(made))
    return made


def fitting_part(member: NDArray[np.bool_], seed: int) -> NDArray[np.bool_]:
    """Which pictures (n,) are fitted on: a third of each side.

    Fewer non-members where the ranking part would otherwise just miss the number that a p-value of
    1 % needs. Groups do not matter here: to keep them whole, a share of pictures has to pass over
    large groups, which then crowd the ranking part and make p-values too small (measured in
    docs/benchmarks/validity/conformal.md).
    """
    rng = np.random.default_rng([seed, FITTING])
    fitting = np.zeros(len(member), dtype=bool)
    for side in (True, False):
        rows = rng.permutation(np.flatnonzero(member == side))
        share = min(len(rows) // 3, max(LEARNED, len(rows) - RANKED))
        fitting[rows[:share]] = True
    return fitting


def _check_sizes(member: NDArray[np.bool_], data: Dataset, limit: int | None) -> None:
    sides = int(member.sum()), int((~member).sum())
    if min(sides) < MIN_CALIBRATION:
        more = "add pictures"
        if (data.part != CALIBRATION).any():
            more += (
                f", of which a third calibrates ({3 * MIN_CALIBRATION} of each side do), or give a "
                f"table whose column `part` says {CALIBRATION}"
            )
        if limit is not None and limit < MIN_CALIBRATION:  # else it is not what stands in the way
            more = f"raise {option('calibration_limit')}"
        raise DataError(
            f"A check needs at least {MIN_CALIBRATION} members and {MIN_CALIBRATION} non-members "
            f"to calibrate by; {data.name} gives {sides[0]} and {sides[1]}: {more}."
        )


def _asked(
    signals: Signals, data: Dataset, rows: NDArray[np.int64], captioned: bool, progress: Progress
) -> Calibration:
    """The fitting part under all variants, then the ranking part under those that it chose."""
    fitting = fitting_part(data.member[rows], signals.seed)
    parts = rows[fitting], rows[~fitting]
    done = progress(
        f"calibrating {signals.target.name}", sum(-(-len(part) // CHUNK) for part in parts)
    )
    survey = Survey(signals, data, captioned, done)
    attacks, left_out = survey.admitted(rows)
    variants = {(n, repr(v)): v for n, attack in attacks.items() for v in attack.variants()}
    first = survey.ask(variants, parts[0])
    member = data.member[first.rows]
    chosen = {name: _best(name, first.signals, member) for name in attacks}
    judged = {name: variants[name, text] for name, text in chosen.items()}
    second = survey.ask(judged, parts[1])
    read = np.concatenate([first.rows, second.rows])
    member = data.member[read]
    _check_sizes(member, data, None)  # again, without what could not be read
    return Calibration(
        member=member,
        fitting=np.repeat([True, False], [len(first.rows), len(second.rows)]),
        groups=(np.arange(len(data)) if data.groups is None else data.groups)[read],
        keys=(*first.keys, *second.keys),
        looks=np.concatenate([first.looks, second.looks]),
        attacks=judged,
        signals={
            name: np.concatenate([first.signals[name, text], second.signals[name]])
            for name, text in chosen.items()
        },
        left_out=left_out,
    )


def _best(
    name: str, signals: Mapping[tuple[str, str], NDArray[np.float64]], member: NDArray[np.bool_]
) -> str:
    """The variant of an attack with the highest AUC; the earlier one wins a tie."""
    own = {text: values[:, 0] for (of, text), values in signals.items() if of == name}
    return best_variant({text: Labelled(score, member) for text, score in own.items()})


def _name(signals: Signals, data: Dataset, captioned: bool, limit: int | None) -> str:
    """A digest of all that decides a calibration."""
    reference = signals.reference
    decides = {
        "version": __version__,
        "target": signals.target.fingerprint,
        "reference": None if reference is None else reference.fingerprint,
        "data": data.digest,
        "attacks": {n: [repr(v) for v in a.variants()] for n, a in signals.attacks.items()},
        "seed": signals.seed,
        "captioned": captioned,
        "limit": limit,
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:24]


_SIGNALS = "signals "


def stored(made: Calibration) -> Kept:
    """A calibration as it is kept."""
    arrays = {name: getattr(made, name) for name in ("member", "fitting", "groups", "looks")}
    arrays |= {_SIGNALS + name: values for name, values in made.signals.items()}
    about = {
        "keys": list(made.keys),
        "attacks": {name: repr(attack) for name, attack in made.attacks.items()},
        "left_out": dict(made.left_out),
    }
    return Kept(arrays, about)


def restored(kept: Kept, signals: Signals) -> Calibration | None:
    """A calibration as it was; None if what is kept is of other attacks."""
    arrays, about = kept.arrays, kept.about
    variants = {repr(v): v for attack in signals.attacks.values() for v in attack.variants()}
    try:
        return Calibration(
            member=arrays["member"],
            fitting=arrays["fitting"],
            groups=arrays["groups"],
            keys=tuple(about["keys"]),
            looks=arrays["looks"],
            attacks={name: variants[text] for name, text in about["attacks"].items()},
            signals={name: arrays[_SIGNALS + name] for name in about["attacks"]},
            left_out=about["left_out"],
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
