"""Checks by unused pictures alone: an artist's story on the embedded world, and all bad input."""

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
from scipy.stats import binomtest, ttest_ind

import miagym
from attacks import make_attack
from attacks.black_box.rising_strength import RisingStrength
from miagym.checking.sets.words import e_value_sentence
from miagym.checking.unused.control import ControlStanding
from miagym.data.dataset import TEST, Dataset
from miagym.errors import DataError, SettingsError
from miagym.evaluation.signals import Signals
from miagym.metrics.resampling.permutation import set_test
from miagym.metrics.sets.anytime import EValue
from miagym.metrics.sets.share import share_at_least
from miagym.targets.dummy import DummyTarget
from miagym.targets.registry import load_target
from tests.command_line import run
from tests.targets import loras

SIZE = 64
Lay = Callable[..., Path]


@pytest.fixture(scope="module")
def data() -> Dataset:
    return miagym.load_data("clipart-tune")


@pytest.fixture
def lay(data: Dataset, tmp_path: Path) -> Lay:
    """Lays n drawings of the test part into a folder, with captions beside them or without."""

    def of(name: str, member: bool, n: int, start: int = 0, captioned: bool = True) -> Path:
        rows = [row for row in data.rows(TEST, 0) if data.member[row] == member][start : start + n]
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        for row in rows:
            (folder / f"{row}.webp").write_bytes(bytes(data.pictures[int(row)]))  # type: ignore[arg-type]
            if captioned:
                (folder / f"{row}.txt").write_text(data.captions[row])
        return folder

    return of


def check(*given: Any, **options: Any) -> miagym.UnusedCheck:
    found = miagym.check(*given, **{"target": "clipart-overfit"} | options)
    assert isinstance(found, miagym.UnusedCheck)
    return found


@pytest.mark.slow
def test_the_story_of_an_artist(lay: Lay, capsys: pytest.CaptureFixture[str]) -> None:
    """12 drawings that were used and 12 that were not; no member is known."""
    used, unused = lay("used", True, 12), lay("unused", False, 12)
    found = check(used, unused=unused, fdr=0.1)
    together, listed = found.finding.together, found.finding.listed
    assert found.verdict == "member-like" and found.reference == "clipart-realistic"
    assert together is not None and together.test.p_value <= 0.01
    assert together.share.at_least >= 8 and together.e_value.p_value <= 0.01
    assert listed is not None and len(listed.pictures) >= 10
    assert {answer.verdict for answer in found.finding.pictures} == {"cannot tell"}
    assert found.finding.missing == 87 and "takes 87 more unused pictures" in str(found)
    words = found.words()
    assert words[0].startswith("The audit found no difference")  # before any p-value
    run("check", used, "--unused", unused, "--target", "clipart-overfit", "--fdr", 0.1, "--json")
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(found.as_json()))
    other = check(unused, unused=lay("others", False, 12, start=12))
    assert other.verdict == "cannot tell" and "ordinary answer" in str(other)


