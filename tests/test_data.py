"""The embedded art and splits, and data of one's own."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from miagym.candidates import Candidates
from miagym.data import images
from miagym.data.dataset import CALIBRATION, TEST
from miagym.data.images import to_square
from miagym.data.registry import load_data
from miagym.data.splits import deal, deal_well, effective
from miagym.embedded import art, duplicates
from miagym.embedded.captions import NOTHING, captions, read_metadata
from miagym.embedded.render import render
from miagym.errors import DataError, UnknownName


def png(colour: tuple[int, ...] = (200, 30, 30), size: tuple[int, int] = (70, 90)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGBA" if len(colour) == 4 else "RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()


class TestArt:
    def test_enough_of_it_and_all_public_domain(self) -> None:
        table = art.table()
        assert table.num_rows > 3500
        assert set(table["licence"].to_pylist()) == {"public domain"}
        assert all(c.strip() for c in table["caption"].to_pylist())
        assert art.pixels(table.slice(0, 5)).shape == (5, 64, 64, 3)

    @pytest.mark.slow
    def test_no_near_duplicates_are_left(self) -> None:
        ink = duplicates.ink(art.pixels(art.table()))
        for chunk, distances in duplicates.distances(ink):
            distances[np.arange(len(distances)), np.arange(chunk.start, chunk.stop)] = 9
            assert distances.min() >= duplicates.MAX_DUPLICATE_DISTANCE - 1e-4

    def test_groups_and_captions_are_on_one_side(self) -> None:
        table = art.table().to_pydict()
        for what in ("group", "caption"):
            sides: dict[object, set[str]] = {}
            for key, role, part in zip(table[what], table["role"], table["part"], strict=True):
                sides.setdefault(key, set()).add(f"{role} {part}")
            assert all(len(found) == 1 for found in sides.values())

    def test_artists_are_spread_over_both_sides(self) -> None:
        table = art.table().to_pydict()
        count: dict[str, dict[str, int]] = {}
        for artist, role in zip(table["artist"], table["role"], strict=True):
            count.setdefault(artist, {}).setdefault(role, 0)
            count[artist][role] += 1
        both = [min(c.get("base-member", 0), c.get("base-nonmember", 0)) for c in count.values()]
        assert sum(n >= 20 for n in both) >= 8

    @pytest.mark.parametrize(("name", "least"), [("clipart", 1400), ("clipart-tune", 400)])
    def test_splits_are_large_and_balanced(self, name: str, least: int) -> None:
        data = load_data(name)
        members, nonmembers = int(data.member.sum()), int((~data.member).sum())
        assert min(members, nonmembers) >= least
        assert abs(members - nonmembers) <= 0.01 * len(data)
        assert 0.27 < np.mean(data.part == CALIBRATION) < 0.37


class TestDealing:
    def test_the_part_that_is_worth_least_is_worth_most(self) -> None:
        """One large group among many alone: most deals would put it where it decides all."""
        groups = np.concatenate([np.zeros(30, dtype=int), np.arange(1, 121)])
        strata = [str(g % 7) for g in groups]
        shares = {"calibration": 1, "test": 3}
        parts = deal_well(groups, strata, shares, seed=0)
        worth = [effective(groups[parts == part]) for part in shares]
        for seed in range(20):
            once = deal(groups, strata, shares, seed)
            assert min(worth) >= min(effective(groups[once == part]) for part in shares)
        assert (parts == deal_well(groups, strata, shares, seed=0)).all()
        cut = [len(set(parts[groups == g])) for g in np.unique(groups)]
        assert max(cut) == 1 and 0.15 < np.mean(parts == "calibration") < 0.35

    def test_what_groups_are_worth(self) -> None:
        assert effective(np.arange(10)) == 10 and effective(np.zeros(10)) == 1
        assert effective(np.repeat(np.arange(5), 4)) == pytest.approx(5)


class TestBuildingTheArt:
    def test_a_drawing_is_cropped_to_its_ink(self, tmp_path: Path) -> None:
        picture = Image.new("RGBA", (300, 200), (0, 0, 0, 0))
        picture.paste((255, 0, 0, 255), (250, 20, 270, 60))
        picture.save(tmp_path / "a.png")
        pixels = render(tmp_path / "a.png")
        assert pixels is not None and pixels.shape == (64, 64, 3)
        ink = np.argwhere(pixels[..., 1] < 128)
        assert ink.min(0).tolist() == [2, 17] and ink.max(0).tolist() == [61, 46]

    def test_blank_and_unreadable_drawings(self, tmp_path: Path) -> None:
        Image.new("RGB", (50, 50), "white").save(tmp_path / "blank.png")
        (tmp_path / "broken.png").write_bytes(b"no picture")
        assert render(tmp_path / "blank.png") is None
        with pytest.raises(DataError, match="cannot be read"):
            render(tmp_path / "broken.png")

    def test_shifted_and_mirrored_copies_are_found(self) -> None:
        drawing = art.pixels(art.table().slice(10, 1))
        others = art.pixels(art.table().slice(20, 3))
        ink = duplicates.ink(np.concatenate([drawing, drawing[:, :, ::-1], others]))
        assert duplicates.unique(ink).tolist() == [True, False, True, True, True]
        assert len(np.unique(duplicates.groups(ink, ["a", "b", "c", "d", "c"]))) == 3

    def test_captions_tell_a_theme_s_icons_apart(self) -> None:
        svg = """<svg xmlns="http://www.w3.org/2000/svg" xmlns:cc="http://web.resource.org/cc/"
          xmlns:dc="http://purl.org/dc/elements/1.1/"
          xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
          xmlns:xlink="http://www.w3.org/1999/xlink"><metadata><rdf:RDF><cc:Work>
          <dc:title>Lemon SVG theme</dc:title>
          <dc:subject><rdf:Bag><rdf:li>icon</rdf:li><rdf:li>hash</rdf:li></rdf:Bag></dc:subject>
          <dc:creator><cc:Agent><dc:title>Jose Hevia</dc:title></cc:Agent></dc:creator>
          <cc:license rdf:resource="http://web.resource.org/cc/PublicDomain"/>
          </cc:Work></rdf:RDF></metadata><image xlink:href="elsewhere.png"/></svg>"""
        found = read_metadata(svg.encode())
        assert (found.title, found.artist) == ("Lemon SVG theme", "Jose Hevia")
        assert found.licence.endswith("PublicDomain") and found.links_elsewhere
        paths = [Path(f"computer/icons/{name}_jose_hev_01.png") for name in "abcd"]
        assert captions(paths, [found] * 4)[0] == "a, icon, icons, computer"
        assert read_metadata(b"no xml") == NOTHING


class TestDeal:
    @given(
        st.lists(st.tuples(st.integers(0, 30), st.sampled_from("xyz")), min_size=1), st.integers(0)
    )
    def test_groups_stay_whole_and_nothing_is_lost(
        self, items: list[tuple[int, str]], seed: int
    ) -> None:
        groups = np.array([group for group, _ in items])
        strata = [stratum for _, stratum in items]
        parts = deal(groups, strata, {"a": 1, "b": 2}, seed)
        assert len(parts) == len(items) and set(parts) <= {"a", "b"}
        for group in np.unique(groups):
            assert len(set(parts[groups == group])) == 1
        assert (parts == deal(groups, strata, {"a": 1, "b": 2}, seed)).all()

    def test_each_stratum_gets_its_shares(self) -> None:
        strata = ["x"] * 300 + ["y"] * 60
        parts = deal(np.arange(360), strata, {"a": 1, "b": 2}, 0)
        assert (parts[:300] == "a").sum() == 100 and (parts[300:] == "a").sum() == 20


class TestImages:
    def test_any_mode_and_shape_becomes_a_square(self) -> None:
        for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"):
            assert to_square(Image.new(mode, (31, 57)), 16).shape == (16, 16, 3)

    def test_transparency_is_white(self) -> None:
        assert (to_square(Image.new("RGBA", (8, 8), (255, 0, 0, 0)), 8) == 255).all()

    def test_exif_rotation_is_applied(self) -> None:
        picture = Image.new("RGB", (8, 8), "black")
        picture.paste("white", (0, 0, 8, 4))
        exif = picture.getexif()
        exif[0x0112] = 3  # upside down
        buffer = io.BytesIO()
        picture.save(buffer, "PNG", exif=exif)
        square = to_square(Image.open(buffer), 8)
        assert (square[:4] == 0).all() and (square[4:] == 255).all()

    @pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
    def test_strips_are_as_good_as_the_whole(
        self, mode: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        noise = np.random.default_rng(0).integers(0, 256, (31, 57, 4), dtype=np.uint8)
        grey = Image.fromarray(noise.view(np.uint16)[..., 0].copy())
        picture = grey if mode == "I;16" else Image.fromarray(noise).convert("RGB").convert(mode)
        if mode == "RGBA":
            picture = Image.fromarray(noise)
        for orientation in range(9):
            picture.getexif()[0x0112] = orientation
            monkeypatch.setattr(images, "STRIP", 10_000)
            whole, square = images.upright(picture), to_square(picture, 16)
            monkeypatch.setattr(images, "STRIP", 7)
            assert images.upright(picture).tobytes() == whole.tobytes()
            np.testing.assert_array_equal(to_square(picture, 16), square)
            turned = ImageOps.exif_transpose(picture)
            np.testing.assert_array_equal(np.asarray(images.upright(turned)), np.asarray(whole))


class TestOwnData:
    def parquet(self, path: Path, **columns: list) -> Path:
        n = 12
        table = {
            "image": [png((i, 0, 0)) for i in range(n)],
            "member": [i % 2 == 0 for i in range(n)],
        }
        pq.write_table(pa.table({**table, **columns}), path)
        return path

    def test_parquet(self, tmp_path: Path) -> None:
        path = self.parquet(tmp_path / "mine.parquet", caption=[f"c{i}" for i in range(12)])
        data = load_data(str(path))
        assert (data.name, len(data)) == ("mine", 12)
        assert (data.part == CALIBRATION).sum() == 4
        few = data.candidates(np.array([3, 1]), 32)
        assert few.captions == ("c3", "c1") and few.images.shape == (2, 32, 32, 3)
        assert few.images[0, 0, 0].tolist() == [3, 0, 0]

    def test_folder_with_captions_beside_the_pictures(self, tmp_path: Path) -> None:
        for side in ("members", "nonmembers"):
            (tmp_path / side).mkdir()
            for i in range(3):
                (tmp_path / side / f"{i}.png").write_bytes(png())
        (tmp_path / "members" / "0.txt").write_text("a red thing\n")
        data = load_data(str(tmp_path))
        assert data.captions[0] == "a red thing" and set(data.captions[1:]) == {""}
        assert data.member.sum() == 3 and set(data.part) == {CALIBRATION, TEST}

    def test_rows_mix_both_sides_and_respect_the_limit(self) -> None:
        data = load_data("clipart-tune")
        rows = data.rows(TEST, seed=1, limit=50)
        assert data.member[rows].sum() == 50 and len(rows) == 100
        assert 15 < data.member[rows[:50]].sum() < 35
        assert (data.rows(TEST, seed=1, limit=50) == rows).all()
        assert (data.rows(TEST, seed=2, limit=50) != rows).any()

    def test_a_seed_draws_what_it_always_drew(self) -> None:
        rows = load_data("clipart-tune").rows(TEST, seed=1, limit=3)
        assert rows.tolist() == [648, 608, 550, 29, 592, 496]

    def test_what_cannot_be_used_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(UnknownName, match="did you mean clipart"):
            load_data("clip-art")
        with pytest.raises(DataError, match="found none"):
            load_data(str(tmp_path))
        (tmp_path / "text.parquet").write_text("no parquet")
        with pytest.raises(DataError, match="cannot be read as parquet"):
            load_data(str(tmp_path / "text.parquet"))
        pq.write_table(pa.table({"image": [b"x"]}), tmp_path / "unlabelled.parquet")
        with pytest.raises(DataError, match="lacks the column member"):
            load_data(str(tmp_path / "unlabelled.parquet"))
        one_sided = self.parquet(tmp_path / "one-sided.parquet", member=[True] * 12)
        with pytest.raises(DataError, match="has no non-members in its calibration part"):
            load_data(str(one_sided)).require(CALIBRATION, by="a check")
        strings = self.parquet(tmp_path / "strings.parquet", member=["perhaps"] * 12)
        with pytest.raises(DataError, match="must be true or false"):
            load_data(str(strings))
        broken = self.parquet(tmp_path / "broken.parquet", image=[b"no picture"] * 12)
        with pytest.raises(DataError, match="row 0 cannot be read"):
            load_data(str(broken)).candidates(np.array([0]), 32)


@given(st.lists(st.integers(0, 5), min_size=1), st.booleans(), st.booleans())
def test_digests_hold_for_each_candidate_wherever_it_goes(
    rows: list[int], digested: bool, derived: bool
) -> None:
    pixels = np.arange(6, dtype=np.uint8).repeat(12).reshape(6, 2, 2, 3)
    origins = tuple("abcdef") if derived else None
    all_ = Candidates(pixels, tuple("uvwxyz"), origins)
    expected = [
        (Candidates(pixels[i : i + 1], (all_.captions[i],)).pictures[0], all_.keys[i]) for i in rows
    ]
    source = all_ if digested else Candidates(pixels, all_.captions, origins)
    if digested:
        assert len(set(source.pictures)) == 6
    for some in (source[rows], Candidates.picked([(source, i) for i in rows])):
        assert list(zip(some.pictures, some.keys, strict=True)) == expected
        assert np.array_equal(some.images, pixels[rows])
        assert some.captions == tuple(all_.captions[i] for i in rows)
