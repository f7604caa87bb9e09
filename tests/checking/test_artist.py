"""An artist's story with models that were really trained: on drawings of one hand, by miagym."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

import miagym
from attacks import make_attack
from miagym.embedded.art import table
from miagym.evaluation.signals import Signals
from miagym.metrics.resampling.permutation import set_test
from miagym.targets.registry import load_target
from miagym.training.fine_tune import fine_tune
from miagym.training.plan import FineTuning
from tests.training.small import silent

pytestmark = [pytest.mark.slow, pytest.mark.long]

ARTIST, BASE, SIZE = "Gerald G.", "clipart-realistic", 64
N_TRAINED, N_SIDE, N_DRAWS = 24, 12, 200
PLANS = {
    "full": {"epochs": 60},
    "lora": {"epochs": 60, "lora_rank": 6, "lora_layers": "convolutions"},
}


@pytest.fixture(scope="module")
def hand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawings that the base never saw, one of each group: members are trained on below."""
    rows = table().to_pylist()
    own = [row for row in rows if row["artist"] == ARTIST and row["role"] == "base-nonmember"]
    own = list({row["group"]: row for row in own}.values())
    order = np.random.default_rng(0).permutation(len(own))
    root = tmp_path_factory.mktemp("hand")
    for place, at in enumerate(order):
        side = root / ("members" if place < N_TRAINED else "nonmembers")
        side.mkdir(exist_ok=True)
        (side / f"{place:03}.webp").write_bytes(own[at]["image"])
        (side / f"{place:03}.txt").write_text(own[at]["caption"], encoding="utf-8")
    return root


@pytest.fixture(scope="module", params=list(PLANS))
def suspect(request: pytest.FixtureRequest, hand: Path, tmp_path_factory: pytest.TempPathFactory):
    """The folder of a model that was trained on some of them."""
    plan = FineTuning(BASE, str(hand), checkpoints=(), **PLANS[request.param])
    return fine_tune(plan, tmp_path_factory.mktemp("suspect") / request.param, "cpu", silent)


def pictures(folder: Path, n: int) -> list[Path]:
    return sorted(folder.glob("*.webp"))[:n]


def test_a_used_set_is_found_and_unused_ones_are_not_accused(suspect: Path, hand: Path) -> None:
    used, unused = (pictures(hand / side, N_SIDE) for side in ("members", "nonmembers"))
    found = miagym.check(used, str(suspect), unused=unused)
    assert isinstance(found, miagym.UnusedCheck) and found.finding.together is not None
    assert found.verdict == "member-like" and found.finding.together.test.p_value <= 0.01
    assert found.reference == BASE and BASE in found.named_by  # the model names it by itself

    data = miagym.load_data(str(hand))
    others = np.flatnonzero(~data.member)
    attack = make_attack("sima+reference")
    signals = Signals(load_target(str(suspect)), {"": attack}, load_target(BASE))
    scores = signals.of({"": attack}, data.candidates(others, SIZE))[""][:, 0]
    rng, alarms = np.random.default_rng(0), 0
    for draw in range(N_DRAWS):
        dealt = rng.permutation(scores)
        alarms += set_test(dealt[:N_SIDE], dealt[N_SIDE : 2 * N_SIDE], draw).p_value <= 0.01
    low, _ = binomtest(alarms, N_DRAWS).proportion_ci(method="exact")
    assert low <= 0.01, alarms
