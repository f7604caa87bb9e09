"""`miagym score` as somebody with a file of scores meets it."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from typer.testing import CliRunner

from miagym.cli.score import score as command
from miagym.errors import DataError, UnknownName, on_the_command_line
from miagym.metrics.auc import auc
from miagym.metrics.controls import Control, label_shuffle
from miagym.metrics.detection import tpr_at_fpr
from miagym.metrics.measure import measure
from miagym.scorefile import sheet
from miagym.scorefile.stated import Stated, auc_bounds

N = 240
RNG = np.random.default_rng(0)
MEMBER = RNG.permutation(np.arange(N) < N // 2)
SCORE = RNG.normal(size=N) + MEMBER
"""120 members and 120 non-members, mixed, an AUC of about 0.76."""

Run = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def typed() -> Iterator[None]:
    """The command alone is called here, without the rest of the command line around it."""
    with on_the_command_line():
        yield


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    app.command()(command)
    return app


@pytest.fixture
def run(app: typer.Typer) -> Run:
    """Runs `score FILE ... --json`; what goes wrong is raised."""

    def run(path: Path, *options: str) -> dict[str, Any]:
        result = CliRunner().invoke(app, [str(path), "--json", *options])
        if result.exception is not None:
            raise result.exception
        return json.loads(result.stdout)

    return run


def table(path: Path, separator: str = ",", **columns: Any) -> Path:
    """Writes columns as CSV."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    path.write_text(text.getvalue(), newline="")
    return path


def kinds(found: dict[str, Any]) -> set[str]:
    return {warning["kind"] for warning in found["warnings"]}


def message(found: dict[str, Any], kind: str) -> str:
    (text,) = (w["message"] for w in found["warnings"] if w["kind"] == kind)
    return text


# Formats


def plain(path: Path) -> Path:
    return table(path, score=SCORE, member=MEMBER.astype(int))


def with_mark(path: Path) -> Path:
    path.write_bytes(b"\xef\xbb\xbf" + plain(path).read_bytes())
    return path


def utf16(path: Path) -> Path:
    path.write_bytes(plain(path).read_text().encode("utf-16"))
    return path


def german(path: Path) -> Path:
    numbers = [str(value).replace(".", ",") for value in SCORE]
    return table(path, ";", score=numbers, member=["Member" if m else "non-member" for m in MEMBER])


def tabs(path: Path) -> Path:
    return table(path, "\t", score=SCORE, member=["yes" if m else "No" for m in MEMBER])


def records(path: Path) -> Path:
    rows = [{"score": s, "member": m} for s, m in zip(SCORE.tolist(), MEMBER.tolist(), strict=True)]
    path.write_text(json.dumps(rows))
    return path


def lines(path: Path) -> Path:
    path.write_text("\n".join(map(json.dumps, json.loads(records(path).read_text()))))
    return path


def columns(path: Path) -> Path:
    content = {"score": SCORE.tolist(), "member": MEMBER.tolist(), "note": "mine"}
    path.write_text(json.dumps(content))
    return path


def pandas_json(path: Path) -> Path:
    by_index = {
        "score": dict(enumerate(SCORE.tolist())),
        "member": dict(enumerate(MEMBER.tolist())),
    }
    path.write_text(json.dumps(by_index))
    return path


def parquet(path: Path) -> Path:
    pq.write_table(pa.table({"score": SCORE, "member": MEMBER}), path)
    return path


def categories(path: Path) -> Path:
    words = pa.array(["TRUE" if m else "false" for m in MEMBER]).dictionary_encode()
    pq.write_table(pa.table({"score": SCORE, "member": words}), path)
    return path


def arrays(path: Path) -> Path:
    with path.open("wb") as file:
        np.savez(file, score=SCORE[:, None].astype(">f8"), member=MEMBER.astype(np.float16))
    return path


def structured(path: Path) -> Path:
    rows = list(zip(SCORE, MEMBER, strict=True))
    with path.open("wb") as file:
        np.save(file, np.array(rows, dtype=[("score", "f8"), ("member", "?")]))
    return path


