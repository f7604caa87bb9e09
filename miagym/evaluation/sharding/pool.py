"""Chunks of all shards of a run, pooled in one folder, where the run goes on to be measured."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from miagym.atomic import replacing
from miagym.data.dataset import TEST
from miagym.errors import RunError
from miagym.evaluation.config import Config, Match
from miagym.evaluation.folders.difference import made_differently, of_two, read_about
from miagym.evaluation.opening import opened_run
from miagym.evaluation.sharding.shards import finished_shard
from miagym.evaluation.store import RunFolder

Chosen = dict[tuple[str, str, str], set[str]]
"""By target, data and attack, variants that scored test candidates."""


def pool(shards: Sequence[Path], out: Path, tell: Callable[[str], None]) -> dict[str, Any]:
    """Copies the chunks of all shards of a run into one folder, which is then begun and not done.

    Args:
        shards: their folders, all of one run, in any order.
        out: the new folder; one in which this was stopped goes on.
        tell: is told what that holds.

    Returns:
        What run.json says of the whole run.

    Raises:
        RunError: if they are not all shards of one run, or chose different variants.
    """
    about = [read_about(path) for path in shards]
    whole = [{key: value for key, value in one.items() if key != "shard"} for one in about]
    for path, other in zip(shards[1:], whole[1:], strict=True):
        if differs := made_differently(whole[0], other):
            raise RunError(f"{shards[0]} and {path} are no shards of one run ({of_two(differs)}).")
    chunks = _all_there(shards)
    _check_same_choice(shards, chunks)
    made = whole[0]
    made["command"] = re.sub(r" -{2}shard[ =]\S+", "", made["command"])
    with opened_run(out, made, tell):
        for path, names in chunks.items():
            for name in names:
                for file in sorted((path / "chunks").glob(f"{name}.*")):
                    copy = out / "chunks" / file.name
                    if file.suffix != ".partial" and not copy.is_file():
                        with replacing(copy, shared=True) as partial:
                            shutil.copyfile(file, partial)
    return made


def config_of(about: dict[str, Any]) -> Config:
    """The configuration in a run.json."""
    matches = tuple(
        Match(**match | {key: tuple(match[key]) for key in ("attacks", "shadows")})
        for match in about["config"]["matches"]
    )
    return Config(**about["config"] | {"matches": matches})


def _all_there(shards: Sequence[Path]) -> dict[Path, list[str]]:
    """By folder, its chunks; every shard must be there, once."""
    found: dict[int, Path] = {}
    chunks: dict[Path, list[str]] = {}
    of = 0
    for path in shards:
        shard, chunks[path] = finished_shard(path)
        if found and shard.of != of:
            raise RunError(f"{path} is shard {shard}, but {shards[0]} is one of {of}.")
        if shard.number in found:
            raise RunError(f"{path} is shard {shard}, as {found[shard.number]} is; give each once.")
        found[shard.number], of = path, shard.of
    if missing := [str(number) for number in range(1, of + 1) if number not in found]:
        raise RunError(f"Of {of} shards, {' and '.join(missing)} missing; give all of them.")
    return chunks


def _check_same_choice(shards: Sequence[Path], chunks: dict[Path, list[str]]) -> None:
    """Whether all shards scored with the same variants, which each chose by itself."""
    first: Chosen = {}
    for path in shards:
        for whose, variants in _chosen(RunFolder(path), chunks[path]).items():
            if first.setdefault(whose, variants) != variants:
                raise RunError(
                    f"{path} scored with another variant of {whose[2]} than {shards[0]}: "
                    f"{', '.join(variants)} instead of {', '.join(first[whose])}; their machines "
                    "compute too differently to be one run."
                )


def _chosen(folder: RunFolder, chunks: Sequence[str]) -> Chosen:
    found: Chosen = {}
    columns = ("target", "data", "attack", "variant")
    for name in chunks:
        if f"-{TEST}-" in name:
            scores = folder.read(name)
            test = [part == TEST for part in scores["part"].to_pylist()]
            rows = zip(*(scores[column].to_pylist() for column in columns), strict=True)
            for is_test, (target, data, attack, variant) in zip(test, rows, strict=True):
                if is_test:
                    found.setdefault((target, data, attack), set()).add(variant)
    return found