@pytest.fixture(scope="module")
def scored(data: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Scores of all members, and of all non-members, of the test part."""
    rows = data.rows(TEST, 0)
    attack = make_attack("sima+reference")
    signals = Signals(
        load_target("clipart-overfit"), {"": attack}, load_target("clipart-realistic")
    )
    chunks = [data.candidates(rows[a : a + 64], SIZE) for a in range(0, len(rows), 64)]
    scores = np.concatenate([signals.of({"": attack}, chunk)[""][:, 0] for chunk in chunks])
    return scores[data.member[rows]], scores[~data.member[rows]]


@pytest.mark.long
@pytest.mark.slow
def test_sets_of_unused_drawings_are_not_accused(scored: tuple[np.ndarray, np.ndarray]) -> None:
    """Over 2,000 draws, since the rate of an exact test over 200 is 1 % give or take 0.7."""
    members, others = scored
    rng, alarms, found, bounds = np.random.default_rng(0), 0, 0, 0
    for draw in range(2000):
        order = rng.permutation(len(others))
        suspects, controls = others[order[:12]], others[order[12:24]]
        if share_at_least(suspects, controls).at_least:
            bounds += 1
        if ttest_ind(suspects, controls, alternative="greater").pvalue < 0.05:  # else p is larger
            alarms += set_test(suspects, controls, draw).p_value <= 0.01
        if draw < 100:
            used = rng.choice(members, 12, replace=False)
            found += set_test(used, controls, draw).p_value <= 0.01
    low, high = binomtest(alarms, 2000).proportion_ci(method="exact")
    assert alarms / 2000 <= 0.01 and low <= 0.01 <= high + 0.005, (alarms, low, high)
    assert found >= 95 and bounds / 2000 <= 0.05


@pytest.mark.slow
def test_one_picture_is_told_how_many_more_it_takes(lay: Lay) -> None:
    one = next(lay("used", True, 1).glob("*.webp"))
    found = check(one, unused=lay("unused", False, 12), caption="a cat", alpha=0.05)
    assert found.verdict == "cannot tell" and found.finding.together is None
    assert "takes 7 more unused pictures than the 12" in str(found)
    assert "was not audited" in found.words()[0]
    (answer,) = found.finding.pictures
    assert answer.p_value is not None and answer.p_value >= 1 / 13
    enough = check(one, unused=lay("unused", False, 19), caption="a cat", alpha=0.05)
    assert enough.finding.missing == 0


def test_pictures_that_differ_in_more_than_membership_are_no_control(lay: Lay) -> None:
    """JPEG copies beside WebP files: any p-value would speak of the files."""
    used, unused = lay("used", True, 30), lay("unused", False, 30)
    for file in sorted(unused.glob("*.webp")):
        with Image.open(file) as picture:
            picture.convert("RGB").save(file.with_suffix(".jpg"), quality=60)
        file.unlink()
    found = check(used, unused=unused)
    assert found.finding.control.standing is ControlStanding.BAD
    assert found.verdict == "not comparable" and found.finding.together is None
    assert all(answer.p_value is None for answer in found.finding.pictures)
    assert found.words()[0].startswith("The unused pictures are no good as a control")
    assert "JPEG" in found.words()[0] or "WEBP" in found.words()[0]


def test_a_set_that_is_too_small_is_told_how_many_more_it_takes(lay: Lay) -> None:
    found = check(lay("used", True, 2), unused=lay("unused", False, 3))
    together = found.finding.together  # 10 ways to choose 2 of 5, and 105 to choose 2 of 15
    assert together is not None and together.p_smallest == 0.1 and together.missing == 10
    assert found.verdict == "cannot tell" and "takes 10 more unused pictures" in str(found)


def test_overlapping_sides_are_refused(lay: Lay) -> None:
    used, unused = lay("used", True, 4), lay("unused", False, 4)
    file = min(used.glob("*.webp"))
    copy = unused / "copy.webp"
    copy.write_bytes(file.read_bytes())
    with pytest.raises(
        DataError, match=r"overlap: .* and .*copy.webp \(the same file\); take each"
    ):
        check(used, unused=unused)
    copy.unlink()
    with Image.open(file) as picture:
        picture.convert("RGB").resize((90, 90)).save(unused / "again.jpg", quality=70)
    with pytest.raises(DataError, match=r"again.jpg \(nearly the same picture\)"):
        check(used, unused=unused)


def test_captions_on_one_side_are_not_used(lay: Lay) -> None:
    found = check(lay("used", True, 4), unused=lay("unused", False, 4, captioned=False))
    assert "Captions were not used, since 4 of 4 pictures in question and 0 of 4" in str(found)


def test_unreadable_ones_are_skipped_listed_and_counted_by_side(lay: Lay) -> None:
    used, unused = lay("used", True, 4), lay("unused", False, 4)
    (used / "broken.png").write_text("no picture")
    for name in ("a.png", "b.png"):
        (unused / name).write_bytes(b"")
    found = check(used, unused=unused)
    assert {side: len(why) for side, why in found.finding.skipped.items()} == {
        "pictures in question": 1,
        "unused pictures": 2,
    }
    assert "Skipped 2 of the unused pictures" in str(found) and "broken.png" in str(found)
    assert found.finding.together is not None and found.finding.together.test.controls == 4


def test_repeated_pictures_count_once(lay: Lay) -> None:
    used = lay("used", True, 3)
    file = min(used.glob("*.webp"))
    (used / "zz.webp").write_bytes(file.read_bytes())
    found = check(used, unused=lay("unused", False, 4))
    assert found.finding.repeated == {str(used / "zz.webp"): str(file)}
    assert len(found.finding.pictures) == 3 and "1 pictures repeat" in str(found)


def test_what_cannot_be_checked_is_a_sentence(lay: Lay, tmp_path: Path) -> None:
    used, unused = lay("used", True, 2), lay("unused", False, 2)
    (tmp_path / "empty").mkdir()
    for options, error, says in (
        ({"unused": tmp_path / "empty"}, DataError, r"There is no picture \(.*\) in .*empty"),
        ({"unused": tmp_path / "absent"}, DataError, "absent is not there"),
        ({"unused": []}, DataError, "No unused picture was given"),
        ({"data": "clipart-tune"}, SettingsError, r"data=... is of a check by known members"),
        ({"calibration_limit": 9}, SettingsError, "calibration_limit=... is of a check by known"),
        ({"attacks": "sima,pia"}, DataError, "asks one attack, fixed beforehand.*got sima, pia"),
        ({"attacks": RisingStrength((0.3, 0.6))}, DataError, "learns from known members"),
        ({"attacks": "blind-captions"}, DataError, "never looks at the target"),
        ({"alpha": 0.0}, DataError, "alpha between 0 and 1"),
        ({"fdr": 1.5}, DataError, "false discovery rate between 0 and 1"),
        ({"unused": next(unused.glob("*.webp"))}, DataError, "at least 2 different unused"),
    ):
        with pytest.raises(error, match=says):
            check(used, **{"unused": unused} | options)


def test_who_knows_no_members_is_told_of_unused_pictures(dummy: DummyTarget, lay: Lay) -> None:
    with pytest.raises(DataError, match=r"pictures like yours that were not used \(unused=...\)"):
        miagym.check(lay("used", True, 2), dummy)


@pytest.mark.long
@pytest.mark.slow
def test_5000_pictures_are_checked(dummy: DummyTarget) -> None:
    rng = np.random.default_rng(0)

    def picture() -> bytes:
        file = io.BytesIO()
        pixels = rng.integers(0, 256, (8, 8, 3), np.uint8)
        Image.fromarray(pixels).resize((32, 32), Image.Resampling.BICUBIC).save(file, "PNG")
        return file.getvalue()

    found = check(
        [picture() for _ in range(5000)], target=dummy, unused=[picture() for _ in "ab" * 99]
    )
    assert len(found.finding.pictures) + len(found.finding.repeated) == 5000
    assert found.finding.missing == 0


@pytest.mark.slow
def test_known_members_give_the_share_of_a_set(
    lay: Lay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    mixed = lay("mixed", True, 6)
    lay("mixed", False, 6)
    options = {"attacks": "sima", "calibration_limit": 60, "reference": None, "fdr": 0.2}
    found = miagym.check(mixed, "clipart-overfit", **options)
    assert isinstance(found, miagym.Check) and found.together is not None
    share = found.together.share
    assert share is not None and share.tpr is not None and share.ci[0] <= 0.5 <= share.ci[1]
    assert "How much of the set was used" in str(found) and found.listed is not None
    assert found.as_json()["listed"]["fdr"] == 0.2


def test_a_training_names_its_base(lay: Lay, tmp_path: Path) -> None:
    """Of a fine-tune and of a LoRA; a base that is another by now is refused."""
    from miagym.api.checking.reference import public_base
    from miagym.training.record import TrainingRecord

    record = TrainingRecord(
        base="clipart-realistic", base_fingerprint="", data="x", data_digest="", rows=(),
        epochs=1, checkpoints=(), batch_size=1, learning_rate=1e-4, seed=0, precision="float32",
    )  # fmt: skip
    folder = tmp_path / "tuned"
    folder.mkdir()
    (folder / "model_index.json").write_text("{}")
    record.write(folder)
    base = public_base(folder, "auto", None)
    assert base.given == "clipart-realistic" and "names its base, clipart-realistic" in base.why
    assert public_base(folder, None, None).given is None
    lora = loras.peft(tmp_path)
    base = public_base(f"clipart-realistic+{lora}:0.8", "auto", None)
    assert base.given == "clipart-realistic" and base.why.startswith("The LoRA of")
    assert public_base(f"{folder}+{lora}", "auto", None).given == str(folder)
    replace(record, base=str(tmp_path / "gone")).write(folder)
    with pytest.raises(miagym.errors.TargetError, match=r"cannot be loaded.*\(reference=\.\.\.\)"):
        public_base(folder, "auto", None).load("cpu", "auto")
    replace(record, base_fingerprint="abc torch.float32").write(folder)
    with pytest.raises(miagym.errors.TargetError, match="another model than it was in training"):
        public_base(folder, "auto", None).load("cpu", "auto")


@pytest.mark.parametrize(
    ("log10", "said"),
    [
        (8.857, "7.1·10^8"),
        (6.9999, "9.9·10^6"),
        (-5.5, "3.1·10^-6"),
        (np.log10(19.96), "19"),
        (np.log10(20), "20"),
        (-0.5, "0.31"),
        (0.0, "1"),
    ],
)
def test_no_e_value_is_rounded_up(log10: float, said: str) -> None:
    assert f"the e-value, {said}, and not" in e_value_sentence(EValue(float(log10)), 0.05)
