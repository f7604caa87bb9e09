"""Set-up of a world: fetches LAION-mi, fine-tunes with checkpoints; what is there is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from miagym.data.fetch.request import Politeness
from miagym.data.fetch.run import DATA, Fetch, fetch_pictures
from miagym.data.registry import load_data
from miagym.paper.stages import Places
from miagym.paper.worlds import PaperWorld
from miagym.progress import Progress
from miagym.training.fine_tune import fine_tune, member_rows
from miagym.training.loop import StepProgress, even_steps
from miagym.training.plan import BATCH, FineTuning

FETCHED, TUNED = "laion-mi", "tuned"
SPARE = 3
"""Links asked for, a side, for each picture of the test part: a third calibrates, many have
rotted."""


def planned_places(world: PaperWorld, out: Path, seed: int) -> Places:
    """Where everything will be; nothing is fetched or trained."""
    data = world.data or str(out / FETCHED / DATA)
    if world.tune_data is None:
        return Places(world.target, data)
    if world.tuned is not None:
        name, epochs = world.tuned, world.checkpoints
    else:
        name, epochs = str(out / TUNED), training_plan(world, world.tune_data, seed).kept
    tuned = (*(f"{name}@{epoch}" for epoch in epochs), name)
    return Places(world.target, data, tuned, world.tune_data)


def set_up(world: PaperWorld, out: Path, seed: int, progress: Progress) -> Places:
    """Fetches and trains what the world lacks; a stopped one goes on.

    Args:
        world: what is needed.
        out: the folder of the whole, where `laion-mi/` and `tuned/` go.
        seed: of the draw of links, and of the training.
        progress: shows how far it is.

    Raises:
        DataError: if no picture of a side can be fetched, or data cannot be read.
        RunError: if a folder holds something else.
    """
    places = planned_places(world, out, seed)
    if world.data is None and not Path(places.data).is_file():
        politeness = Politeness(allow_private=world.allow_private)
        plan = Fetch(world.links, SPARE * world.limit, seed, politeness=politeness)
        fetch_pictures(
            plan, out / FETCHED, lambda done, of: progress("fetching pictures", of - done)
        )
    if world.tuned is None and world.tune_data is not None:
        plan = training_plan(world, world.tune_data, seed)
        fine_tune(plan, out / TUNED, world.device, _steps(progress))
    return places


def training_plan(world: PaperWorld, tune_data: str, seed: int) -> FineTuning:
    """A fine-tuning of as many steps as the paper's, in whole epochs, 0 being the base."""
    members = len(member_rows(load_data(tune_data), seed, None))
    an_epoch = even_steps(members, BATCH)
    between = max(1, round(world.steps_between / an_epoch))
    kept = max(1, round(world.steps_trained / world.steps_between))
    checkpoints = tuple(between * number for number in range(kept))
    return FineTuning(world.target, tune_data, between * kept, checkpoints, seed=seed)


def trained_rows(world: PaperWorld, seed: int) -> int:
    """Latents through the UNet, there and back, of the fine-tuning that the world needs."""
    if world.tuned is not None or world.tune_data is None:
        return 0
    members = len(member_rows(load_data(world.tune_data), seed, None))
    return members * training_plan(world, world.tune_data, seed).epochs


def _steps(progress: Progress) -> StepProgress:
    def each(steps: range, label: str) -> Iterator[int]:
        done = progress(label, len(steps))
        for step in steps:
            yield step
            done()

    return each
