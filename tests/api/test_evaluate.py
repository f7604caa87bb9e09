"""`miagym.evaluate` with names and with objects: results, refusals, and what is left on disk."""

from __future__ import annotations

import pickle
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

import miagym
from attacks import PIA, Attack, blind_names
from miagym.candidates import Candidates
from miagym.data.dataset import CALIBRATION, TEST, Dataset
from miagym.errors import (
    AttackError,
    DataError,
    MiagymError,
    RunError,
    TargetError,
    UnknownName,
)
from miagym.oracle import Access, Cost, Oracle
from miagym.results import Estimate, Results
from miagym.targets.dummy import DummyTarget
from tests.api.conftest import Deblinder, Looks, encoded


@pytest.fixture(scope="session")
def run(dummy: DummyTarget, small: Dataset) -> miagym.Run:
    return miagym.evaluate(dummy, small, ["pia", Deblinder(), Looks, "clid"])


def test_objects_and_names_end_in_one_table(run: miagym.Run) -> None:
    asked = {"pia", "deblinder", "looks", "clid"}
    assert {row.attack for row in run.rows} == asked | set(blind_names())
    text = str(run)
    for row in run.rows:
        assert row.attack in text and str(row.auc.ci[0])[:4] in text  # type: ignore[attr-defined]
    assert run.finding in text
    assert run["deblinder"].target == "dummy" and run["deblinder"].data == "small"


def test_blind_is_a_fact_and_no_name(run: miagym.Run) -> None:
    blind = {row.attack for row in run.rows if row.blind}
    assert blind == {"looks", *blind_names()}
    assert run["deblinder"].access == "grey"
    assert {row.attack for row in run.rows if row.learned} >= set(blind_names())
    assert "deblinder" in {control.attack for control in run.results.controls}
    assert "looks" not in {control.attack for control in run.results.controls}
    assert {c.against for c in run.results.comparisons if c.kind == "strongest blind row"} <= blind


def test_a_number_carries_its_interval(run: miagym.Run) -> None:
    auc = run["pia"].auc
    assert isinstance(auc, Estimate) and auc.ci[0] <= auc <= auc.ci[1]
    assert repr(auc) == f"{float(auc):.3f} [{auc.ci[0]:.3f}–{auc.ci[1]:.3f}]"
    again = pickle.loads(pickle.dumps(auc))
    assert again == auc and again.ci == auc.ci


def test_it_converts(run: miagym.Run, tmp_path: Path) -> None:
    frame = run.to_frame()
    assert len(frame) == len(run.rows)
    latex = run.to_latex()
    assert r"\toprule" in latex and "deblinder" in latex and "blind-pixels" in latex
    html = run._repr_html_()
    assert "<table" in html and "deblinder" in html
    figure = run.figure("roc")
    figure.save(tmp_path / "roc.html")
    assert (tmp_path / "roc.html").stat().st_size > 1000
    report = run.report(tmp_path / "report.html")
    assert "deblinder" in report.read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_same_as_by_name_on_the_command_line(tmp_path: Path) -> None:
    """An object named like a registered attack scores as that one."""
    options = {"limit": 12, "null": None}
    ours = miagym.evaluate("clipart-overfit", attacks=PIA(), out=tmp_path / "ours", **options)
    theirs = miagym.evaluate("clipart-overfit", attacks="pia", out=tmp_path / "theirs", **options)
    assert ours["pia"].as_json() | {"seconds": 0} == theirs["pia"].as_json() | {"seconds": 0}
    opened = miagym.Run.open(tmp_path / "ours")
    assert opened.rows == ours.rows and (tmp_path / "ours" / "report.html").is_file()
    assert Results.read(tmp_path / "ours" / "results.json") == ours.results


@dataclass(frozen=True)
class Stranger(Attack):
    """Gives whatever it is told to give."""

    access = Access.BLACK

    gives: str = "nothing"

    def __call__(self, oracle: Oracle, candidates: Candidates) -> np.ndarray:
        n = len(candidates)
        return {
            "pairs": np.zeros((n, 2)),
            "words": np.full(n, "yes"),
            "nan": np.full(n, np.nan),
            "nothing": None,
        }[self.gives]  # type: ignore[return-value]

    @property
    def cost(self) -> Cost:
        return Cost()


