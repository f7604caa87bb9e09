"""Checks on the embedded overfit target, calibrated with few pictures, and through the commands."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from attacks import make_attack
from attacks.black_box.rising_strength import RisingStrength
from miagym.checking.answer import Verdict
from miagym.checking.cache import Kept, load, save
from miagym.checking.calibration import calibrate, fitting_part
from miagym.checking.checker import Checker
from miagym.checking.sources.pictures import Pictures
from miagym.checking.upload import Upload, open_upload
from miagym.checking.words import sentences, set_sentences
from miagym.cli import app
from miagym.data.dataset import TEST, Dataset
from miagym.data.registry import load_data
from miagym.errors import DataError, RunError, UnknownName
from miagym.evaluation.signals import Signals
from miagym.targets.dummy import DummyTarget
from miagym.targets.registry import load_target

ATTACKS = ("sima+reference", "pia+reference")
LIMIT, ALPHA, SIZE = 60, 0.05, 64
Open = Callable[[bool, int], list[Upload]]


@pytest.fixture(scope="module")
def data() -> Dataset:
    return load_data("clipart-tune")


@pytest.fixture(scope="module")
def panel() -> Signals:
    attacks = {name: make_attack(name) for name in ATTACKS}
    target, base = load_target("clipart-overfit"), load_target("clipart-realistic")
    return Signals(target, attacks, base)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def checker(panel: Signals, data: Dataset, cache: Path) -> Checker:
    folder = cache / "miagym" / "calibration"
    made = Checker(panel, Pictures(data, limit=LIMIT, folder=folder))
    made.calibrated(captioned=True)
    return made


@pytest.fixture(scope="module")
def fresh(data: Dataset) -> Open:
    """Uploads of the test part's first members, or non-members."""

    def of(member: bool, n: int) -> list[Upload]:
        rows = [row for row in data.rows(TEST, 0) if data.member[row] == member][:n]
        pictures = (data.pictures[int(row)] for row in rows)
        captions = (data.captions[row] for row in rows)
        return [
            open_upload(picture, SIZE, caption=caption, name=f"{member} {i}")
            for i, (picture, caption) in enumerate(zip(pictures, captions, strict=True))
        ]

    return of


def noise() -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), np.uint8)
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.slow
def test_members_are_mostly_member_like_and_others_are_mostly_not(
    checker: Checker, fresh: Open
) -> None:
    members = [checker.check(upload, ALPHA) for upload in fresh(True, 12)]
    others = [checker.check(upload, ALPHA) for upload in fresh(False, 12)]
    assert sum(a.verdict is Verdict.MEMBER_LIKE for a in members) >= 8
    assert sum(a.verdict is Verdict.MEMBER_LIKE for a in others) <= 3
    for answer in members:
        assert answer.power.tpr > 0.5 and answer.power.fpr == pytest.approx(2 / 41)
        if answer.p_value is not None:
            assert answer.p_smallest == 1 / 41 <= answer.p_value
            assert (answer.verdict is Verdict.MEMBER_LIKE) == (answer.p_value <= ALPHA)


def test_noise_is_not_comparable_and_gets_no_p_value(checker: Checker) -> None:
    answer = checker.check(open_upload(noise(), SIZE, caption="a cat, animal"), ALPHA)
    assert answer.verdict is Verdict.NOT_COMPARABLE and not answer.guard.resembles
    assert answer.p_value is None and answer.likelihood_ratio is None and not answer.attacks
    assert "does not resemble" in sentences(answer)[0]


def test_too_few_nonmembers_never_call_anything_member_like(checker: Checker, fresh: Open) -> None:
    answer = checker.check(fresh(True, 1)[0], 0.01)
    assert answer.verdict is Verdict.CANNOT_TELL and answer.power.times is None
    assert "cannot be resolved" in sentences(answer)[0]


