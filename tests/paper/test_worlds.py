"""Worlds, the settings by name, and what is refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from attacks.grey_box.trajectory import Signal, Trajectory
from attacks.grey_box.trajectory_settings import KNOBS
from miagym.api.names import attacks_of
from miagym.errors import DataError, SettingsError, UnknownName
from miagym.paper.settings import SETTINGS, SIGNALS, three_attacks, under_all_signals
from miagym.paper.setup import planned_places, trained_rows, training_plan
from miagym.paper.stages import stages_of
from miagym.paper.worlds import EMBEDDED, STABLE_DIFFUSION, PaperWorld, find_world
from miagym.report.figures.teaser import ATTACKS
from miagym.targets.registry import find_target
from tests.data.test_fetch import png


def tune(folder: Path, members: int) -> str:
    """A table of so many members and non-members."""
    both = 2 * members
    table = {
        "image": [png(number) for number in range(both)],
        "caption": [f"monster {number}" for number in range(both)],
        "member": [number % 2 == 0 for number in range(both)],
    }
    pq.write_table(pa.table(table), folder / "tune.parquet")
    return str(folder / "tune.parquet")


def test_the_sixteen_settings_are_those_of_the_attacks() -> None:
    assert set(SETTINGS) == set(KNOBS) and len(SETTINGS) == 16
    assert {str(signal.value) for signal in Signal} == set(SIGNALS)


def test_each_attack_keeps_its_setting_signal_and_draws() -> None:
    """Calibration, and the paper's best timestep, choose a timestep and nothing else."""
    found = attacks_of(list(under_all_signals(SETTINGS, 5)))
    assert len(found) == 49
    for setting in SETTINGS:
        for signal in Signal:
            attack = found[f"trajectory-{setting}(signal='{signal.value}', draws=5)"]
            variants = [getattr(one, "attack", one) for one in attack.variants()]
            knobs = Trajectory(**{**KNOBS[setting], "draws": 5, "signal": signal})
            assert {one.signal for one in variants} == {signal}
            assert {one.draws for one in variants} == {5}
            places = {range(len(one.visited()))[one.position] for one in variants}
            assert places == set(range(len(knobs.visited())))
            assert {one.guidance_scale for one in variants} == {knobs.guidance_scale}


def test_worlds_differ_in_names_and_sizes_only(tmp_path: Path) -> None:
    there = STABLE_DIFFUSION.under(tuned="x", tune_data="y")
    stages = {
        world.name: stages_of(world, planned_places(world, tmp_path, 0))
        for world in (EMBEDDED, there)
    }
    names = [[stage.name for stage in own] for own in stages.values()]
    assert names[0] == names[1]
    assert [len(stage.attacks) for stage in stages["embedded"]] == [50, 4, 1]
    assert set(three_attacks(EMBEDDED.draws)) < {*stages["embedded"][1].attacks} and ATTACKS == 3
    for stage in stages["embedded"]:
        for target, _ in stage.pairs:
            find_target(target)


def test_the_paper_s_numbers_stand_in_its_world() -> None:
    world = find_world("stable-diffusion")
    assert (world.draws, world.limit, world.splits) == (5, 5_000, 100)
    assert world.trees == (10, 100, 1000)
    assert world.steps_trained // world.steps_between == 6
    assert stages_of(world, planned_places(world, Path("out"), 0))[0].config(world, 3).seed == 3


def test_checkpoints_lie_as_many_steps_apart_as_in_the_paper(tmp_path: Path) -> None:
    world = STABLE_DIFFUSION.under(tune_data=tune(tmp_path, 40))
    plan = training_plan(world, str(world.tune_data), 0)
    assert plan.kept[0] == 0 and len(plan.kept) == 6
    assert plan.kept[1] * 3 == pytest.approx(5_000, abs=3)  # 40 members: 3 steps an epoch
    assert plan.epochs * 3 == pytest.approx(30_000, abs=18)
    assert trained_rows(world, 0) == 40 * plan.epochs
    places = planned_places(world, tmp_path / "out", 0)
    assert places.tuned[0].endswith("tuned@0") and places.tuned[-1].endswith("tuned")
    assert len(places.tuned) == 7


def test_without_data_to_tune_on_its_experiments_are_left_out() -> None:
    places = planned_places(STABLE_DIFFUSION, Path("out"), 0)
    assert [stage.name for stage in stages_of(STABLE_DIFFUSION, places)] == ["large-model"]
    assert trained_rows(STABLE_DIFFUSION, 0) == 0


@pytest.mark.parametrize("field", ["draws", "limit", "splits", "generation_steps"])
def test_numbers_below_one_are_refused(field: str) -> None:
    with pytest.raises(SettingsError, match=f"--{field.replace('_', '-')} of at least 1, got 0"):
        EMBEDDED.under(**{field: 0})


def test_what_is_unknown_is_refused() -> None:
    with pytest.raises(UnknownName, match=r"No world is called 'embeded'; did you mean embedded"):
        find_world("embeded")
    with pytest.raises(UnknownName, match=r"did you mean .*text-shift"):
        EMBEDDED.under(settings=("text-shif",))
    with pytest.raises(DataError, match="somebody/else too: data="):
        EMBEDDED.under(target="somebody/else")


def test_what_is_not_given_stays() -> None:
    world: PaperWorld = EMBEDDED.under(limit=7, draws=None)
    assert (world.limit, world.draws) == (7, EMBEDDED.draws)
