"""The audit judges fair splits fair, finds shifts that were planted, and says which is which."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from PIL import Image

from miagym.auditing.audit import audit, audit_captions, audit_dataset, audit_inspected
from miagym.auditing.data_source import AuditData
from miagym.auditing.result import Audit
from miagym.auditing.verdict import AuditVerdict
from miagym.auditing.views.pictures import InspectedPictures, inspect_pictures
from miagym.data.registry import load_data
from miagym.embedded import art

FAIR_SPLITS, MAY_BE_FLAGGED = 20, 3
"""At a rate of 5 %, 20 fair splits have more than 3 flagged in one case of 60."""


@pytest.fixture(scope="module")
def captions() -> np.ndarray:
    return np.array(art.table()["caption"].to_pylist(), dtype=object)


def halves(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """n + n rows of the art, dealt one by one, and their labels."""
    rows = np.random.default_rng(seed).permutation(art.table().num_rows)[: 2 * n]
    return rows, np.arange(2 * n) < n


@pytest.mark.slow
def test_few_fair_splits_are_flagged(captions: np.ndarray) -> None:
    flagged = 0
    for seed in range(FAIR_SPLITS):
        rows, member = halves(200, seed)
        flagged += audit_captions(captions[rows], member, seed=seed).verdict is AuditVerdict.SHIFTED
    assert flagged <= MAY_BE_FLAGGED


@pytest.mark.parametrize("name", ["clipart", "clipart-tune"])
@pytest.mark.slow
def test_the_embedded_splits_are_fair(name: str) -> None:
    found = audit_dataset(load_data(name), seed=0, limit=400)
    assert found.verdict is AuditVerdict.FAIR
    sides = f"({found.n_members} members and {found.n_nonmembers} non-members)"
    assert re.search(rf"at best; \d+ % of splits dealt at random {re.escape(sides)}", found.why)
    assert "a shift that matters (an AUC of 0.6) would have shown" in found.why
    assert {row.view for row in found.blind} == {"captions", "files", "pixels", "all"}
    assert all(row.auc_ci[0] <= 0.55 for row in found.blind)


@pytest.mark.slow
def test_a_split_by_category_is_shifted() -> None:
    table = art.table().slice(0, 1200)
    category = np.array(table["category"].to_pylist())
    member = np.isin(category, ["animals", "people", "food"])
    pictures = table["image"].to_pylist()
    found = audit(AuditData("by category", member, None, pictures), limit=300)
    assert found.verdict is AuditVerdict.SHIFTED
    assert found.blind[-1].auc_ci[0] > 0.6


@pytest.mark.slow
def test_stripped_punctuation_is_found_and_named(captions: np.ndarray) -> None:
    rows, member = halves(1000, 1)
    texts = [
        re.sub(r"[^\w\s]", "", text) if m else text
        for text, m in zip(captions[rows], member, strict=True)
    ]
    found = audit_captions(texts, member)
    assert found.verdict is AuditVerdict.SHIFTED
    assert "AUC of 1.000" in found.why
    uneven = "(1,000 members and 1,000 non-members), at most 0.2 % look this uneven (p = 0.002)."
    assert found.why.endswith(f". Of splits dealt at random {uneven}")
    assert "punctuation" in found.cues[0].cue or "“,”" in found.cues[0].cue


@pytest.mark.slow
def test_an_artist_with_more_of_the_members_is_found(captions: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    own = np.array(art.table()["artist"].to_pylist()) == "Nicu Buculei"
    by, others = (rng.permutation(np.flatnonzero(side)) for side in (own, ~own))
    rows = np.concatenate([by[:400], others[:1600]])
    member = np.isin(np.arange(2000), [*range(300), *range(400, 1100)])
    assert audit_captions(captions[rows], member).verdict is AuditVerdict.SHIFTED


def through_jpeg(data: bytes, quality: int, kept_as: str) -> bytes:
    jpeg, kept = io.BytesIO(), io.BytesIO()
    with Image.open(io.BytesIO(data)) as picture:
        picture.convert("RGB").save(jpeg, "JPEG", quality=quality)
    with Image.open(jpeg) as picture:
        picture.save(kept, kept_as)
    return jpeg.getvalue() if kept_as == "JPEG" else kept.getvalue()


def jpeg_split(n: int, kept_as: str) -> tuple[AuditData, InspectedPictures]:
    """n members of JPEG quality 95, n non-members of 85, sizes of files hidden."""
    rows, member = halves(n, 2)
    encoded = art.table()["image"].take(rows).to_pylist()
    pictures = [
        through_jpeg(data, 95 if m else 85, kept_as)
        for data, m in zip(encoded, member, strict=True)
    ]
    seen = inspect_pictures(pictures)
    hidden = InspectedPictures(seen.looks, np.zeros(2 * n), seen.broken)
    return AuditData("jpeg", member, None, pictures), hidden


def test_jpeg_quality_is_read_from_the_file() -> None:
    found = audit_inspected(*jpeg_split(100, "JPEG"))
    assert found.verdict is AuditVerdict.SHIFTED
    cues = {cue.cue: cue for cue in found.cues}
    one = cues.get("JPEG quality is 95") or cues["JPEG quality is 85"]
    assert {one.members, one.nonmembers} == {0, 1}


@pytest.mark.slow
def test_jpeg_quality_is_seen_in_pixels_that_were_saved_again() -> None:
    found = audit_inspected(*jpeg_split(400, "PNG"))
    assert found.verdict is AuditVerdict.SHIFTED
    assert {row.view for row in found.blind} == {"pixels"}


def test_a_single_rare_word_is_found() -> None:
    rng = np.random.default_rng(0)
    words = np.array([f"word{i}" for i in range(300)])
    texts = [" ".join(rng.choice(words, 8)) for _ in range(1000)]
    member = np.arange(1000) < 500
    texts = [f"{text} stock" if row < 30 else text for row, text in enumerate(texts)]
    found = audit_captions(texts, member)
    assert found.verdict is AuditVerdict.SHIFTED
    assert found.cues[0].cue == "the caption has “stock”"
    assert (found.cues[0].members, found.cues[0].nonmembers) == (0.06, 0)
    assert "stock" in found.why


def test_few_rows_are_too_small_to_tell_unless_they_tell(captions: np.ndarray) -> None:
    rows, member = halves(40, 3)
    found = audit_captions(captions[rows], member)
    assert found.verdict is AuditVerdict.TOO_SMALL
    assert "40 members and 40 non-members are too few to rule out a shift" in found.why
    upper = [text.upper() if m else text for text, m in zip(captions[rows], member, strict=True)]
    assert audit_captions(upper, member).verdict is AuditVerdict.SHIFTED
    few = audit_captions(captions[rows][36:44], member[36:44])
    assert few.verdict is AuditVerdict.TOO_SMALL and not few.blind


def test_copies_on_one_side_are_no_cue_where_groups_say_so(captions: np.ndarray) -> None:
    rows, member = halves(400, 4)
    texts = captions[rows].copy()
    texts[:24] = [f"blueman number {i}" for i in range(24)]
    groups = np.arange(800)
    assert audit_captions(texts, member, groups).verdict is AuditVerdict.SHIFTED
    groups[:24] = 0
    assert audit_captions(texts, member, groups).verdict is AuditVerdict.FAIR


def test_the_same_audit_twice_is_the_same(captions: np.ndarray) -> None:
    rows, member = halves(100, 5)
    first, second = (audit_captions(captions[rows], member, seed=9) for _ in range(2))
    assert first.as_json() == second.as_json()


def test_embeddings_are_a_view() -> None:
    rng = np.random.default_rng(0)
    member = np.arange(400) < 200
    apart = rng.normal(size=(400, 5)) + np.where(member, 1.0, 0.0)[:, None]
    found = audit(AuditData("embedded", member, embeddings=apart))
    assert found.verdict is AuditVerdict.SHIFTED and found.blind[0].view == "embeddings"


def test_near_duplicates_across_are_counted_and_told_by_row() -> None:
    table = art.table().slice(0, 60)
    pictures = table["image"].to_pylist()
    member = np.arange(63) < 30
    found: Audit = audit(AuditData("copies", member, None, [*pictures, *pictures[3:6]]), limit=1000)
    pairs = dict(found.duplicates[0].examples)
    assert found.duplicates[0].across >= 3
    assert {3: 60, 4: 61, 5: 62}.items() <= pairs.items()