@dataclass(frozen=True)
class Cheap(Deblinder):
    """Says that it costs nothing."""

    @property
    def cost(self) -> Cost:
        return Cost(queries=1)


class NeedsMore(Deblinder):
    def __init__(self, more: int) -> None:
        super().__init__(more)


@dataclass(frozen=True)
class Nameless(Deblinder):
    what: object = None


class Abstract(Attack):
    access = Access.BLACK


class Unlevelled(Deblinder):
    access = None  # type: ignore[assignment]


BAD: list[tuple[object, type[MiagymError], str]] = [
    (3, AttackError, "Expected an attack's name, an `attacks.Attack` or a class of it, got int 3"),
    (dict, AttackError, "or a class of it, got dict"),
    ([], DataError, "No attack was named"),
    ("piaa", UnknownName, "did you mean pia"),
    (NeedsMore, AttackError, "The attack class NeedsMore cannot be made with its defaults"),
    (Abstract, AttackError, "class Abstract does not define __call__, .* define what is missing"),
    (Unlevelled, AttackError, "an access of blind, black, grey, white, got None; name it in the"),
    (Nameless(what=object()), AttackError, "holds an address in memory"),
    ([PIA(100), PIA(200)], AttackError, "Two attacks are called 'pia'"),
    (Stranger("pairs"), AttackError, r"scores of shape \(1, 2\)"),
    (Stranger("words"), AttackError, "expected 1 numbers"),
    (Stranger("nan"), AttackError, "expected finite numbers"),
    (Stranger("nothing"), AttackError, "scores of shape"),
    (Cheap(), AttackError, r"cheap declares Cost\(queries=1.* and was charged Cost\(queries=2"),
]


@pytest.mark.parametrize(("attacks", "kind", "says"), BAD)
def test_bad_attacks_are_one_sentence_and_leave_nothing(
    attacks: object,
    kind: type[MiagymError],
    says: str,
    dummy: DummyTarget,
    small: Dataset,
    tmp_path: Path,
) -> None:
    out = tmp_path / "run"
    with pytest.raises(kind, match=says) as caught:
        miagym.evaluate(dummy, small, attacks, out=out)
    assert "\n" not in str(caught.value)
    assert not out.exists()


def test_what_is_no_target_or_data_is_refused(dummy: DummyTarget, small: Dataset) -> None:
    with pytest.raises(TargetError, match=r"Expected a target's name, its folder.*got int 3"):
        miagym.evaluate(3, small)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"a file, a folder or a `miagym.Dataset`, got list"):
        miagym.evaluate([dummy], [[1, 2]])  # type: ignore[list-item]
    for options, says in (
        ({}, r"Got 1 of data=\.\.\. for 2 of target=\.\.\.; give one for each\."),
        ({"null": None, "data": [small, small]}, r"1 of null=.* for 2 .* \(None for none\)\."),
    ):
        with pytest.raises(DataError, match=says):
            miagym.evaluate([dummy, dummy], **{"data": small, **options})  # type: ignore[arg-type]
    with pytest.raises(DataError, match="Nothing is known of what dummy was trained on"):
        miagym.evaluate(dummy)
    with pytest.raises(DataError, match="no members in its calibration part"):
        miagym.evaluate(dummy, replace(small, part=np.full(len(small), TEST)))
    part = np.where(small.member & (small.part == TEST), CALIBRATION, small.part)
    with pytest.raises(DataError, match="no members in its test part; an evaluation needs both"):
        miagym.evaluate(dummy, replace(small, part=part))