def two_sides(path: Path) -> Path:
    with path.open("wb") as file:
        np.savez(file, members=SCORE[MEMBER], nonmembers=SCORE[~MEMBER])
    return path


def pandas_json_in_two_orders(path: Path) -> Path:
    """The same keys, the other way round in the second column."""
    by_index = json.loads(pandas_json(path).read_text())
    by_index["member"] = dict(reversed(by_index["member"].items()))
    path.write_text(json.dumps(by_index))
    return path


WRITERS = [
    plain, with_mark, utf16, german, tabs, records, lines, columns, pandas_json,
    pandas_json_in_two_orders, parquet, categories, arrays, structured, two_sides,
]  # fmt: skip


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
def test_every_format_gives_the_numbers_of_measure(
    write: Callable[[Path], Path], run: Run, tmp_path: Path
) -> None:
    """Whatever the suffix says."""
    found = run(write(tmp_path / "scores.dat"))
    (row,) = found["rows"]
    expected = json.loads(json.dumps(measure(SCORE, MEMBER).as_row()))
    assert {key: row[key] for key in expected} == expected
    assert row["attack"] == "score" and row["protocol"] == "as given"
    controls = {control["control"]: control for control in found["controls"]}
    assert set(controls) == {"label shuffle", "non-members against non-members"}
    assert all(control["passed"] for control in controls.values())
    assert kinds(found) >= {"no-blind-row", "no-null-target", "no-calibration-part"}


# Several attacks, parts, variants


def test_attacks_side_by_side_and_below_each_other_are_the_same(run: Run, tmp_path: Path) -> None:
    other = SCORE + RNG.normal(size=N)
    wide = table(tmp_path / "wide.csv", pia=SCORE, loss=other, member=MEMBER)
    order = np.random.default_rng(1).permutation(2 * N)
    below = {
        "score": np.concatenate([SCORE, other]),
        "member": np.tile(MEMBER, 2),
        "attack": np.repeat(["pia", "loss"], N),
        "id": np.tile(np.arange(N), 2),
    }
    long = table(tmp_path / "long.csv", **{name: v[order] for name, v in below.items()})
    found = [run(wide, "--score", "pia", "--score", "loss"), run(long)]
    assert [{r["attack"]: r["auc"] for r in f["rows"]} for f in found] == [
        {"pia": auc(SCORE[MEMBER], SCORE[~MEMBER]), "loss": auc(other[MEMBER], other[~MEMBER])}
    ] * 2
    for each in found:
        (compared,) = each["comparisons"]
        assert (compared["attack"], compared["against"]) == ("loss", "pia")
        assert compared["auc"]["difference"] < 0
    intervals = [each["comparisons"][0]["auc"]["ci"] for each in found]
    assert intervals[0] == pytest.approx(intervals[1])


def test_low_scores_may_mean_members(run: Run, tmp_path: Path) -> None:
    path = table(tmp_path / "loss.csv", loss=-SCORE, member=MEMBER)
    turned = run(path, "--score", "loss", "--lower-is-member")
    assert turned["rows"][0]["auc"] == auc(SCORE[MEMBER], SCORE[~MEMBER])
    assert "orientation" not in kinds(turned)
    as_is = run(path, "--score", "loss")
    assert "--lower-is-member" in message(as_is, "orientation")


