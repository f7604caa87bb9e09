"""The world that draws: its icons are dealt by things, and can be built anew."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from miagym.data.registry import load_data
from miagym.data.splits import effective
from miagym.embedded import art
from miagym.embedded.icon_build import UNSEEN
from miagym.embedded.icon_sets import SETS, kind, read_icons
from miagym.errors import DataError
from tests.command_line import run

SHAPES = {
    "red-apple": '<circle cx="16" cy="16" r="15" fill="#d22"/>',
    "man-running": '<path d="M2 30 L16 2 L30 30 Z" fill="#25a"/>',
    "woman-running": '<path d="M2 30 L16 2 L30 30 Z" fill="#2a5"/>',
    "green-book": '<rect x="4" y="2" width="24" height="28" fill="#393"/>',
    "star": '<path d="M16 1 L20 31 L1 12 L31 12 L12 31 Z" fill="#db2"/>',
    "moon": '<path d="M10 1 A15 15 0 1 0 31 22 A12 12 0 1 1 10 1 Z" fill="#a8a"/>',
    "key": '<path d="M2 2 h8 v20 h8 v8 h-16 Z" fill="#555"/>',
    "cup": '<path d="M4 4 h24 l-6 26 h-12 Z" fill="#08c"/>',
}


def packages(folder: Path, leave_out: str = "") -> Path:
    """Seven small packages as npm unpacks them, each in a tint of its own."""
    for number, package in enumerate(SETS):
        opaque = f'<g opacity="{1 - number / 10}">'
        icons: dict[str, dict[str, object]] = {
            name: {"body": f"{opaque}{body}</g>"} for name, body in SHAPES.items()
        }
        if package == "fxemoji":  # writes names without hyphens
            icons = {name.replace("-", ""): icon for name, icon in icons.items()}
        if package in ("noto", "twemoji", "fluent-emoji"):
            icons["rare"] = icons["star"]
        icons["star-medium-dark" if "fluent" in package else "star-dark-skin-tone"] = icons["star"]
        icons["gone"] = icons["star"] | {"hidden": True}
        if package != leave_out:
            (folder / package).mkdir(parents=True)
            content = {"icons": icons, "width": 32, "height": 32}
            (folder / package / "icons.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def test_sets_that_spell_a_thing_differently_draw_the_same_thing(tmp_path: Path) -> None:
    icons = read_icons(packages(tmp_path))
    drawn = Counter(icon.thing for icon in icons)
    assert drawn == {name.replace("-", " "): 7 for name in SHAPES}  # no tone, nothing rare, hidden
    assert {icon.caption for icon in icons if icon.source == "fxemoji/redapple"} == {
        "red apple, firefox"
    }


def test_man_and_woman_are_one_kind() -> None:
    assert kind("woman running") == kind("man running") == "person running"
    assert kind("mango") == "mango" and kind("two girls") != kind("two boys")


def test_the_command_builds_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "icons.parquet"
    asked = ("art", "icons", "--source", packages(tmp_path / "npm"), "--out", out, "--json")
    run(*asked)
    told = json.loads(capsys.readouterr().out)
    table = pq.read_table(out).to_pydict()
    assert told["drawings"] == dict(Counter(table["role"])) and len(table["id"]) == 56
    running = [g for g, t in zip(table["group"], table["thing"], strict=True) if "running" in t]
    assert len(set(running)) == 1 and len(set(table["group"])) == 7
    assert dict(zip(table["style"], table["licence"], strict=True)) == {
        each.style: each.licence for each in SETS.values()
    }
    first = out.read_bytes()
    run(*asked)
    assert out.read_bytes() == first


def test_a_missing_package_is_said_with_the_command_that_brings_it(tmp_path: Path) -> None:
    folder = packages(tmp_path, leave_out="twemoji")
    with pytest.raises(DataError, match=r"twemoji.*npm install .*@iconify-json/twemoji"):
        read_icons(folder)


class TestEmbeddedIcons:
    def test_every_picture_has_its_licence(self) -> None:
        table = art.table("icons").to_pydict()
        known = {each.style: (each.artist, each.licence) for each in SETS.values()}
        for style, *credit in zip(table["style"], table["artist"], table["licence"], strict=True):
            assert known[style] == tuple(credit)
        assert set(table["style"]) == set(known) and len(table["id"]) > 8000

    def test_a_thing_and_what_looks_like_it_are_on_one_side(self) -> None:
        table = art.table("icons").to_pydict()
        for what in ("group", "kind", "thing"):
            sides: dict[object, set[str]] = {}
            for key, role in zip(table[what], table["role"], strict=True):
                sides.setdefault(key, set()).add(role.replace(UNSEEN, "base-member"))
            assert all(len(found) == 1 for found in sides.values())

    def test_no_style_gives_a_side_away(self) -> None:
        table = art.table("icons").to_pydict()
        role, style = np.array(table["role"]), np.array(table["style"])
        for one, other in (("base-member", "base-nonmember"), ("tune-member", "tune-nonmember")):
            shares = [Counter(style[role == each].tolist()) for each in (one, other)]
            for name in set(style.tolist()):
                first, second = (share[name] / share.total() for share in shares)
                assert abs(first - second) < 0.02

    def test_what_was_kept_from_training_is_known_in_other_styles(self) -> None:
        table = art.table("icons").to_pydict()
        drawn: dict[str, list[str]] = {}
        for thing, role in zip(table["thing"], table["role"], strict=True):
            drawn.setdefault(thing, []).append(role)
        kept = [roles for roles in drawn.values() if UNSEEN in roles]
        assert len(kept) >= 500
        assert all(Counter(roles) == {UNSEEN: 1, "base-member": len(roles) - 1} for roles in kept)

    @pytest.mark.parametrize(
        ("name", "least", "worth"), [("icons", 3300, 250), ("icons-tune", 500, 75)]
    )
    def test_both_sides_are_worth_asking_about(self, name: str, least: int, worth: float) -> None:
        data = load_data(name)
        assert data.groups is not None
        for side in (data.member, ~data.member):
            assert side.sum() >= least and effective(data.groups[side]) >= worth
