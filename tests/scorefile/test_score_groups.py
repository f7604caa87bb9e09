"""`miagym score --group`: groups of look-alikes in a file of scores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import miagym
from miagym.errors import DataError
from miagym.scorefile.reading.columns import Columns
from tests.command_line import run

N, EACH = 400, 5
RNG = np.random.default_rng(0)
GROUP = np.repeat(np.arange(N // EACH), EACH)
MEMBER = GROUP % 2 == 0
SCORE = RNG.normal(size=N // EACH)[GROUP] + 0.3 * RNG.normal(size=N) + 0.5 * MEMBER


def columns(**others: Any) -> dict[str, Any]:
    return {"score": SCORE, "member": MEMBER, "group": [f"series {g}" for g in GROUP], **others}


def kinds(report: miagym.api.results.ScoreReport) -> set[str]:  # pyright: ignore
    return {warned.kind for warned in report.sheet.warnings}


def test_a_column_of_groups_widens_what_stands_in_every_section() -> None:
    second = RNG.normal(size=N)
    both = columns(other=second)
    asked = Columns(score=("score", "other"))
    told = miagym.score(both, columns=asked)
    ignored = miagym.score(both, columns=Columns(score=("score", "other"), group="-"))
    ours, theirs = told["score"], ignored["score"]
    assert ours.auc == theirs.auc and np.ptp(ours.auc_ci) > 1.5 * np.ptp(theirs.auc_ci)
    assert ours.effective_members is not None and ours.effective_members < N / 2 / 3
    assert theirs.effective_members is None and "effective_members" not in theirs.as_json()
    assert ours.wasserstein and theirs.wasserstein and ours.wasserstein.ci and theirs.wasserstein.ci
    assert np.ptp(ours.wasserstein.ci) > np.ptp(theirs.wasserstein.ci)
    (one,), (other,) = told.sheet.comparisons, ignored.sheet.comparisons
    assert one.auc.p > other.auc.p
    spreads = [
        np.ptp(next(c.auc_ci for c in each.sheet.controls if c.attack == "score"))
        for each in (told, ignored)
    ]
    assert spreads[0] > 1.3 * spreads[1]
    assert all(control.passed for control in told.sheet.controls)
    assert not {"groups-alone", "groups-mixed"} & kinds(told)


def test_the_command_takes_a_column_of_any_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "scores.parquet"
    data = columns()
    pq.write_table(pa.table({**data, "series": data.pop("group")} | data), file)
    run("score", file, "--group", "series", "--json")
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert row["effective_members"] < 100
    run("score", file, "--group", "series")
    assert "shown with 80 % power" in " ".join(capsys.readouterr().out.split())


def test_groups_of_one_are_no_groups_and_said() -> None:
    report = miagym.score(columns(group=np.arange(N)))
    plain = miagym.score({"score": SCORE, "member": MEMBER})
    assert report["score"].auc_ci == plain["score"].auc_ci
    assert "groups-alone" in kinds(report)


def test_groups_on_both_sides_are_said() -> None:
    report = miagym.score(columns(group=GROUP // 2))
    assert "groups-mixed" in kinds(report) and report["score"].effective_members is not None


@pytest.mark.parametrize(
    ("group", "sentence"),
    [
        (np.where(MEMBER, 0, GROUP), "all 200 members are of one group"),
        ([None, *GROUP[1:].tolist()], "`group` has no value in row 1"),
        (np.zeros(N), "are of one group"),
    ],
)
def test_groups_that_cannot_be_used_are_a_sentence(group: Any, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        miagym.score(columns(group=group))


def test_a_column_that_is_not_there_is_a_sentence() -> None:
    with pytest.raises(DataError, match="no column `series`"):
        miagym.score(columns(), columns=Columns(group="series"))


def test_variants_are_chosen_on_whole_groups() -> None:
    """Without a calibration part a random half chooses; look-alikes of it must not be measured."""
    variant = np.tile(["a", "b"], N)
    report = miagym.score({
        "score": np.repeat(SCORE, 2) + 0.1 * RNG.normal(size=2 * N),
        "member": np.repeat(MEMBER, 2),
        "group": np.repeat(GROUP, 2),
        "id": np.repeat(np.arange(N), 2),
        "variant": variant,
    })  # fmt: skip
    (row,) = report.rows
    assert row.protocol.startswith("held-out")
    assert (row.n_members + row.n_nonmembers) % EACH == 0
