"""One family of alarms a run, and what so many candidates could have told from chance."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from miagym.auditing import verdict
from miagym.metrics.measure import measure
from miagym.metrics.power import smallest_auc, smallest_tpr
from miagym.report.family import AlarmFamily
from miagym.report.finding import finding
from miagym.report.rows import by_target
from miagym.report.standing import remark
from miagym.report.tables.evaluation import main_table
from miagym.results import AttackRow, AuditRecord, AuditView


def row(scores: np.ndarray, member: np.ndarray, **about: object) -> AttackRow:
    facts = {"target": "t", "data": "d", "attack": "a", "access": "grey", "protocol": "held-out"}
    return AttackRow.model_validate(
        facts | {"chosen": ""} | about | measure(scores, member).as_row()
    )


def audit(verdict: str) -> AuditRecord:
    return AuditRecord.model_validate({
        "schema": 1, "data": "d", "verdict": verdict, "why": "", "n_members": 1, "n_nonmembers": 1,
        "blind": (), "shift": (), "cues": (), "duplicates": (), "seed": 0,
        "unreadable": {"members": 0, "nonmembers": 0, "examples": ()},
    })  # fmt: skip


def test_alarms_are_counted_over_targets_and_measures() -> None:
    member = np.arange(800) < 400
    scores = np.random.default_rng(0).normal(size=800)
    rows = [
        row(scores, member, attack=attack, target=target, access=access)
        for target in ("t", "u")
        for attack, access in (("a", "grey"), ("b", "grey"), ("c", "blind"))
    ]
    family = AlarmFamily(rows)
    assert family.tried(blind=False) == 8 and family.tried(blind=True) == 4
    few = row(scores[350:450], member[350:450])  # 50 non-members: no TPR at 1 %
    assert AlarmFamily([few]).tried(blind=False) == 1
    twins = [*rows, row(scores, member, attack="z", same_as="a")]
    assert AlarmFamily(twins).tried(blind=False) == 8


def test_only_the_audit_says_that_a_split_gives_members_away() -> None:
    """A blind row far above chance is a row above chance, and no verdict on the split."""
    rng, member = np.random.default_rng(0), np.arange(800) < 400
    blind = row(rng.normal(size=800) + member, member, access="blind")
    fair, shifted = AlarmFamily([blind], [audit("fair")]), AlarmFamily([blind], [audit("shifted")])
    assert remark(blind, [blind], fair) == "above chance"
    assert remark(blind, [blind], shifted).endswith("the split itself gives members away")
    other = blind.model_copy(update={"data": "another"})
    assert remark(other, [other], shifted) == "above chance"
    assert "itself gives members away" in finding([blind], [audit("shifted")])
    assert "gives members away" not in finding([blind], [audit("fair")])


@pytest.mark.slow
def test_fair_runs_of_many_blind_rows_seldom_raise_an_alarm() -> None:
    """Three blind rows, two targets, two measures: one run in twenty at most."""
    loud, runs, member = 0, 200, np.arange(600) < 300
    for seed in range(runs):
        scores = np.random.default_rng(seed).normal(size=(6, 600))
        rows = [
            row(one, member, attack=f"b{i % 3}", target=f"t{i // 3}", access="blind")
            for i, one in enumerate(scores)
        ]
        family = AlarmFamily(rows)
        loud += any(said.split(" at")[0].split(" in")[0] == "above chance"
                    for one in rows for said in remark(one, rows, family).split("; "))  # fmt: skip
    assert loud / runs <= 0.05


def test_the_smallest_that_shows_is_found_in_four_of_five() -> None:
    m, n, tried = 400, 500, 10
    auc = smallest_auc(m, n, tried)
    tpr = smallest_tpr(m, n, 0.01, tried)
    assert auc is not None and tpr is not None
    rng, found, runs = np.random.default_rng(0), 0, 300
    member = np.arange(m + n) < m
    rows = [row(rng.normal(size=m + n), member, attack=f"n{i}") for i in range(tried // 2 - 1)]
    for _ in range(runs):
        scores = rng.normal(size=m + n) + np.sqrt(2) * norm.ppf(auc) * member
        one = row(scores, member)
        said = remark(one, [one], AlarmFamily([one, *rows]))
        found += "above chance in AUC" in said or said.startswith("above chance")
    assert found / runs == pytest.approx(0.8, abs=0.07)
    assert smallest_tpr(m, 200, 0.01, tried) is None and smallest_auc(3, 3, 1) is None
    assert 0.01 < tpr < 0.1


def test_every_table_says_what_could_have_shown() -> None:
    member, rng = np.arange(800) < 400, np.random.default_rng(0)
    rows = [row(rng.normal(size=800), member), row(rng.normal(size=800), member, access="blind")]
    (group,) = main_table(by_target(rows)).groups
    assert "an AUC of 0.56 and a TPR of" in group.heading and "80 % power" in group.heading
    assert "would have shown with 80 % power" in finding(rows)


def test_data_sets_of_one_run_share_its_false_alarms() -> None:
    view = {"n_members": 500, "n_nonmembers": 500, "auc": 0.55, "auc_ci": (0.51, 0.58)}
    blind = AuditView.model_validate(view | {"tpr_at_fpr": {}, "view": "captions", "p": 0.02})
    others, sides = [verdict.TestFinding("nothing", 1.0)], (500, 500)
    alone, among = (verdict.audit_verdict([blind], others, sides, k)[0] for k in (1, 2))
    assert alone == "shifted" and among != "shifted"
