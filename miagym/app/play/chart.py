"""The visitor's distances among those of pictures whose membership is known, drawn as HTML.

Plain elements at positions in percent: text keeps its size on a phone, and the colours are the
page's own in light and dark.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from miagym.app.play.playing import Playing
from miagym.app.play.reference_scores import COUNT, Known, relative
from miagym.app.play.setup import WORDS
from miagym.envs.rendering.scene import Scene

MARGIN = 4.0
"""Percent of the width that stays free on either side."""
LANES = (0.5, 0.22, 0.78, 0.36, 0.64)
"""Heights that dots take in turn, so that they hide each other less."""


def chart(playing: Playing, known: Known) -> str:
    """A strip for each question that was asked, the latest first."""
    scene = playing.scene
    asked = [slot.question for slot in reversed(scene.history or [])]
    return "".join(_strip(playing, scene, known, question) for question in dict.fromkeys(asked))


def _strip(playing: Playing, scene: Scene, known: Known, question: int) -> str:
    mine = np.array(
        [
            relative(slot.values)
            for slot in scene.history or []
            if slot.question == question and slot.values is not None
        ]
    )
    members, others = known.distances(question)
    place = _scale(np.concatenate([mine, members, others]))
    mean = float(np.exp(np.log(mine).mean()))
    words = WORDS[playing.menu[question].name]
    sentence = _sentence(mean, len(mine), members, others)
    ticks = "".join(f'<b class="tick" style="left:{place(x):.1f}%"></b>' for x in mine)
    you = f'<b class="you" style="left:{place(mean):.1f}%"></b>' if len(mine) else ""
    beside = playing.table.reference is not None
    unit = "distance ÷ public model's" if beside else "distance"
    return (
        f'<section class="play-strip" role="img" aria-label="{words}. {sentence}">'
        f"<h4>{words}</h4>"
        f'<div class="plot">{_lane("members", members, place)}{_lane("others", others, place)}'
        f"{ticks}{you}</div>"
        f'<div class="axis"><span>◂ closer</span><span>{unit}: <b>{mean:.3f}</b></span>'
        f"<span>farther ▸</span></div></section><p class='small play-says'>{sentence}</p>"
    )


def _lane(name: str, values: NDArray[np.float64], place: _Place) -> str:
    label = "known members" if name == "members" else "known non-members"
    dots = "".join(
        f'<i style="left:{place(x):.1f}%;top:{100 * LANES[i % len(LANES)]:.0f}%"></i>'
        for i, x in enumerate(values)
    )
    return f'<div class="lane {name}"><span>{label}</span><div>{dots}</div></div>'


def _sentence(
    mine: float, answers: int, members: NDArray[np.float64], others: NDArray[np.float64]
) -> str:
    so_far = len(members) + len(others)
    whose = "your picture" if answers == 1 else f"the mean of your {answers} answers"
    if not so_far:
        return "The known pictures are being asked the same …"
    near, far = int((members <= mine).sum()), int((others <= mine).sum())
    still = "" if so_far == COUNT else f" ({so_far} of {COUNT} known pictures asked so far)"
    return (
        f"At least as close as {whose}: {near} of {len(members)} known members, "
        f"{far} of {len(others)} known non-members{still}."
    )


class _Place:
    """Where a distance lies, in percent of the width: a logarithmic scale."""

    def __init__(self, low: float, high: float) -> None:
        self._low, self._high = np.log(low), np.log(high)

    def __call__(self, value: float) -> float:
        width = max(self._high - self._low, 1e-9)
        share = (np.log(value) - self._low) / width
        return float(MARGIN + (100 - 2 * MARGIN) * share)


def _scale(values: NDArray[np.float64]) -> _Place:
    return _Place(float(values.min()), float(values.max()))