def test_the_threshold_comes_from_the_calibration_part(run: Run, tmp_path: Path) -> None:
    part = np.where(np.arange(N) < N // 2, "val", "test")
    path = table(tmp_path / "parts.csv", score=SCORE, member=MEMBER, part=part)
    (row,) = run(path)["rows"]
    test = part == "test"
    at = row["at_threshold"]["balanced"]
    assert row["protocol"] == "held-out"
    assert row["n_members"] == int(MEMBER[test].sum())
    assert at["tpr"] == np.mean(SCORE[test & MEMBER] > at["threshold"])
    assert at["threshold"] in SCORE[~test]
    assert at["tpr_ci"][0] <= at["tpr"] <= at["tpr_ci"][1]


def variants(path: Path, part: NDArray[np.str_] | None = None) -> Path:
    """Forty variants that are noise, as by an attack with a timestep."""
    noise = np.random.default_rng(5).normal(size=(40, N))
    more = {} if part is None else {"part": np.tile(part, 40)}
    return table(
        path,
        score=noise.ravel(),
        member=np.tile(MEMBER, 40),
        variant=np.repeat([f"t={t}" for t in range(40)], N),
        id=np.tile(np.arange(N), 40),
        **more,
    )


def test_variants_show_what_choosing_on_test_data_flatters(run: Run, tmp_path: Path) -> None:
    found = run(variants(tmp_path / "variants.csv"))
    (gap,) = found["protocols"]
    assert gap["variants"] == 40
    assert gap["paper"]["auc"]["mean"] > gap["held_out"]["auc"]["mean"]
    (row,) = found["rows"]
    assert row["protocol"] == "held-out, chosen on a random half"
    assert row["n_members"] == N // 4
    assert row["auc_ci"][0] < 0.5 < row["auc_ci"][1]


def test_calibration_scores_choose_the_variant(run: Run, tmp_path: Path) -> None:
    part = np.where(np.arange(N) % 2 == 0, "calibration", "test")
    (row,) = run(variants(tmp_path / "variants.csv", part))["rows"]
    noise, calibrates = np.random.default_rng(5).normal(size=(40, N)), part == "calibration"
    best = max(
        range(40), key=lambda v: auc(noise[v][calibrates & MEMBER], noise[v][calibrates & ~MEMBER])
    )
    assert row["chosen"] == f"t={best}"
    assert row["auc"] == auc(noise[best][~calibrates & MEMBER], noise[best][~calibrates & ~MEMBER])


def test_captions_give_a_blind_row(run: Run, tmp_path: Path) -> None:
    """The captions give members away, so the attack is not above blind."""
    captions = [f"A {'photo' if m else 'drawing'} of {i}" for i, m in enumerate(MEMBER)]
    path = table(tmp_path / "c.csv", score=SCORE, member=MEMBER, text=captions)
    found = run(path, "--caption", "text")
    blind = found["rows"][0]
    assert (blind["attack"], blind["access"]) == ("blind-captions", "blind")
    assert blind["auc"] > 0.95
    assert "no-blind-row" not in kinds(found)


def test_blind_is_what_was_declared_and_no_name(run: Run, tmp_path: Path) -> None:
    """An attack called `deblinder` looks at the model; one that was declared blind does not."""
    noise = np.random.default_rng(9).normal(size=N)
    path = table(tmp_path / "two.csv", deblinder=SCORE, guess=noise, member=MEMBER)
    columns = ("--score", "deblinder", "--score", "guess")
    undeclared = run(path, *columns)
    assert [row["access"] for row in undeclared["rows"]] == [None, None]
    assert "say --blind deblinder" in message(undeclared, "undeclared-blind")
    declared = run(path, *columns, "--blind", "guess")
    assert [row["access"] for row in declared["rows"]] == [None, "blind"]
    assert "no-blind-row" in kinds(undeclared) and "no-blind-row" not in kinds(declared)
    assert {row["kind"] for row in declared["comparisons"]} == {"strongest blind row"}
    assert "undeclared-blind" not in kinds(run(path, *columns, "--blind", "deblinder"))
    with pytest.raises(UnknownName, match="did you mean guess"):
        run(path, *columns, "--blind", "gues")


def test_a_run_folder_s_scores_are_read_as_they_are(run: Run, tmp_path: Path) -> None:
    """Two targets; earlier budgets, and variants that were not chosen, do not count."""
    rows = []
    for target in ("realistic", "null-is-none"):
        for part, variant, budget in (
            ("calibration", "Loss(t=1)", 1),
            ("calibration", "Loss(t=2)", 9),
            ("test", "Loss(t=1)", 1),
            ("test", "Loss(t=1)", 2),
            ("paper", "Loss(t=2)", 9),
            ("null", "Loss(t=1)", 2),
        ):
            for i in range(N):
                score = SCORE[i] if (part, budget) == ("test", 2) else float(i % 7)
                own = {"candidate": f"{part}{i}", "member": bool(MEMBER[i]), "score": score}
                rows.append(
                    {"target": target, "data": "clipart", "attack": "loss", "variant": variant}
                    | {"part": part, "budget": budget, "queries": budget, **own}
                )
    for row in rows:  # the paper part is scored on the test candidates
        row["candidate"] = row["candidate"].replace("paper", "test")
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "scores.parquet")
    found = run(tmp_path / "scores.parquet")
    assert [row["target"] for row in found["rows"]] == ["realistic", "null-is-none"]
    for row in found["rows"]:
        assert row["auc"] == auc(SCORE[MEMBER], SCORE[~MEMBER])
        assert (row["chosen"], row["queries"], row["protocol"]) == ("Loss(t=1)", 2, "held-out")
    assert {(gap["target"], gap["part"]) for gap in found["protocols"]} == {
        (t, p) for t in ("realistic", "null-is-none") for p in ("test", "calibration")
    }
    assert "null target" in {control["control"] for control in found["controls"]}
    assert not kinds(found) & {"no-null-target", "no-calibration-part"}


