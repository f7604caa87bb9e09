"""The world that draws: its icons are dealt by things, and can be built anew."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from miagym.data.dataset import CALIBRATION, TEST
from miagym.data.duplicates import near_pairs, perceptual_hash
from miagym.data.registry import load_data, open_source
from miagym.data.splits import effective
from miagym.embedded import art, duplicates
from miagym.embedded.icon_build import MAX_SIMILAR_DISTANCE, UNSEEN
from miagym.embedded.icon_sets import SETS, kind, read_icons
from miagym.embedded.icon_unseen import has_twin, partners
from miagym.embedded.pairings import check_reference
from miagym.errors import DataError, SettingsError
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


@pytest.mark.slow
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
        ("name", "least", "worth"),
        [("icons", 3300, 250), ("icons-tune", 500, 75), ("icons-unseen", 360, 300)],
    )
    def test_both_sides_are_worth_asking_about(self, name: str, least: int, worth: float) -> None:
        data = load_data(name)
        assert data.groups is not None
        for side in (data.member, ~data.member):
            assert side.sum() >= least and effective(data.groups[side]) >= worth


class TestTheSameThingsOnBothSides:
    """`icons-unseen`: what tells its sides apart is only which picture was trained on."""

    def test_both_sides_share_their_things_and_styles_in_either_part(self) -> None:
        data = open_source("icons-unseen")
        member, part = data.member, np.array(data.table["part"].to_pylist())
        drawn = [caption.rsplit(", ", 1) for caption in data.captions]
        assert set(part.tolist()) == {CALIBRATION, TEST} and member.sum() >= 350
        for each in (CALIBRATION, TEST):
            sides = [np.flatnonzero((part == each) & (member == side)) for side in (True, False)]
            things, styles = (
                [Counter(drawn[row][column] for row in rows) for rows in sides] for column in (0, 1)
            )
            assert things[0] == things[1] and max(things[0].values()) == 1
            assert styles[0] == styles[1] and len(styles[0]) == len(SETS)

    def test_members_were_trained_on_and_the_others_were_not(self) -> None:
        data, table = open_source("icons-unseen"), art.table("icons").to_pydict()
        role = dict(zip(table["source"], table["role"], strict=True))
        assert data.names is not None and len(set(data.names)) == len(data)
        asked = {True: "base-member", False: UNSEEN}
        for name, is_member in zip(data.names, data.member, strict=True):
            assert name is not None and role[name] == asked[bool(is_member)]

    def test_parts_are_apart_by_group_and_those_of_icons(self) -> None:
        found: dict[int, set[str]] = {}
        for name in ("icons", "icons-unseen"):
            table = open_source(name).table.to_pydict()
            for group, part in zip(table["group"], table["part"], strict=True):
                found.setdefault(group, set()).add(part)
        assert all(len(parts) == 1 for parts in found.values())

    @pytest.mark.slow
    def test_nothing_near_a_non_member_was_trained_on(self) -> None:
        data, table = open_source("icons-unseen"), art.table("icons")
        trained = np.array(table["role"].to_pylist()) == "base-member"
        others = np.isin(table["source"].to_pylist(), np.array(data.names)[~data.member])
        pixels = [art.pixels(table.filter(pa.array(rows))) for rows in (others, trained)]
        ink, known = (duplicates.colour(each) for each in pixels)
        energy = (ink**2).sum(1)[:, None] + (known**2).sum(1)
        for way in (known, duplicates.mirrored(known)):
            assert (2 * (energy - 2 * ink @ way.T) / energy).min() >= MAX_SIMILAR_DISTANCE - 1e-5
        first, second = (
            np.array([perceptual_hash(p) for p in each], dtype=np.uint64) for each in pixels
        )
        assert len(near_pairs(first, second)) == 0

    def test_a_twin_is_another_picture_that_was_trained_on(self) -> None:
        rng = np.random.default_rng(0)
        pixels = rng.integers(256, size=(5, 8, 8, 3)).repeat(8, 1).repeat(8, 2).astype(np.uint8)
        pixels[4] = pixels[0, :, ::-1]  # mirrored
        for trained, found in (
            ((1, 1, 1, 1, 0), (0, 0, 0, 0, 1)),  # what was not trained on is nobody's twin
            ((1, 1, 1, 1, 1), (1, 0, 0, 0, 1)),
            ((0, 1, 1, 1, 0), (0, 0, 0, 0, 0)),
        ):
            twins = has_twin(pixels, np.array(trained, dtype=bool), np.zeros(5, dtype=int))
            assert twins.tolist() == [bool(each) for each in found]

    def test_partners_have_the_styles_of_those_they_stand_against(self) -> None:
        things, styles = [f"thing {i}" for i in range(30)], list("abcd")
        table = [(thing, style) for thing in things for style in styles]
        thing, style = (np.array(column) for column in zip(*table, strict=True))
        kept = np.arange(30) * 4 + np.random.default_rng(0).integers(4, size=30)
        members = np.setdiff1d(np.arange(len(table)), kept)
        found = partners(kept, members, thing, style)
        assert (thing[found] == thing[kept]).all() and not set(found) & set(kept)
        assert Counter(style[found].tolist()) == Counter(style[kept].tolist())
        assert (found == partners(kept, members[::-1], thing, style)).all()

    def test_the_base_is_no_reference_there(self) -> None:
        with pytest.raises(SettingsError, match="trained on icons-unseen"):
            check_reference("icons-realistic", "icons-overfit", "icons-unseen")
