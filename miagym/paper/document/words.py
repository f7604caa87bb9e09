"""What the page says in sentences: what stands for what, what it cost, what departs."""

from __future__ import annotations

from collections.abc import Iterator

from miagym.paper.outcome import PaperOutcome
from miagym.paper.worlds import PAPER_DRAWS
from miagym.results.formats import sizes


def about(outcome: PaperOutcome) -> Iterator[str]:
    """The paper's models and data, and those that stand for them."""
    first = outcome.large.rows[0]
    yield (
        f"Stable Diffusion 1.4 on LAION-mi: {first.target} on {first.data}, "
        f"{sizes(first.n_members, first.n_nonmembers)} in the test part, at "
        f"{outcome.resolution} pixels (the paper: 512)."
    )
    if outcome.tuned is None:
        yield "Its fine-tune on POKEMON: left out, as no data to fine-tune on were named."
        return
    own = outcome.tuned.rows[0]
    yield (
        f"Its fine-tune on POKEMON: {own.target} on {own.data}, "
        f"{sizes(own.n_members, own.n_nonmembers)} in the test part, with "
        f"{len(outcome.places.tuned) - 1} checkpoints before its end."
    )


def cost(outcome: PaperOutcome) -> Iterator[str]:
    """What was said before, and what the runs have charged and computed."""
    yield from outcome.bill.sentences()
    abouts = [run.results.run for run in outcome.runs.values()]
    yield (
        f"In the end {sum(one.rows_charged for one in abouts):,} UNet rows were charged to the "
        f"attacks and {sum(one.rows_computed for one in abouts):,} computed: what several ask "
        "alike is computed once."
    )


def departures(outcome: PaperOutcome) -> Iterator[str]:
    """Where this is not the paper, or cannot be known to be."""
    world = outcome.world
    gap = next(iter(outcome.large.results.protocols), None)
    if world.draws != PAPER_DRAWS:
        yield f"Draws of noise a candidate: {world.draws}; the paper averages {PAPER_DRAWS}."
    if outcome.repeated:
        drawn = next(iter(outcome.repeated.values())).drawn
        yield (
            f"Repetitions: {gap.draws if gap else 0} draws of {drawn:,} members and {drawn:,} "
            "non-members; the paper draws 1,000 and 1,000 from up to 5,000 of each."
        )
    yield (
        f"Classifiers: {world.splits} random splits and forests of {_or(world.trees)} trees; the "
        "paper has 100 splits and 10, 100 or 1,000 trees."
    )
    yield (
        "Of the sixteen settings only the names are known: timesteps, noise levels and guidance "
        "that a name does not hold are ours, and so are the steps of the black box."
    )
    yield (
        "Sampling is DDIM and the latent is a sample of the encoder's posterior, as in the paper. "
        "Noise is paired, so that all attacks meet the same; where the loop itself departs from "
        "the scripts, `Trajectory` in attacks/grey_box/trajectory.py says so."
    )
    yield (
        "Which signal the two walks of Figure 1 are read by is not known; here it is the latent "
        "error. Numbers of the paper that are not known to us are dashes."
    )


def _or(numbers: tuple[int, ...]) -> str:
    *first, last = map(str, numbers)
    return f"{', '.join(first)} or {last}" if first else last
