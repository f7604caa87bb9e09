"""paper.html: the paper's tables and figures beside ours, in one file without network."""

from __future__ import annotations

from pathlib import Path

import plotly.graph_objects as go
from jinja2 import PackageLoader
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from miagym.atomic import replacing
from miagym.paper.document.tables import (
    OPTIMISTIC,
    classifier_table,
    headline_table,
    settings_table,
)
from miagym.paper.document.words import about, cost, departures
from miagym.paper.outcome import PaperOutcome
from miagym.paper.randomisation import randomisation_figure
from miagym.paper.samples import samples
from miagym.paper.settings import baseline, text_to_image, three_attacks
from miagym.report.figures.budget import budget_figure
from miagym.report.figures.checkpoints import checkpoint_figure
from miagym.report.figures.teaser import teaser_figure
from miagym.report.finding import losses
from miagym.report.html import environment
from miagym.report.page import embedded
from miagym.report.rows import by_target
from miagym.report.tables.audit import cues_in_words, views_table
from miagym.report.tables.evaluation import main_table
from miagym.report.tables.statistics import control_summary
from miagym.results import AuditRecord


def write_page(outcome: PaperOutcome, out: Path) -> Path:
    """Writes the page.

    Args:
        outcome: all that it shows.
        out: the file.

    Raises:
        OSError: if it cannot be written.
    """
    world, large, ladder = outcome.world, outcome.large, outcome.checkpoints
    black_box = text_to_image(world.draws, world.generation_steps)
    rows, _ = outcome.both
    generated = by_target([row for row in rows if row.attack == black_box or row.blind])
    audits = _audits(outcome)
    drawn = {name: figure and embedded(name, figure) for name, figure in _figures(outcome).items()}
    members, others = samples(outcome.places.data, world.limit, outcome.seed)
    tested = outcome.classified[0].tested if outcome.classified else 0
    page = (
        environment(PackageLoader("miagym", "paper/templates"))
        .get_template("paper.html")
        .render(
            world=world,
            plotlyjs=Markup(get_plotlyjs()),
            optimistic=OPTIMISTIC,
            findings=[run.finding for run in (large, outcome.tuned) if run is not None],
            runs=[run.results.run for run in outcome.runs.values()],
            about=list(about(outcome)),
            headline=headline_table(large),
            sides=(("Members", members), ("Non-members", others)),
            settings=settings_table(large, world),
            classifiers=classifier_table(outcome.classified, large),
            tested=tested,
            ladder=ladder and main_table(by_target(ladder.rows), ladder.results.audit),
            black_box=main_table(generated, audits),
            audits=[(audit, cues_in_words(audit)) for audit in audits],
            views=views_table(audits),
            controls=[control_summary(run.results.controls) for run in outcome.runs.values()],
            losses=[
                (r.results.run, losses(r.results.run.unreadable)) for r in outcome.runs.values()
            ],
            cost=list(cost(outcome)),
            departures=list(departures(outcome)),
            command=outcome.command,
            seed=outcome.seed,
            versions=sorted(large.about["versions"].items()),
            **drawn,
        )
    )
    with replacing(out) as partial:
        partial.write_text(page, encoding="utf-8", newline="\n")
    return out


def _figures(outcome: PaperOutcome) -> dict[str, go.Figure | None]:
    """The figures by their names in the template; None where there is nothing to draw."""
    world, ladder, seed = outcome.world, outcome.checkpoints, outcome.seed
    rows, scores = outcome.both
    states = None
    if ladder is not None:
        states = checkpoint_figure(ladder.rows, ladder.scores, baseline(world.draws), seed)
    return {
        "teaser": teaser_figure(rows, scores, three_attacks(world.draws)),
        "randomisation": randomisation_figure(outcome.repeated),
        "checkpoints": states,
        "budget": budget_figure(by_target(rows)),
    }


def _audits(outcome: PaperOutcome) -> list[AuditRecord]:
    """Of each data set, once."""
    runs = outcome.runs.values()
    return list({audit.data: audit for run in runs for audit in run.results.audit}.values())
