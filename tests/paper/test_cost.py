"""What it costs is said before, and is what is computed afterwards, at most."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from miagym.api.names import attacks_of
from miagym.data.dataset import CALIBRATION, TEST
from miagym.data.registry import load_data
from miagym.evaluation.signals import Signals
from miagym.oracle import Cost
from miagym.oracle.cache import Cache
from miagym.paper.cost import Bill, Load, Speed, bill, shared_cost
from miagym.paper.settings import (
    SETTINGS,
    SIGNALS,
    text_to_image,
    trajectory,
    under_all_signals,
)
from miagym.paper.setup import planned_places
from miagym.paper.worlds import EMBEDDED
from miagym.targets.registry import load_target
from tests.command_line import run

SPEED = Speed(rows=100, decodes=10, encodes=5, device="a card")


@pytest.mark.parametrize(
    ("setting", "rows", "decodes"),
    [
        ("partial-denoising", 6, 3),  # 3 timesteps, 2 halves of guidance
        ("no-classifier-free-guidance", 3, 3),
        ("wrong-start-longer", 10, 5),
        ("diff-starts", 6, 3),
    ],
)
def test_signals_share_one_walk(setting: str, rows: int, decodes: int) -> None:
    three = [trajectory(setting, signal, 1) for signal in SIGNALS]
    assert shared_cost(three) == Cost(unet_rows=rows, decodes=decodes, encodes=1)
    assert shared_cost([trajectory(setting, "loss", 1)]).decodes == 0


def test_draws_are_walks_of_their_own() -> None:
    three = [trajectory("reversed-noise", signal, 5) for signal in SIGNALS]
    assert shared_cost(three) == Cost(unet_rows=30, decodes=15, encodes=1)
    assert shared_cost([text_to_image(2, 3)]) == Cost(unet_rows=2 * 3 * 2, decodes=2)


@pytest.mark.slow
def test_a_real_model_computes_as_many() -> None:
    """All settings on one drawing: what the dry run takes for shared is shared, and no more."""
    names = list(under_all_signals(SETTINGS, 1))
    made, cache = attacks_of(names), Cache()
    signals = Signals(load_target("clipart-realistic", device="cpu"), made, posterior="sample")
    drawing = load_data("clipart").candidates(np.array([0]), 64)
    for attack in made.values():
        for variant in attack.variants():
            variant(signals.oracle(variant, cache), drawing)
    assert cache.computed == shared_cost(names)


def test_a_bill_counts_every_candidate() -> None:
    world = EMBEDDED.under(
        settings=("partial-denoising",),
        limit=10,
        tune_limit=8,
        choose_on=4,
        null_on=3,
        draws=1,
        batch_size=4,
    )
    said = bill(world, planned_places(world, Path("out"), 0), 0)
    data = load_data("clipart")
    both = len(data.rows(CALIBRATION, 0, 4)) + len(data.rows(TEST, 0, 10)) + 6
    assert both == 2 * (4 + 10 + 3)
    alone = 2 * 3 + 3 + 4 * 2  # a walk, three timesteps of the loss, the black box
    large, tuned, ladder = said.loads
    assert large.cost.unet_rows <= both * alone
    assert large.cost.unet_rows >= both * (6 + 8)
    assert tuned.targets == 1 and ladder.targets == 5
    assert ladder.cost.unet_rows == 5 * 2 * (4 + 8 + 3) * 3
    assert said.fits == 1 * 4 * (1 + world.splits)
    assert said.speed.rows > 0 and said.speed.decodes > 0


def test_hours_follow_from_the_speed() -> None:
    cost = Cost(unet_rows=36_000, decodes=3_600, encodes=1_800)
    said = Bill((Load("a", 1, cost), Load("b", 2, cost)), 12, SPEED)
    assert SPEED.hours(cost) == pytest.approx((360 + 360 + 360) / 3600)
    assert said.total == cost + cost and said.hours == pytest.approx(0.6)
    *_, last = said.sentences()
    assert "72,000 UNet rows" in last and "36.0 minutes on a card" in last


def test_the_cost_alone_leaves_nothing_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    run(
        "paper",
        "--out",
        out,
        "--cost-only",
        "--limit",
        5,
        "--settings",
        "partial-denoising",
        "--batch-size",
        4,
    )
    said = capsys.readouterr().out
    assert "large-model, 1 target:" in said and "as measured now" in said
    assert not out.exists()


def test_a_wrong_size_ends_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("paper", "--out", tmp_path / "out", "--draws", 0, code=2)
    assert "Expected --draws of at least 1, got 0." in capsys.readouterr().err
