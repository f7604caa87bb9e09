"""Captions that repeat are no copies to be dealt together, unless the data say so."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from miagym.auditing.audit import audit_captions, audit_inspected
from miagym.auditing.data_source import AuditData
from miagym.auditing.duplicates import caption_groups, count_duplicates
from miagym.auditing.grouping import Groups
from miagym.auditing.result import Audit
from miagym.auditing.verdict import REPEATS, AuditVerdict
from miagym.auditing.views.pictures import inspect_pictures
from miagym.cli.score import score
from miagym.embedded import art
from miagym.results import AuditView

N, CLASSES = 200, 80
"""Rows a side, and names of classes; five rows a name count as copies."""
MEMBER = np.arange(2 * N) < N

FAIR_SPLITS, MAY_BE_FLAGGED = 12, 2
"""At a rate of 5 %, 12 fair splits have more than 2 flagged in one case of 50."""


def name(number: int) -> str:
    """A word that shares no pattern with the words of its neighbours."""
    return "".join(np.random.default_rng(number).choice(list("abcdefghijklmnopqrst"), 7))


def by_class(share: float, seed: int = 0, n: int = N) -> list[str]:
    """Captions of n + n rows: this share of members, and the rest of non-members, from one half."""
    rng = np.random.default_rng(seed)
    member = np.arange(2 * n) < n
    first = (rng.random(2 * n) < share) == member
    classes = rng.integers(0, CLASSES // 2, 2 * n) + np.where(first, 0, CLASSES // 2)
    return [f"a photo of a {name(number)}" for number in classes]


def by_view(found: Audit) -> dict[str, AuditView]:
    return {row.view: row for row in found.blind}


@pytest.mark.parametrize(("share", "auc"), [(1.0, 0.98), (0.8, 0.68)])
def test_a_split_by_class_name_is_shifted(share: float, auc: float) -> None:
    captions = by_class(share)
    found = audit_captions(captions, MEMBER)
    rows = by_view(found)
    assert rows["captions"].auc_ci[0] < 0.5, "no word tells but the names themselves"
    assert rows[REPEATS].auc > auc
    assert found.verdict is AuditVerdict.SHIFTED
    assert "Without a model, repeated captions tell the sides apart with an AUC" in found.why
    assert "fair only if it was dealt by caption" in found.why and "`group`" in found.why


def test_class_names_dealt_by_lot_are_fair() -> None:
    flagged = [
        audit_captions(by_class(0.5, seed, 60), np.arange(120) < 60, seed=seed).verdict
        for seed in range(FAIR_SPLITS)
    ]
    assert flagged.count(AuditVerdict.SHIFTED) <= MAY_BE_FLAGGED


def test_a_split_dealt_by_caption_is_fair_if_it_says_so() -> None:
    captions = by_class(1.0)
    found = audit_captions(captions, MEMBER, caption_groups(captions))
    assert found.verdict is not AuditVerdict.SHIFTED
    assert set(by_view(found)) == {"captions"}


def test_copies_of_a_picture_may_stay_together_with_their_captions() -> None:
    pictures, copies = art.table()["image"].slice(0, 100).to_pylist(), np.repeat(np.arange(100), 3)
    captions = [f"a drawing of {name(number)}" for number in copies.tolist()]
    member = np.random.default_rng(1).permutation(100)[copies] < 50
    subject = AuditData("copies", member, tuple(captions), [pictures[i] for i in copies])
    found = audit_inspected(subject, inspect_pictures(pictures).take(copies))
    assert found.verdict is not AuditVerdict.SHIFTED
    assert REPEATS not in by_view(found)


def test_what_repeats_counts_only_if_it_was_dealt_apart() -> None:
    rows, pairs = np.arange(100), np.arange(100) // 2
    assert Groups(dealt=rows, learned=pairs).repeat
    assert not Groups(dealt=pairs, learned=pairs).repeat
    few = np.arange(1000)
    few[1] = 0
    assert not Groups(dealt=np.arange(1000), learned=few).repeat


def test_a_matched_subset_balances_what_repeats() -> None:
    found = audit_captions(by_class(0.8), MEMBER)
    assert found.scores.shape == (2 * N, 2)


def test_captions_without_words_are_copies_if_they_are_the_same() -> None:
    texts = ["😀", " 😀 ", "!!!", "!!!", "!!", "", "", "  ", "Cat!", "cat", "cat 😀"]
    groups = caption_groups(texts)
    same = [{j for j, other in enumerate(groups) if other == group} for group in groups]
    assert same[:5] == [{0, 1}, {0, 1}, {2, 3}, {2, 3}, {4}]
    assert same[5:8] == [{5}, {6}, {7}]
    assert same[8:] == [{8, 9, 10}] * 3
    found = count_duplicates("captions", groups[:4], np.array([1, 0, 1, 1], bool), np.arange(4))
    assert (found.across, found.within_members) == (1, 2)


def test_no_attack_is_above_captions_that_were_learned_by_heart(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    noise = np.random.default_rng(0).normal(size=2 * N)
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["score", "member", "caption"])
        out.writerows(zip(noise + MEMBER, MEMBER, by_class(1.0), strict=True))
    app = typer.Typer()
    app.command()(score)
    result = CliRunner().invoke(app, [str(path), "--json"])
    assert result.exit_code == 0, result.exception
    rows = [row for row in json.loads(result.stdout)["rows"] if row["access"] == "blind"]
    assert [row["attack"] for row in rows] == ["blind-captions"]
    assert rows[0]["auc"] > 0.98