def test_what_was_skipped_says_why(run: miagym.Run, dummy: DummyTarget, small: Dataset) -> None:
    bare = replace(small, captions=("",) * len(small))
    found = miagym.evaluate(dummy, bare, ["clid", "pia"])
    with pytest.raises(RunError, match="clid was skipped on dummy: CLiD needs captions"):
        found["clid"]
    table = found.table()
    assert re.search(r"clid +\(\d\)", str(table)) and "skipped: CLiD needs captions" in str(table)
    assert "skipped: CLiD needs captions" in found.to_latex()
    frame = found.to_frame().set_index("Attack")
    assert np.isnan(frame["AUC"]["clid"]) and frame["AUC"].notna().sum() == len(found.rows)
    with pytest.raises(UnknownName, match=r"'piaa'.*did you mean pia"):
        run["piaa"]
    with pytest.raises(
        UnknownName, match=r"No target of these rows is called 'pia'.*\(target, attack\)"
    ):
        run["pia", "dummy"]
    with pytest.raises(UnknownName, match=r"'blind-bot'; did you mean (?!.*(blind-\w+).*\1)"):
        run["dummy", "blind-bot"]
    with pytest.raises(RunError, match="kept in no folder"):
        run.report()


@pytest.mark.slow
def test_several_targets_are_told_apart(dummy: DummyTarget, small: Dataset) -> None:
    other = DummyTarget(small.candidates(np.flatnonzero(~small.member)[:20], 64))
    other.name = "other"
    run = miagym.evaluate([dummy, other], [small, small], Deblinder())
    with pytest.raises(RunError, match=r"several targets; ask for \('dummy' or 'other'"):
        run["deblinder"]
    with pytest.raises(UnknownName, match=r"'blind-bot'; did you mean (?!.*(blind-\w+).*\1)"):
        run["blind-bot"]
    assert run["dummy", "deblinder"].auc > run["other", "deblinder"].auc
    with pytest.raises(DataError, match="Two objects are called dummy"):
        miagym.evaluate([dummy, DummyTarget(small.candidates(np.arange(2), 64))], [small, small])


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_what_breaks_before_a_score_leaves_no_folder(
    error: type[BaseException], dummy: DummyTarget, small: Dataset, tmp_path: Path
) -> None:
    @dataclass(frozen=True)
    class Broken(Deblinder):
        def __call__(self, oracle: Oracle, candidates: Candidates) -> np.ndarray:
            raise error

    out = tmp_path / "run"
    with pytest.raises(error):
        miagym.evaluate(dummy, small, Broken(), out=out)
    assert not out.exists()


@pytest.mark.slow
def test_many_precomputed_scores(dummy: DummyTarget, tmp_path: Path) -> None:
    """Scores that were computed elsewhere, behind an attack that only looks them up."""
    n = 600
    rng = np.random.default_rng(0)
    pictures = [encoded(rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)) for _ in range(n)]
    member = np.arange(n) % 2 == 0
    data = Dataset(
        "many", pictures, ("",) * n, member, np.where(np.arange(n) < n // 3, "calibration", TEST)
    )
    keys = data.candidates(np.arange(n), 64).keys
    scores = dict(zip(keys, rng.normal(size=n) + member, strict=True))

    @dataclass(frozen=True)
    class LookedUp(Attack):
        access = Access.BLACK

        def __call__(self, oracle: Oracle, candidates: Candidates) -> np.ndarray:
            return np.array([scores.get(key, 0.0) for key in candidates.keys])

    run = miagym.evaluate(dummy, data, LookedUp, out=tmp_path / "run")
    expected = np.array([scores[key] for key in keys])[n // 3 :]
    members, others = expected[member[n // 3 :]], expected[~member[n // 3 :]]
    assert run["looked-up"].auc == pytest.approx((members[:, None] > others).mean())


def test_captions_on_one_side_are_said_before_anything_is_asked(
    dummy: DummyTarget, small: Dataset, tmp_path: Path
) -> None:
    captions = tuple(
        text if member else "" for text, member in zip(small.captions, small.member, strict=True)
    )
    said: list[str] = []
    with pytest.raises(RuntimeError, match="enough"):

        def tell(sentence: str) -> None:
            said.append(sentence)
            raise RuntimeError("enough")

        odd = replace(small, captions=captions)
        miagym.evaluate(dummy, odd, "loss", out=tmp_path / "run", tell=tell)
    assert said[0].startswith("small: 40 of 40 members have captions and none of 40 non-members")
    assert not (tmp_path / "run").exists()
