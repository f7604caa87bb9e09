"""The visitor's distances among those of pictures whose membership is known, drawn as HTML.

Plain elements at positions in percent: text keeps its size on a phone, and the colours are the
page's own in light and dark.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from miagym.app.html import render
from miagym.app.play.setup import KNOWN, WORDS

if TYPE_CHECKING:
    from miagym.app.play.game import HumanGame
    from miagym.app.play.reference_scores import ReferenceScores
    from miagym.envs.rendering.scene import Scene

MARGIN = 4.0
"""Percent of the width that stays free on either side."""
LANES = (0.5, 0.22, 0.78, 0.36, 0.64)
"""Heights that dots take in turn, so that they hide each other less."""


def chart(game: HumanGame, known: ReferenceScores) -> Markup:
    """A strip for each question that was asked, the latest first."""
    scene = game.scene
    asked = dict.fromkeys(slot.question for slot in reversed(scene.history or []))
    return render("play/chart.html", strips=[_strip(game, scene, known, one) for one in asked])


def _strip(game: HumanGame, scene: Scene, known: ReferenceScores, question: int) -> dict[str, Any]:
    from miagym.app.play.reference_scores import relative  # stands on scikit-learn

    mine = np.array(
        [
            relative(slot.values)
            for slot in scene.history or []
            if slot.question == question and slot.values is not None
        ]
    )
    members, others = known.distances(question)
    everyone = np.concatenate([mine, members, others])
    low, high = np.log(everyone.min()), np.log(everyone.max())

    def place(values: NDArray[np.float64]) -> list[str]:
        """Where distances lie, in percent of the width: a logarithmic scale."""
        shares = (np.log(values) - low) / max(high - low, 1e-9)
        return [f"{x:.1f}" for x in MARGIN + (100 - 2 * MARGIN) * shares]

    mean = float(np.exp(np.log(mine).mean()))
    heights = [f"{100 * height:.0f}" for height in LANES]
    lanes = [
        (name, label, [(x, heights[i % len(LANES)]) for i, x in enumerate(place(values))])
        for name, label, values in (
            ("members", "known members", members),
            ("others", "known non-members", others),
        )
    ]
    has_public = game.setup.reference is not None
    return {
        "words": WORDS[game.menu[question].name],
        "sentence": _sentence(mean, len(mine), members, others),
        "lanes": lanes,
        "ticks": place(mine),
        "you": place(np.array([mean]))[0],
        "unit": "distance ÷ public model's" if has_public else "distance",
        "mean": f"{mean:.3f}",
    }


def _sentence(
    mine: float, answers: int, members: NDArray[np.float64], others: NDArray[np.float64]
) -> str:
    so_far = len(members) + len(others)
    whose = "your picture" if answers == 1 else f"the mean of your {answers} answers"
    if not so_far:
        return "The known pictures are being asked the same …"
    near, far = int((members <= mine).sum()), int((others <= mine).sum())
    still = "" if so_far == KNOWN else f" ({so_far} of {KNOWN} known pictures asked so far)"
    return (
        f"At least as close as {whose}: {near} of {len(members)} known members, "
        f"{far} of {len(others)} known non-members{still}."
    )
