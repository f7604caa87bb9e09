"""The control of pictures that the target itself generated."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import miagym
from attacks.grey_box.loss import LossThreshold
from miagym.candidates import Candidates
from miagym.data.registry import load_data
from miagym.errors import MiagymError
from miagym.evaluation.config import OWN_PICTURES
from miagym.oracle import Oracle
from miagym.targets.base import Told
from miagym.targets.dummy import DummyTarget


@pytest.fixture(scope="module")
def data() -> miagym.Dataset:
    whole = load_data("clipart-tune")
    return replace(whole, groups=None, name="tune")


@pytest.mark.slow
def test_the_share_is_that_of_a_plain_recomputation(data: miagym.Dataset, tmp_path: Path) -> None:
    target = DummyTarget(data.candidates(np.flatnonzero(data.member)[:300], 64))
    run = miagym.evaluate(
        target,
        data,
        "loss(timestep=200)",
        limit=30,
        generated=12,
        null=None,
        reference=None,
        out=tmp_path / "run",
    )
    (share,) = run.results.generated
    rows = data.rows("test", 0, 30)
    asked = data.candidates(rows[~data.member[rows]][:12], 64)
    drawn = Oracle(target).generate(asked).permute(0, 2, 3, 1).numpy()
    own = Candidates((drawn * 255).round().astype(np.uint8), asked.captions)
    threshold = (run["loss(timestep=200)"].at_threshold or {})["balanced"].threshold
    called = int((LossThreshold()(Oracle(target), own) > threshold).sum())
    assert (share.attack, share.at, share.n) == ("loss(timestep=200)", "balanced", 12)
    assert share.share == called / 12 and share.ci[0] <= share.share <= share.ci[1]
    assert "called members" in str(run.table()) or "called members" in "".join(
        map(str, run.parts())
    )
    again = miagym.Run.open(tmp_path / "run")
    assert again.results.generated == run.results.generated
    assert "generated" in run.command
    scored = miagym.score(tmp_path / "run" / "scores.parquet")
    assert scored["loss(timestep=200)"].n_nonmembers == 30  # the generated are passed over


def test_unasked_every_run_has_that_control(
    data: miagym.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("miagym.evaluation.config.OWN_PICTURES", OWN_PICTURES)
    target = DummyTarget(data.candidates(np.arange(2), 64))
    given = {"limit": 30, "null": None, "reference": None}
    (share,) = miagym.evaluate(target, data, "sima", **given).results.generated
    assert (share.attack, share.n) == ("sima", 20) and share.ci[0] < share.ci[1]
    left_out = miagym.evaluate(target, data, "sima", generated=0, **given)
    assert left_out.results.generated == () and "generated=0" in left_out.command
    target.told = Told.NOTHING
    assert miagym.evaluate(target, data, "sima", **given).results.generated == ()


def test_a_target_that_is_told_nothing_is_refused(data: miagym.Dataset) -> None:
    target = DummyTarget(data.candidates(np.arange(2), 64))
    target.told = Told.NOTHING
    with pytest.raises(MiagymError, match="without being told anything"):
        miagym.evaluate(target, data, "rediffuse", limit=15, generated=3, null=None, reference=None)