# What looks wrong


def scored(path: Path, score: Any, member: Any = MEMBER, **more: Any) -> Path:
    return table(path, score=score, member=member, **more)


def test_hard_labels_are_told_from_scores(run: Run, tmp_path: Path) -> None:
    hard = (SCORE > 0.5).astype(int)
    found = run(scored(tmp_path / "hard.csv", hard))
    tpr, fpr = hard[MEMBER].mean(), hard[~MEMBER].mean()
    assert f"FPR of {fpr:.3f} and a TPR of {tpr:.3f}" in message(found, "hard-labels")
    assert found["rows"][0]["auc"] == pytest.approx((1 + tpr - fpr) / 2)


@pytest.mark.parametrize(
    ("kind", "score", "member"),
    [
        ("constant", np.ones(N), MEMBER),
        ("few-values", np.round(SCORE), MEMBER),
        ("saturated", np.clip(SCORE, None, 1), MEMBER),
        ("integers", np.round(1000 * SCORE), MEMBER),
        ("imbalance", SCORE, np.arange(N) < 12),
        ("too-few", SCORE[:40], MEMBER[:40]),
        ("position", np.arange(N) / 40 + SCORE, np.arange(N) < N // 2),
        ("orientation", -SCORE, MEMBER),
    ],
)
def test_what_looks_wrong_is_said(
    kind: str, score: NDArray, member: NDArray, run: Run, tmp_path: Path
) -> None:
    good = run(scored(tmp_path / "good.csv", SCORE))
    assert kind not in kinds(good) or kind == "too-few"
    assert kind in kinds(run(scored(tmp_path / "odd.csv", score, member)))


def two_sizes(path: Path, **more: Any) -> Path:
    """Attack A on all candidates, attack B on 6 + 6 of others."""
    few = np.concatenate([np.flatnonzero(MEMBER)[:6], np.flatnonzero(~MEMBER)[:6]])
    score = np.concatenate([SCORE, 10.0 * MEMBER[few] + SCORE[few]])
    member = np.concatenate([MEMBER, MEMBER[few]])
    return scored(path, score, member, attack=["A"] * N + ["B"] * 12, **more)


def test_each_attack_is_warned_about_its_own_size(run: Run, tmp_path: Path) -> None:
    found = run(two_sizes(tmp_path / "sizes.csv"))
    said = [w["message"] for w in found["warnings"] if w["kind"] == "too-few"]
    assert len(said) == 2 and said[0].startswith("A: A TPR at 1 % FPR")
    assert said[1].startswith("B: 6 members and 6 non-members are few")
    same = run(
        table(tmp_path / "same.csv", a=SCORE, b=-SCORE, member=MEMBER),
        "--score",
        "a",
        "--score",
        "b",
    )
    assert message(same, "too-few").startswith("A TPR at 1 % FPR")


def test_captions_of_other_candidates_give_another_blind_row(run: Run, tmp_path: Path) -> None:
    """Those of attack A tell nothing, those of attack B all."""
    telling = [f"A {'photo' if m else 'drawing'}, {i}" for i, m in enumerate(MEMBER)]
    path = scored(
        tmp_path / "captions.csv",
        np.tile(SCORE, 2),
        np.tile(MEMBER, 2),
        attack=np.repeat(["A", "B"], N),
        caption=[f"A cat, {i}" for i in range(N)] + telling,
    )
    found = run(path)
    blind = {row["attack"]: row["auc"] for row in found["rows"] if row["access"] == "blind"}
    assert set(blind) == {"blind-captions (A)", "blind-captions (B)"}
    assert blind["blind-captions (A)"] < 0.7 and blind["blind-captions (B)"] > 0.95


def test_each_attack_without_a_calibration_part_is_named(run: Run, tmp_path: Path) -> None:
    part = np.concatenate([np.where(np.arange(N) % 2, "test", "cal"), np.repeat("test", N)])
    attack = np.repeat(["A", "B"], N)
    path = scored(
        tmp_path / "half.csv", np.tile(SCORE, 2), np.tile(MEMBER, 2), attack=attack, part=part
    )
    assert message(run(path), "no-calibration-part").startswith("No calibration part of B: ")


def test_a_failed_null_target_stands_in_its_row(app: typer.Typer, run: Run, tmp_path: Path) -> None:
    part = np.repeat(["test", "null"], N)
    path = scored(tmp_path / "null.csv", np.tile(SCORE, 2), np.tile(MEMBER, 2), part=part)
    found = run(path)
    assert [row["failed_controls"] for row in found["rows"]] == [["null target"]]
    assert f"failed (AUC {found['rows'][0]['auc']:.3f}, where" in message(found, "control-failed")
    shown = CliRunner().invoke(app, [str(path)]).stdout
    assert "FAILED CONTROL (null target)" in " ".join(shown.split())
    honest = run(scored(tmp_path / "honest.csv", SCORE))
    assert [row["failed_controls"] for row in honest["rows"]] == [[]]


def test_a_shuffle_that_fails_by_coverage_says_so(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*args: Any) -> Control:
        return replace(label_shuffle(*args), coverage=0.845, passed=False)

    monkeypatch.setattr(sheet, "label_shuffle", failing)
    found = run(scored(tmp_path / "s.csv", SCORE))
    said = message(found, "control-failed")
    assert "95 % intervals held 0.5 in 84.5 % of 200 repetitions" in said and "AUC" not in said
    assert found["rows"][0]["failed_controls"] == ["label shuffle"]


def test_no_interval_of_the_distance_of_few_scores(
    app: typer.Typer, run: Run, tmp_path: Path
) -> None:
    few = np.concatenate([np.flatnonzero(MEMBER)[:19], np.flatnonzero(~MEMBER)])
    (row,) = run(scored(tmp_path / "few.csv", SCORE[few], MEMBER[few]))["rows"]
    assert row["wasserstein"]["ci"] is None
    shown = CliRunner().invoke(app, [str(tmp_path / "few.csv")]).stdout
    assert f"{row['wasserstein']['value']:.3g} \N{EN DASH} " in shown
    enough = np.concatenate([np.flatnonzero(MEMBER)[:20], np.flatnonzero(~MEMBER)])
    (row,) = run(scored(tmp_path / "enough.csv", SCORE[enough], MEMBER[enough]))["rows"]
    assert len(row["wasserstein"]["ci"]) == 2


@pytest.mark.filterwarnings("error")
def test_huge_scores_are_measured_like_small_ones(run: Run, tmp_path: Path) -> None:
    (small,) = run(scored(tmp_path / "small.csv", SCORE))["rows"]
    (huge,) = run(scored(tmp_path / "huge.csv", SCORE * 1e305))["rows"]
    assert huge["auc"] == small["auc"]
    value = small["wasserstein"]["value"]
    assert huge["wasserstein"]["value"] == pytest.approx(value * 1e305)


def test_sides_that_are_sorted_by_score_are_no_drift(run: Run, tmp_path: Path) -> None:
    score = np.concatenate([np.sort(SCORE[MEMBER]), np.sort(SCORE[~MEMBER])])
    assert "position" not in kinds(run(scored(tmp_path / "s.csv", score, np.arange(N) < N // 2)))


def test_parts_that_point_apart_are_said(run: Run, tmp_path: Path) -> None:
    part = np.where(np.arange(N) % 2 == 0, "cal", "test")
    score = np.where(part == "cal", -SCORE, SCORE)
    found = run(scored(tmp_path / "apart.csv", score, part=part))
    assert "orientation-differs" in kinds(found)


@pytest.mark.parametrize("with_ids", [True, False])
def test_candidates_of_both_parts_are_found(with_ids: bool, run: Run, tmp_path: Path) -> None:
    part = np.where(np.arange(N) % 2 == 0, "calibration", "test")
    shown = np.arange(N)
    shown[1:21:2] = shown[0:20:2]  # ten test candidates are copies of calibration candidates
    ids = {"id": shown} if with_ids else {}
    honest = run(scored(tmp_path / "honest.csv", SCORE, part=part))
    assert "overlap" not in kinds(honest)
    leaky = scored(tmp_path / "leaky.csv", SCORE[shown], MEMBER[shown], part=part, **ids)
    assert "overlap" in kinds(run(leaky))


# What is stated

SIDE = st.lists(st.integers(-4, 4), min_size=1, max_size=30).map(np.array)


@given(SIDE, SIDE, st.floats(0.02, 0.95))
def test_true_numbers_are_never_called_impossible(
    members: NDArray, nonmembers: NDArray, alpha: float
) -> None:
    point = tpr_at_fpr(members, nonmembers, alpha)
    if point is not None:
        low, high = auc_bounds((point.tpr, point.tpr), alpha)
        assert low - 1e-12 <= auc(members, nonmembers) <= high + 1e-12


def test_the_bounds_of_the_auc_are_reached() -> None:
    """500 of 1,000 members above all but 100 of 1,000 non-members, and then as bad, or as good."""
    top, rest = np.full(500, 10.0), np.zeros(500)
    worst = auc(np.r_[top, rest - 1], np.r_[np.full(100, 20.0), np.zeros(900)])
    assert worst == pytest.approx(auc_bounds((0.5, 0.5), 0.1)[0])
    best = auc(np.r_[top, rest], np.r_[np.zeros(101), np.full(899, -1.0)])
    assert tpr_at_fpr(np.r_[top, rest], np.r_[np.zeros(101), np.full(899, -1.0)], 0.1).tpr == 0.5  # pyright: ignore[reportOptionalMemberAccess]
    assert best == pytest.approx(auc_bounds((0.5, 0.5), 0.1)[1], abs=0.001)


def test_a_stated_number_is_what_rounds_to_it() -> None:
    assert Stated.of("2.5%", "x").ends == pytest.approx((0.0245, 0.0255))
    assert Stated.of("0.76", "x").ends == pytest.approx((0.755, 0.765))


@pytest.mark.parametrize("text", ["0e999", "0e-999", "1e-400", "0e999%"])
def test_a_stated_number_of_endless_digits_is_refused(text: str) -> None:
    with pytest.raises(DataError, match=f"Expected x with at most 100 digits.*got {text}"):
        Stated.of(text, "x")


def test_statements_are_held_against_each_other_and_the_scores(run: Run, tmp_path: Path) -> None:
    path = scored(tmp_path / "s.csv", SCORE)
    true = f"{auc(SCORE[MEMBER], SCORE[~MEMBER]):.2f}"
    assert not any(kind.startswith("stated") for kind in kinds(run(path, "--stated-auc", true)))
    assert "stated-outside" in kinds(run(path, "--stated-auc", "0.95"))
    tpr = ("--stated-tpr", "0.9", "--stated-fpr", "0.01")
    found = run(path, "--stated-auc", "0.6", *tpr)
    assert "between 0.84" in message(found, "stated-impossible")
    unseen = run(path, "--stated-tpr", "0.1", "--stated-fpr", "0.001")
    assert "at least 1,000" in message(unseen, "stated-unresolvable")
    with pytest.raises(DataError, match="--stated-fpr"):
        run(path, "--stated-tpr", "0.9")


# Bad input


def npz(path: Path, **arrays: Any) -> Path:
    with path.open("wb") as file:
        np.savez(file, **arrays)
    return path


def text(content: str) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        path.write_bytes(content.encode())
        return path

    return write


def archive(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.pkl", b"")
    return path


def cut(write: Callable[[Path], Path]) -> Callable[[Path], Path]:
    def written(path: Path) -> Path:
        path.write_bytes(write(path).read_bytes()[:700])
        return path

    return written


BAD: dict[str, tuple[Callable[[Path], Path], str]] = {
    "empty": (text(""), "is empty"),
    "blank": (text("\n \n"), "is empty"),
    "names only": (text("score,member\n"), "no rows"),
    "no names": (text("0.5,1\n0.2,0\n"), "put a line with names"),
    "one side": (text("score,member\n1,1\n2,1\n"), "no non-members"),
    "ragged": (text("score,member\n1,1\n2,0,3\n"), "line 3 has 3 fields"),
    "open quote": (text('score,member\n1,1\n2,"0\n3,1\n'), "is broken"),
    "two of a name": (text("score,member,score\n1,1,2\n"), "more than one column called score"),
    "NaN": (text("score,member\nnan,1\n1,0\n-inf,0\n,1\n"), "3 of 4 .*rows 1, 3, 4"),
    "words": (text("score,member\nhigh,1\n1,0\n"), "row 1 of the data has 'high'"),
    "thousands": (text('score,member\n"1,234",1\n1,0\n'), "expected a number"),
    "odd label": (text("score,member\n1,1\n2,maybe\n"), "row 2 of the data has 'maybe'"),
    "label 2": (text("score,member\n1,1\n2,2\n"), "row 2 of the data has '2'"),
    "other names": (text("prob,label\n1,1\n2,0\n"), "--score prob"),
    "a loss": (text("loss,member\n1,1\n2,0\n"), "--score loss --lower-is-member"),
    "odd part": (text("score,member,part\n1,1,x\n2,0,test\n"), "'x' as `part`"),
    "ids twice": (text("id,score,member\na,1,1\na,2,1\nb,0,0\n"), "more than once .*'a'"),
    "no id": (text("id,score,member\na,1,1\n,2,0\n"), "no value in row 2"),
    "junk": (text("\x00\x01\x02" * 40), "zero bytes"),
    "latin": (lambda p: p.write_bytes("score,member,ä".encode("latin-1")) and p, "0xe4"),
    "pickle": (lambda p: p.write_bytes(b"\x80\x04K\x01.") and p, "a pickle, which miagym never"),
    "PyTorch": (archive, "of PyTorch, which holds a pickle"),
    "pickled array": (lambda p: npz(p, score=[1, 2], member=np.array([1, 0], object)), "pickle"),
    "lengths": (lambda p: npz(p, score=[1, 2, 3], member=[1, 0]), "has 3 values and `member` 2"),
    "shape": (lambda p: npz(p, score=np.ones((4, 2)), member=[1, 0, 1, 0]), r"\(4, 2\)"),
    "array": (lambda p: npz(p, x=[1]), "no column `score`"),
    "cut npz": (cut(arrays), "broken"),
    "cut parquet": (cut(parquet), "broken"),
    "cut json": (cut(records), "broken"),
    "deep json": (text("[" * 100_000), "nested too deeply"),
    "json twice": (text('[{"score": 1, "score": 2, "member": 1}]'), "more than one value"),
    "json of numbers": (text("[1, 2]"), "something else than records"),
    "json mixed": (text('{"score": [1, "x"], "member": [1, 0]}'), "not all of one kind"),
    "other keys": (
        text('{"score": {"0": 1, "1": 2}, "member": {"0": 1, "2": 0}}'),
        "`score` and `member` do not have the same keys",
    ),
    "one member of variants": (
        text("score,member,variant\n1,1,a\n2,0,a\n3,0,a\n1,1,b\n2,0,b\n3,0,b\n"),
        "1 members and 2 non-members.*at least 2 of each",
    ),
    "results": (text('{"schema": 1, "rows": []}'), "give the scores"),
    "folder": (lambda p: p.mkdir() or p, "is a folder"),
    "nothing": (lambda p: p, "There is no file"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_sentence(name: str, run: Run, tmp_path: Path) -> None:
    write, expected = BAD[name]
    with pytest.raises(DataError, match=expected) as caught:
        run(write(tmp_path / "scores.csv"))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value).removeprefix(str(tmp_path))) < 400


@given(st.binary(max_size=300))
def test_no_bytes_end_in_a_traceback(tmp_path_factory: pytest.TempPathFactory, junk: bytes) -> None:
    from miagym.scorefile.attacks import attacks_of
    from miagym.scorefile.reading.columns import Columns
    from miagym.scorefile.reading.file import open_scores

    path = tmp_path_factory.mktemp("junk") / "scores"
    for magic in (b"", b"PK\x03\x04", b"PAR1", b"\x93NUMPY", b'{"score": ', b"score,member\n"):
        path.write_bytes(magic + junk)
        with pytest.raises(DataError):
            attacks_of(open_scores(path), Columns(), lower_is_member=False, seed=0)


# The command


def test_the_table_says_what_is_not_known(app: typer.Typer, tmp_path: Path) -> None:
    path = scored(tmp_path / "mine.csv", SCORE)
    shown = CliRunner().invoke(app, [str(path)])
    assert shown.exit_code == 0
    assert "TPR at 1 % FPR" in shown.stdout and "none was run" in shown.stdout
    few = scored(tmp_path / "few.csv", SCORE[:40], MEMBER[:40])
    assert "not resolvable with n = " in CliRunner().invoke(app, [str(few)]).stdout


def test_no_model_library_is_loaded(tmp_path: Path) -> None:
    path = scored(tmp_path / "s.csv", SCORE)
    program = (
        "import sys, pathlib; from miagym.cli.score import score;"
        f"score(pathlib.Path({str(path)!r}), as_json=True);"
        "sys.exit('torch' in sys.modules or 'diffusers' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert json.loads(done.stdout)["schema"] == 2


def test_without_an_output_nothing_breaks() -> None:
    """A job whose output is closed has no terminal to ask for its width."""
    command = Path(sys.executable).with_name("miagym")
    done = subprocess.run(["sh", "-c", '"$0" attacks >&-', command], stderr=subprocess.PIPE)
    assert not done.stderr and done.returncode == 0, done.stderr


def test_the_guide_shows_what_happens(app: typer.Typer, tmp_path: Path) -> None:
    """Its program writes its file, its command reads it, and every warning is explained."""
    root = Path(__file__).parents[2]
    guide = (root / "docs/evaluate/score.md").read_text()
    (program,) = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    (options,) = re.findall(r"^miagym score scores.csv (.*)$", guide, re.MULTILINE)
    file = str(tmp_path / "scores.csv")
    shown = CliRunner().invoke(app, [file, *options.split()])
    (promised,) = re.findall(r"```text\n(.*?)```", guide, re.DOTALL)
    for line in promised.splitlines():
        assert " ".join(line.split()) in " ".join(shown.stdout.split())
    sources = (root / "miagym/scorefile").glob("*.py")
    said = {k for s in sources for k in re.findall(r'Warned\(\s*"([\w-]+)"', s.read_text())}
    assert said == set(re.findall(r"^\| `(\w[\w-]+)` \|", guide, re.MULTILINE))
