"""The embedded targets are what they are said to be. Numbers here come with their intervals."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline

from attacks import attack_names, make_attack
from attacks.base import Attack, LearnedAttack
from attacks.black_box.rediffuse import ReDiffuse
from attacks.grey_box.secmi import SecMI
from attacks.grey_box.sima import SimA
from attacks.grey_box.trajectory import SETTINGS, Signal
from miagym.data.dataset import CALIBRATION, TEST
from miagym.data.registry import load_data
from miagym.embedded import art
from miagym.metrics.auc import auc
from miagym.metrics.measure import Metrics, measure
from miagym.oracle import Oracle
from miagym.oracle.access import Access
from miagym.oracle.cache import Cache
from miagym.targets.base import Target
from miagym.targets.registry import checkpoints, load_target, target_names, targets_folder
from tests.tiers import mostly_slow

Maker = Callable[[str], Attack]


def limit(name: str) -> int:
    """Members, and non-members, that a test can afford to ask about."""
    return 30 if make_attack(name).access == Access.WHITE else 50


@dataclass
class Game:
    """Attacks on one target, under one cache."""

    target: Target
    data: str
    limit: int
    reference: Target | None = None

    def __post_init__(self) -> None:
        self.cache = Cache()

    def play(self, attack: Attack, limit: int | None = None) -> Metrics:
        """On at most `limit` members and as many non-members of each part."""
        data = load_data(self.data)
        reference = None if self.reference is None else Oracle(self.reference, cache=self.cache)
        oracle = Oracle(self.target, cache=self.cache, reference=reference)
        if isinstance(attack, LearnedAttack):
            rows = data.rows(CALIBRATION, seed=0, limit=limit)
            features = attack.features(oracle, data.candidates(rows, self.target.resolution))
            attack = attack.fit(features, data.member[rows])
        rows = data.rows(TEST, seed=0, limit=min(limit or self.limit, self.limit))
        assert data.groups is not None
        scores = attack(oracle, data.candidates(rows, self.target.resolution))
        return measure(scores, data.member[rows], data.groups[rows])


@pytest.fixture(scope="module")
def overfit() -> Game:
    base = load_target("clipart-realistic")
    return Game(load_target("clipart-overfit"), "clipart-tune", 400, base)


@pytest.fixture(scope="module")
def realistic() -> Game:
    return Game(load_target("clipart-realistic"), "clipart", 200)


@pytest.fixture(scope="module")
def null() -> Game:
    target = load_target("clipart-null")
    return Game(target, "clipart", 200, reference=target)  # for attacks that stand on a base


def test_a_grey_box_attack_finds_most_members_of_the_overfit_target(overfit: Game) -> None:
    attack = SimA(timestep=50)  # as the calibration part chooses
    found = overfit.play(attack)
    rate = found.tpr_at_fpr[0.01]
    assert rate is not None and rate.point.tpr > 0.5 and found.auc_ci[0] > 0.95


@pytest.mark.long
@pytest.mark.slow
def test_a_reference_model_makes_the_black_box_talk(overfit: Game) -> None:
    assert overfit.play(make_attack("rediffuse+reference"), 50).auc_ci[0] > 0.7


CHOSEN = {
    "secmi": SecMI(timestep=40),
    "rediffuse": ReDiffuse(strength=0.6),
    "trajectory-wrong-start-longer-text": replace(
        SETTINGS["wrong-start-longer-text"], signal=Signal.LOSS, position=0
    ),
}
"""What the calibration part chooses where a default is weak on these small latents."""
FINDERS = [
    name
    for name in attack_names()
    # Pixels are a poor image encoder, and without leakage in e0's size nothing is left for PIAN.
    if make_attack(name).access > Access.BLIND and name not in ("reconstruction", "pian")
]


@pytest.mark.parametrize("name", mostly_slow(FINDERS, quick=["loss", "pia", "clid"], are_long=True))
def test_attacks_find_members_of_the_overfit_target(overfit: Game, name: str, quick: Maker) -> None:
    """So few candidates do not give intervals; docs/benchmarks/attacks/attacks.md has more."""
    assert overfit.play(CHOSEN.get(name, quick(name)), limit=limit(name)).auc > 0.55


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize(("target", "above"), [("clipart-flow", 0.5), ("clipart-pixels", 0.5)])
def test_models_of_other_families_remember_their_members(target: str, above: float) -> None:
    """Less than the overfit fine-tune; each drawing was seen 150 times, from nothing."""
    found = Game(load_target(target), "clipart-tune", 303).play(SimA())
    assert found.auc_ci[0] > above


@pytest.mark.long
@pytest.mark.slow
def test_the_null_target_of_pixels_knows_neither_side() -> None:
    found = Game(load_target("clipart-pixels-null"), "clipart-tune", 303).play(SimA())
    assert found.auc_ci[0] < 0.5 < found.auc_ci[1]


@pytest.mark.parametrize(
    "name",
    mostly_slow(["loss", "sima", "pia", "secmi", "clid", "rediffuse"], quick=["sima", "pia"]),
)
@pytest.mark.long
@pytest.mark.slow
def test_the_realistic_target_hardly_leaks(realistic: Game, name: str) -> None:
    metrics = realistic.play(make_attack(name))
    found = metrics.tpr_at_fpr[0.01]
    assert metrics.auc_ci[0] < 0.60 and metrics.auc_ci[1] > 0.48
    assert found is not None and found.ci[0] <= 0.05


@pytest.mark.parametrize(
    "name", mostly_slow(attack_names(), quick=["blind-both", "loss", "pia"], are_long=True)
)
def test_nothing_is_found_where_nothing_is(null: Game, name: str, quick: Maker) -> None:
    metrics = null.play(quick(name), limit=25)
    low, high = metrics.auc_ci
    margin = high - low  # a 95 % interval of each of many attacks misses now and then, not by far
    assert low - margin / 2 < 0.5 < high + margin / 2


@pytest.mark.parametrize("name", ["blind-captions", "blind-pixels"])
@pytest.mark.parametrize("data", ["clipart", "clipart-tune"])
@pytest.mark.long
@pytest.mark.slow
def test_the_splits_give_nothing_away(data: str, name: str) -> None:
    game = Game(load_target("clipart-null"), data, 1000)
    low, high = game.play(make_attack(name)).auc_ci
    assert low < 0.5 < high


@pytest.mark.long
@pytest.mark.slow
def test_memorisation_rises_with_the_checkpoints() -> None:
    names = ["clipart-realistic", *checkpoints("clipart-overfit"), "clipart-overfit"]
    assert len(names) >= 6
    loss = make_attack("loss")
    aucs = []
    for name in names:
        game = Game(load_target(name), "clipart-tune", 150)
        aucs.append(game.play(loss).auc)
    assert aucs == sorted(aucs) and aucs[0] < 0.6 and aucs[-1] > aucs[0] + 0.2


@pytest.mark.long
@pytest.mark.slow
def test_reconstructions_are_crisp_and_favour_no_side() -> None:
    target, data = load_target("clipart-realistic"), load_data("clipart")
    rows = data.rows(TEST, seed=0, limit=150)
    images = torch.from_numpy(data.candidates(rows, 64).images.transpose(0, 3, 1, 2).copy())
    x = images.float() / 127.5 - 1
    error = (target.decode(target.encode(x)) - x).pow(2).flatten(1).mean(1).numpy()
    psnr = 10 * np.log10(4 / error)
    assert psnr.mean() > 23
    member = data.member[rows]
    assert 0.4 < auc(psnr[member], psnr[~member]) < 0.6


@pytest.mark.parametrize("name", ["clipart-realistic", "clipart-overfit", "clipart-null"])
def test_targets_are_ordinary_diffusers_folders(name: str) -> None:
    folder = targets_folder() / name
    pipeline = StableDiffusionPipeline.from_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)
    picture = pipeline("apple, food, fruit", num_inference_steps=2).images[0]
    assert picture.size == (64, 64)
    assert not [f for f in folder.rglob("*") if f.suffix in (".bin", ".pt", ".ckpt", ".pkl")]


def test_the_tokenizer_favours_no_side() -> None:
    tokenizer = StableDiffusionPipeline.from_pretrained(targets_folder() / "clipart-null").tokenizer
    data = load_data("clipart")
    tokens = np.array([len(tokenizer.tokenize(c)) / len(c) for c in data.captions])
    assert 0.47 < auc(tokens[data.member], tokens[~data.member]) < 0.53


def test_all_assets_fit_into_a_wheel_as_package_indexes_take_them() -> None:
    """PyPI takes 100 MiB; models and pictures do not compress, and the code is another megabyte."""
    assets = Path(str(files("miagym"))) / "assets"
    assert sum(f.stat().st_size for f in assets.rglob("*") if f.is_file()) <= 100 * 2**20 - 3e6
    assert json.loads((targets_folder() / "clipart-overfit/model_index.json").read_text())
    assert len(target_names()) >= 10 and art.table().num_rows > 3500