def test_the_kept_calibration_gives_the_same_answer(
    checker: Checker, panel: Signals, data: Dataset, fresh: Open, cache: Path
) -> None:
    folder, upload = cache / "miagym" / "calibration", fresh(True, 3)[2]
    unasked = replace(panel, batch_size=0)  # would fail at the first question to the target
    again = calibrate(unasked, data, limit=LIMIT, folder=folder)
    assert again.keys == checker.calibrated(True).calibration.keys
    reread = Checker(panel, Pictures(data, limit=LIMIT, folder=folder))
    assert reread.check(upload, ALPHA) == checker.check(upload, ALPHA)


@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "of other content"])
def test_a_damaged_calibration_is_rebuilt(
    damage: str, dummy: DummyTarget, data: Dataset, tmp_path: Path
) -> None:
    dummy.fingerprint = "one that has a name"
    panel = Signals(dummy, {"sima": make_attack("sima")})
    first = calibrate(panel, data, limit=30, folder=tmp_path)
    (file,) = tmp_path.iterdir()
    good = file.read_bytes()
    if damage == "of other content":
        save(file, Kept({"a": np.zeros(1)}, {"b": 1}))
    else:
        half = len(good) // 2
        bad = {"cut": good[:half], "changed": good[:-9] + bytes(9), "empty": b""}
        file.write_bytes(bad[damage])
    second = calibrate(panel, data, limit=30, folder=tmp_path)
    np.testing.assert_array_equal(first.signals["sima"], second.signals["sima"])
    kept = load(file)
    assert kept is not None and kept.arrays.keys() == {
        *("member", "fitting", "groups", "looks", "signals sima")
    }


def test_other_questions_are_kept_apart(dummy: DummyTarget, data: Dataset, tmp_path: Path) -> None:
    dummy.fingerprint = "one that has a name"
    panel = Signals(dummy, {"sima": make_attack("sima")})
    calibrate(panel, data, limit=30, folder=tmp_path)
    calibrate(panel, data, limit=31, folder=tmp_path)
    calibrate(panel, data, limit=30, captioned=False, folder=tmp_path)
    calibrate(replace(panel, seed=1), data, limit=30, folder=tmp_path)
    calibrate(Signals(dummy, {"pia": make_attack("pia")}), data, limit=30, folder=tmp_path)
    assert len(list(tmp_path.iterdir())) == 5


def test_alone_or_together_the_answer_is_the_same(
    panel: Signals, data: Dataset, cache: Path, checker: Checker, fresh: Open
) -> None:
    uploads = [*fresh(True, 3), *fresh(False, 3)]
    together = [checker.check(upload, ALPHA) for upload in uploads]
    for upload, answer in zip(reversed(uploads), reversed(together), strict=True):
        alone = Checker(panel, Pictures(data, limit=LIMIT, folder=cache / "miagym" / "calibration"))
        assert alone.check(upload, ALPHA) == answer


@pytest.mark.slow
def test_twenty_members_are_found_as_a_set_and_others_are_not(
    checker: Checker, fresh: Open
) -> None:
    members = checker.check_set(fresh(True, 20), 0.01)
    assert members.verdict is Verdict.MEMBER_LIKE and members.test is not None
    assert members.test.p_value <= 0.01 and members.test.welch_p_value <= 0.01
    assert members.test.controls <= 40 and members.used + members.not_comparable == 20
    assert members.needed.pictures is not None and members.needed.pictures <= 20
    others = checker.check_set(fresh(False, 20), 0.01)
    assert others.verdict is Verdict.CANNOT_TELL
    assert "Cannot tell" in set_sentences(others)[0]


