"""What is kept between checks: read back exactly, or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from miagym.checking.cache import Kept, cache_folder, load, save

KEPT = Kept({"a": np.arange(6.0).reshape(2, 3), "b": np.array([True, False])}, {"x": ["é", 1]})


def test_it_comes_back_as_it_was(tmp_path: Path) -> None:
    save(tmp_path / "sub" / "one", KEPT)
    found = load(tmp_path / "sub" / "one")
    assert found is not None and found.about == KEPT.about
    for name, array in KEPT.arrays.items():
        np.testing.assert_array_equal(found.arrays[name], array, strict=True)
    assert [f.name for f in (tmp_path / "sub").iterdir()] == ["one"]


def test_no_damage_goes_unseen(tmp_path: Path) -> None:
    path = tmp_path / "one"
    save(path, KEPT)
    good = path.read_bytes()
    for place in range(0, len(good), 7):
        path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        found = load(path)
        assert found is None or found.about == KEPT.about
        if found is not None:  # the bit was one of padding
            np.testing.assert_array_equal(found.arrays["a"], KEPT.arrays["a"])
    for broken in (good[:-1], good[:20], b"", b"not safetensors"):
        path.write_bytes(broken)
        assert load(path) is None
    assert load(tmp_path / "absent") is None


def test_a_folder_that_cannot_be_written_to_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    save(tmp_path / "file" / "one", KEPT)  # its folder is a file
    assert load(tmp_path / "file" / "one") is None


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "miagym" / "calibration"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # to be ignored, says the specification
    assert cache_folder() == Path.home() / ".cache" / "miagym" / "calibration"
