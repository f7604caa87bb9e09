"""The paper's randomisation figure: mean, minimum and maximum over its hundred repetitions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from miagym.data.dataset import TEST
from miagym.metrics.resampling.repetitions import Repetitions, repeated_detection
from miagym.palette import PALETTE
from miagym.paper.scores import Scores
from miagym.paper.settings import SIGNALS, trajectory
from miagym.paper.worlds import PaperWorld
from miagym.report.figures.style import rounded, safe_text, styled

Repeated = Mapping[tuple[str, str], Repetitions]
"""By setting and signal."""


def repetitions(world: PaperWorld, scores: Scores, seed: int) -> dict[tuple[str, str], Repetitions]:
    """Repetitions of the test part, of each setting under each signal, at its best timestep.

    Args:
        world: its settings and draws.
        scores: of the run of all settings, with all timesteps on the test part.
        seed: of the repetitions: that of the run draws what its protocol table rests on.
    """
    found = {}
    for signal in SIGNALS:
        for setting in world.settings:
            variants = scores.variants(trajectory(setting, signal, world.draws), TEST)
            if not variants:
                continue
            by_variant = {name: one.score for name, one in variants.items()}
            member = next(iter(variants.values())).member
            repeated = repeated_detection(by_variant, member, seed)
            if repeated is not None:
                found[setting, signal] = repeated
    return found


def randomisation_figure(repeated: Repeated) -> go.Figure | None:
    """TPR at 1 % FPR of each setting: the mean, and bars from the smallest to the largest.

    Returns:
        None if draws are too small to resolve that rate.
    """
    if not repeated:
        return None
    figure = go.Figure()
    settings = list(dict.fromkeys(setting for setting, _ in repeated))
    for number, (signal, told) in enumerate(SIGNALS.items()):
        own = [(name, repeated[name, signal]) for name in settings if (name, signal) in repeated]
        mean = np.array([one.mean for _, one in own])
        figure.add_scatter(
            x=rounded(mean),
            y=[settings.index(name) + 0.22 * (number - 1) for name, _ in own],
            error_x={
                "array": rounded(np.array([one.high for _, one in own]) - mean),
                "arrayminus": rounded(mean - np.array([one.low for _, one in own])),
            },
            mode="markers",
            name=safe_text(told),
            marker={"color": PALETTE[number], "size": 8},
            customdata=[safe_text(name) for name, _ in own],
            hovertemplate="%{customdata}: %{x:.1%} on average",
        )
    figure.add_vline(x=0.01, line={"color": "#888888", "width": 1, "dash": "dot"})
    figure.update_xaxes(title="members found at 1 % FPR", tickformat=".0%", rangemode="tozero")
    figure.update_layout(legend={"orientation": "h", "yref": "container", "y": 0})
    styled(figure, height=160 + 44 * len(settings))
    return figure.update_layout(
        margin={"b": 100},
        yaxis={
            "tickvals": list(range(len(settings))),
            "ticktext": [safe_text(name) for name in settings],
            "autorange": "reversed",
            "automargin": True,
        },
    )
