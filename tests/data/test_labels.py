"""Labels as people and their programs write them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from miagym.data.registry import open_source
from miagym.errors import DataError


@pytest.mark.parametrize(
    ("member", "nonmember"),
    [
        ("1.0", "0.0"),
        ("1", "0"),
        ("TRUE", "False"),
        ("t", "f"),
        ("Y", "n"),
        (" yes", "no "),
        ("members", "nonmembers"),
        ("Member", "non_member"),
        ("member", "Non-Member"),
        ("member", "non member"),
    ],
)
def test_labels_in_a_csv(member: str, nonmember: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"caption,member\na,{member}\nb,{nonmember}\n")
    assert open_source(str(path)).member.tolist() == [True, False]


def test_labels_that_became_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"caption": ["a", "b"], "member": [1.0, 0.0]}), path)
    assert open_source(str(path)).member.tolist() == [True, False]


@pytest.mark.parametrize("word", ["-1", "2", "0.5", "nan", "none", "maybe", "", "not member", "10"])
def test_what_is_no_label_is_refused(word: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"caption,member\na,1\nb,{word}\n")
    with pytest.raises(DataError, match=f"must be true or false.*row 1 has '{word}'"):
        open_source(str(path))