def test_repeated_pictures_count_once_and_strange_sets_are_refused(
    checker: Checker, fresh: Open
) -> None:
    two = fresh(True, 2)
    repeated = checker.check_set([*two, *two, two[0]], ALPHA)
    assert (repeated.pictures, repeated.used, repeated.repeated) == (5, 2, 3)
    assert repeated.test == checker.check_set(two, ALPHA).test
    strange = [open_upload(noise(), SIZE, caption=f"{i} cat, animal") for i in range(2)]
    found = checker.check_set([*two, *strange], ALPHA)
    assert found.verdict is Verdict.NOT_COMPARABLE and found.test is None
    assert "Not comparable as a set" in set_sentences(found)[0]
    assert checker.check_set(two[:1], ALPHA).verdict is Verdict.NOT_COMPARABLE


def test_calibration_pictures_are_recognised(checker: Checker, data: Dataset) -> None:
    calibration = checker.calibrated(True).calibration
    row = int(data.rows("calibration", 0, LIMIT)[0])
    upload = open_upload(data.pictures[row], SIZE, caption=data.captions[row])
    assert upload.candidate.keys[0] in calibration.keys
    which = "member" if data.member[row] else "non-member"
    assert f"is a {which} of the calibration part" in checker.check(upload, ALPHA).notes[0]


@pytest.mark.parametrize("alpha", [0.0, 1.0, -1.0, float("nan")])
def test_an_alpha_that_is_no_share_is_refused(checker: Checker, fresh: Open, alpha: float) -> None:
    with pytest.raises(DataError, match="between 0 and 1"):
        checker.check(fresh(True, 1)[0], alpha)


def test_halves_leave_enough_to_rank_and_pass_nobody_over() -> None:
    member = np.arange(300) < 150
    fitting = fitting_part(member, seed=0)
    assert fitting[:150].sum() == 50 and (~fitting & ~member).sum() == 100
    np.testing.assert_array_equal(fitting, fitting_part(member, seed=0))
    assert fitting_part(np.ones(126, dtype=bool), seed=0).sum() == 27  # as the guide says
    assert (~fitting_part(np.arange(220) < 100, seed=0)[100:]).sum() == 99
    often = np.mean([fitting_part(member, seed)[150:] for seed in range(300)], axis=0)
    assert abs(often.mean() - 1 / 3) < 1e-9 and often.min() > 0.2 and often.max() < 0.47


def test_a_set_is_compared_with_one_picture_of_each_group(
    dummy: DummyTarget, data: Dataset
) -> None:
    """A large group of non-members would move the answer about every set."""
    calibrated = Checker(Signals(dummy, {"sima": make_attack("sima")}), Pictures(data)).calibrated(
        True
    )
    calibration = calibrated.calibration
    ranking = ~calibration.fitting & ~calibration.member
    groups = calibration.groups[ranking]
    assert len(groups) > len(set(groups)) == len(calibrated.controls)
    assert set(calibrated.controls) <= set(calibrated.nonmembers["together"])


def test_without_captions_and_with_attacks_that_learn(dummy: DummyTarget, data: Dataset) -> None:
    """CLiD is left out where there is no caption, and the rest is asked under the empty prompt."""
    attacks = {name: make_attack(name) for name in ("clid", "sima")}
    attacks["rising"] = RisingStrength((0.3, 0.6))
    checker = Checker(Signals(dummy, attacks), Pictures(data, limit=60))
    bare = open_upload(data.pictures[int(data.rows(TEST, 0)[0])], SIZE)
    answer = checker.check(bare, ALPHA)
    assert not answer.captioned and {row.attack for row in answer.attacks} == {"sima", "rising"}
    assert any(note.startswith("clid was left out") for note in answer.notes)
    with pytest.raises(RunError, match="No attack can be run"):
        Checker(Signals(dummy, {"clid": make_attack("clid")}), Pictures(data, limit=30)).check(bare)


