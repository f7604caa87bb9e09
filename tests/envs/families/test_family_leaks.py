"""What looking at hands of a family gives away for nothing: neither labels nor the target."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from miagym.data.dealt import FILE, model_folder
from miagym.envs import grade_audit, grade_family
from miagym.envs.audit.game import HandSampler
from miagym.envs.family.family import Family
from miagym.envs.family.split import FamilySplit
from miagym.envs.family.world import FamilyWorld
from miagym.envs.grading.verdicts import Verdicts
from miagym.envs.pool import PoolVectorEnv
from miagym.errors import DataError, MiagymError, SettingsError
from miagym.targets.registry import targets_folder
from tests.envs.families.family_hands import CHEAP, LIST, POPULATION, judged

MANY = tuple(f"clipart-overfit@{epoch}" for epoch in (15, 40, 80, 130)) + LIST[2:]
"""Six targets: three on `train`, one on `val`, two on `test`."""


def hands_of(split: FamilySplit, n: int, looks: int) -> list[frozenset[int]]:
    sampler = HandSampler(split, n, np.random.default_rng(0))
    return [frozenset(sampler.sample().tolist()) for _ in range(looks)]


@pytest.mark.parametrize("family", [LIST, MANY, POPULATION])
def test_hands_of_an_audit_share_no_picture_and_come_equally_often(family: str | tuple) -> None:
    split = FamilySplit(Family.of(family), "test", 64)
    every = {frozenset(hand.tolist()) for hand in split.hands(4)}
    assert len(set().union(*every)) == 4 * len(every), "two hands about one model overlap"
    seen = Counter(hands_of(split, 4, 40 * len(every)))
    assert set(seen) == every and max(seen.values()) < 80 and min(seen.values()) > 12
    sides = [bool(split.inside.ravel()[min(hand)]) for hand in every]
    assert sum(sides) * 2 == len(sides)
    assert all(len(set(split.inside.ravel()[list(hand)])) == 1 for hand in every)


def test_a_picture_of_a_list_is_asked_about_under_one_target_only() -> None:
    split = FamilySplit(Family.of(MANY), "test", 64)
    assert len(split.models) == 2 and (split.asked.sum(0) == 1).all()
    sampler = split.sampler(16, np.random.default_rng(0))
    under = {(place % len(split), place // len(split))
             for _ in range(300) for place in sampler.sample().tolist()}  # fmt: skip
    assert len({picture for picture, _ in under}) == len(under) > 600
    for asked in split.asked:
        assert 0.4 < split.inside[0][asked].mean() < 0.6
        others = split.alike[~asked]
        assert not set(split.alike[asked]) & set(others), "look-alikes are under another target"


def test_a_picture_that_comes_again_tells_nothing_of_the_target() -> None:
    split = FamilySplit(Family.of(POPULATION), "test", 64)
    sampler = split.sampler(5, np.random.default_rng(0))
    first, same = dict[int, int](), []
    for _ in range(800):
        hand = sampler.sample()
        model = split.model(hand)
        for picture in (hand % len(split)).tolist():
            if picture in first:
                same.append(first[picture] == model)
            first[picture] = model
    assert np.mean(same) == pytest.approx(1 / 8, abs=0.04)


def test_a_split_without_pictures_for_all_its_targets_is_refused() -> None:
    few = Family.of(MANY)
    split = FamilySplit(few, "test", 64)
    with pytest.raises(SettingsError, match=r"A hand of 400 pictures .* from .*; ask for fewer"):
        split.hands(400)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A population of one's own, by copy."""
    shutil.copytree(targets_folder() / POPULATION, tmp_path / "pop")
    return tmp_path / "pop"


def test_verdicts_of_another_deal_are_not_graded(memorisers: None, own: Path) -> None:
    verdicts = judged(PoolVectorEnv(8, split="test", family=POPULATION, **CHEAP), 1)
    assert grade_family(verdicts).n_judged > 10
    record = json.loads((own / FILE).read_text())
    record["members"] = record["members"][::-1]
    (own / FILE).write_text(json.dumps(record))
    with pytest.raises(DataError, match="another deal than") as refused:
        grade_family(replace(verdicts, family=str(own)))
    assert "\n" not in str(refused.value)
    unsaid = replace(verdicts, played=replace(verdicts.played, fingerprint=""))
    with pytest.raises(DataError, match="another deal"):
        grade_family(unsaid)


def changed(verdicts: Verdicts, how: str) -> Verdicts:
    key, *rest = verdicts.candidate
    model, _, candidate = key.partition(":")
    keys = {
        "zero": (f"0{key}", *rest),
        "long": (f"{'1' * 5000}:{candidate}", *rest),
        "two": (f"{key},{model}:{rest[0].partition(':')[2]}", *rest),
    }
    if how in keys:
        return replace(verdicts, candidate=keys[how])
    other: dict[str, Any] = {
        "hands": {"hands": True}, "split": {"split": "bogus"}, "size": {"size": 0},
        "huge": {"size": 10**6},
    }  # fmt: skip
    return replace(verdicts, **other[how])


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("zero", "is about nothing that"),
        ("long", "is about nothing that"),
        ("two", "is about nothing that"),
        ("hands", "is about nothing that"),
        ("split", "Expected verdicts on train, val or test"),
        ("size", "pictures of 1 to 4096 pixels a side"),
        ("huge", "pictures of 1 to 4096 pixels a side"),
    ],
)
def test_an_edited_file_is_one_sentence(memorisers: None, how: str, message: str) -> None:
    verdicts = changed(judged(PoolVectorEnv(8, split="test", family=LIST, **CHEAP), 1), how)
    grader = grade_audit if verdicts.hands else grade_family
    with pytest.raises(DataError, match=message) as refused:
        grader(verdicts)
    assert "\n" not in str(refused.value)


def test_a_target_is_in_one_split_under_whatever_name(tmp_path: Path) -> None:
    here = targets_folder() / "clipart-overfit"
    os.symlink(here, tmp_path / "linked", target_is_directory=True)
    shutil.copytree(here, tmp_path / "copied")
    linked = [str(here), str(tmp_path / "linked"), "clipart-null"]
    with pytest.raises(SettingsError, match="would be twice"):
        Family.of(linked, "clipart-tune")
    for split in ("train", "val", "test"):
        names = ["clipart-overfit", str(tmp_path / "copied"), "clipart-null"]
        settings = PoolVectorEnv(1, family=names, data="clipart-tune", split=split,
                                 device="cpu").settings  # fmt: skip
        with pytest.raises(SettingsError, match="have the same weights"):
            FamilyWorld.load(settings)


@pytest.mark.parametrize(
    ("family", "data", "message"),
    [
        ("x" * 5000, None, "name or folder of a population as family"),
        (LIST, 3, "Expected the name of a data set, a file, a folder or a Dataset as data, got 3"),
    ],
)
def test_what_is_no_family_is_one_sentence(family: object, data: Any, message: str) -> None:
    with pytest.raises(MiagymError, match=message) as refused:
        Family.of(family, data)
    assert "\n" not in str(refused.value)


def test_models_of_a_population_bring_no_labels_for_each_other(own: Path) -> None:
    names: Sequence[str] = [str(model_folder(own, model)) for model in range(3)]
    with pytest.raises(SettingsError, match="learned the half that it was dealt"):
        Family.of(names, names[0])
