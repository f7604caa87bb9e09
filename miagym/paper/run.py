"""The main job: a world in, run folders, paper.html and paper.pdf out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from miagym.api.names import loaded_target
from miagym.errors import RunError
from miagym.paper.classifiers import classify
from miagym.paper.cost import Bill, bill
from miagym.paper.document.page import write_page
from miagym.paper.outcome import PaperOutcome
from miagym.paper.randomisation import repetitions
from miagym.paper.scores import Scores
from miagym.paper.setup import planned_places, set_up
from miagym.paper.stages import LARGE, stages_of
from miagym.paper.worlds import PaperWorld
from miagym.progress import Progress, silent
from miagym.report.pdf import print_page

PAGE, PRINTED = "paper.html", "paper.pdf"


def paper_bill(world: PaperWorld, out: Path, seed: int = 0) -> Bill:
    """What the world's experiments cost at most; nothing is fetched, trained or written."""
    return bill(world, planned_places(world, out, seed), seed)


def run_paper(
    world: PaperWorld,
    out: Path,
    *,
    said: Bill,
    seed: int = 0,
    command: str = "",
    progress: Progress = silent,
    tell: Callable[[str], None] = lambda sentence: None,
) -> PaperOutcome:
    """Sets a world up, runs its experiments, and writes the page and its print.

    What is finished is kept: the same call goes on where one was stopped.

    Args:
        world: targets, data and sizes.
        out: the folder of the whole: a run folder for each stage, `classifiers/`, the page.
        said: what `paper_bill` said beforehand.
        seed: of everything that is random.
        command: what gives the same numbers again.
        progress: shows how far it is.
        tell: is told, in sentences, what is there already, and where the page is.

    Raises:
        MiagymError: of whatever kind, in one sentence; what is finished stays.
    """
    places = set_up(world, out, seed, progress)
    runs = {}
    for stage in stages_of(world, places):
        runs[stage.name] = stage.run(world, out, seed, command, progress, tell)
    scores = Scores.read(out / LARGE)
    about = {"target": places.target, "data": places.data}
    outcome = PaperOutcome(
        world=world,
        places=places,
        resolution=loaded_target(places.target, world.device, world.dtype).resolution,
        runs=runs,
        classified=tuple(classify(world, scores, about, out, seed, progress)),
        repeated=repetitions(world, scores, seed),
        bill=said,
        seed=seed,
        command=command,
    )
    page = write_page(outcome, out / PAGE)
    tell(f"The paper's tables and figures beside ours: {page}")
    try:
        tell(f"The same, printed: {print_page(page, out / PRINTED)}")
    except RunError as error:  # a page without its print is still the page
        tell(str(error))
    return outcome