def test_too_small_a_calibration_is_refused(panel: Signals, data: Dataset, fresh: Open) -> None:
    with pytest.raises(DataError, match="at least 30 members"):
        Checker(panel, Pictures(data, limit=29)).check(fresh(True, 1)[0])
    rows = data.rows("calibration", 0, 20)
    part = np.where(np.isin(np.arange(len(data)), rows), "calibration", "test")
    third = (
        r"20 and 20: add pictures, of which a third calibrates \(90 of each side do\), or give a"
    )
    with pytest.raises(DataError, match=third):
        Checker(panel, Pictures(replace(data, part=part))).check(fresh(True, 1)[0])


KEYS = {
    *("schema", "target", "data", "verdict", "p_value", "p_smallest", "likelihood_ratio"),
    *("guard", "attacks", "power", "calibration", "done_to_picture", "words"),
}


def run(*arguments: str) -> Any:
    result = CliRunner().invoke(
        app, ["check", *arguments, "--target", "clipart-overfit", "--seed", "0"]
    )
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def options() -> list[str]:
    return ["--attacks", ",".join(ATTACKS), "--calibration-limit", str(LIMIT), "--alpha", "0.05"]


@pytest.fixture
def folder(
    data: Dataset, checker: Checker, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Four members with captions, a file that is no picture, and the kept calibration."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    rows = [row for row in data.rows(TEST, 0) if data.member[row]][:4]
    for row in rows:
        (tmp_path / f"{row}.webp").write_bytes(bytes(data.pictures[int(row)]))  # type: ignore[arg-type]
        (tmp_path / f"{row}.txt").write_text(data.captions[row])
    (tmp_path / "broken.png").write_text("no picture")
    Image.new("RGB", (SIZE, SIZE)).save(tmp_path / "other.tiff")
    return tmp_path


def test_the_command_answers_in_json(folder: Path, checker: Checker, data: Dataset) -> None:
    found = json.loads(run(str(folder), *options(), "--json").stdout)
    assert found["schema"] == 1 and len(found["pictures"]) == 4
    assert found["set"]["pictures"] == 4 and found["set"]["p_value"] <= 0.05
    assert list(found["skipped"]) == [str(folder / "broken.png"), str(folder / "other.tiff")]
    picture = next(folder.glob("*.webp"))
    text = picture.with_suffix(".txt").read_text()
    alone = json.loads(run(str(picture), "--caption", text, *options(), "--json").stdout)
    assert alone.keys() >= KEYS and alone["schema"] == 1
    (same,) = (each for each in found["pictures"] if each["picture"] == str(picture))
    assert {key: alone[key] for key in same} == same
    upload = open_upload(picture, SIZE, caption=text, name=str(picture))
    assert checker.check(upload, 0.05).as_json() == {k: v for k, v in same.items() if k != "words"}


def test_the_command_answers_in_words(folder: Path) -> None:
    said = run(str(folder), *options()).stdout
    assert "The set is member-like" in said and "Skipped:" in said and "does not say" in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["broken.png"], "no readable"),
        (["absent.png"], "not there"),
        ([".", "--caption", "x"], "--caption is of one picture"),
        ([".", "--access", "white"], "black or grey"),
        ([".", "--attacks", ","], "No attack was named"),
        ([".", "--attacks", "sima,blind-captions"], "blind-captions never looks at the"),
    ],
)
def test_what_cannot_be_checked_is_a_sentence(
    folder: Path, arguments: list[str], words: str
) -> None:
    with pytest.raises(DataError, match=words):
        run(str(folder / arguments[0]), *arguments[1:])


def test_a_mistyped_target_is_no_question_of_data(folder: Path) -> None:
    result = CliRunner().invoke(app, ["check", str(folder), "--target", "clipart-overfitt"])
    assert isinstance(result.exception, UnknownName)
    assert "did you mean clipart-overfit" in str(result.exception)


def test_other_targets_need_data(folder: Path, pipelines: dict[str, Path]) -> None:
    result = CliRunner().invoke(app, ["check", str(folder), "--target", str(pipelines["epsilon"])])
    assert isinstance(result.exception, DataError) and "--data" in str(result.exception)
