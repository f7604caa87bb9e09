"""Pieces of the play tab as HTML: candidate, budget, answers, truth, tally."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from miagym.app.play.opponents import ABOUT
from miagym.app.play.playing import SECRET_ROUNDS, YOU, Playing, Round
from miagym.app.play.setup import BUDGET, WORDS, Table
from miagym.app.play.tally import Tally, caution, tally
from miagym.envs.game import Slot
from miagym.envs.rendering.scene import DISTANCE, Scene, rows_in_words
from miagym.envs.statistics import STATISTICS


def heading(playing: Playing) -> str:
    """Which game this is, in one line."""
    table, number = playing.table, len(playing.rounds) + (not playing.is_over)
    target = f"<b>{table.target}</b>" if playing.is_named else "<b>a secret target</b>"
    beside = f" beside the public model {table.reference}" if table.reference else ""
    return (
        f'<div class="play-head"><span>Picture {number}</span><span>{target}{beside}, '
        f"{table.access}-box access</span></div>"
    )


def candidate(scene: Scene) -> str:
    """The picture in question and its caption."""
    caption = escape(scene.captions[0])
    return (
        f'<figure class="play-candidate">{_image(scene.images[0], "the picture in question")}'
        f"<figcaption><small>The picture in question</small><q>{caption}</q></figcaption>"
        "</figure>"
    )


def budget(scene: Scene) -> str:
    """What is left, as cells and in words."""
    left, cheapest = scene.left, scene.cheapest
    cells = "".join(f"<i{' class=left' if i < left else ''}></i>" for i in range(BUDGET))
    if scene.is_over:
        words = f"{rows_in_words(BUDGET - left)} of {BUDGET} spent."
    elif left >= cheapest.price:
        words = f"<b>{left}</b> of {BUDGET} UNet rows left. A question costs what stands on it."
    else:
        words = (
            f"<b>{left}</b> of {BUDGET} UNet rows left: that buys nothing more. Give your verdict."
        )
    label = f"{left} of {BUDGET} rows left"
    return (
        f'<div class="play-budget" role="img" aria-label="{label}">{cells}</div>'
        f'<p class="small play-left">{words}</p>'
    )


def answers(scene: Scene) -> str:
    """Every answer in a row, the latest first."""
    history = scene.history or []
    if not history:
        return (
            '<div class="play-empty"><p>Nothing asked yet. Each answer appears here with its '
            "<b>distance</b>: how far the model's picture is from yours (0 is a perfect copy). "
            "What a model has memorised, it tends to bring back.</p></div>"
        )
    tiles = [_answer(scene, number, slot) for number, slot in enumerate(history, start=1)]
    return f'<div class="play-answers" tabindex="0">{"".join(reversed(tiles))}</div>'


def _answer(scene: Scene, number: int, slot: Slot) -> str:
    assert slot.values is not None
    name = scene.question(slot).name
    words = WORDS[name]
    if slot.image is None:
        shown = '<span class="play-number">a number, no picture</span>'
    else:
        shown = _image(slot.image, f"answer {number} to: {words}")
    beside = ""
    if len(slot.values) > len(STATISTICS):
        reference = slot.values[len(STATISTICS) + DISTANCE]
        beside = f"<dt>public</dt><dd>{reference:.3f}</dd>"
    return (
        f'<figure class="play-answer">{shown}<figcaption><span>{number}. {words}</span>'
        f"<dl><dt>distance</dt><dd><b>{slot.values[DISTANCE]:.3f}</b></dd>{beside}</dl>"
        "</figcaption></figure>"
    )


def truth(playing: Playing) -> str:
    """The label and the reward, after the verdict; before it, what happens then."""
    if not playing.is_over or not playing.rounds:
        return ""
    last = playing.rounds[-1]
    said = last.said[YOU].probability
    is_member = "was in the training set" if last.member else "was not in the training set"
    if said == 0.5:
        how = "You could not tell"
    else:
        how = "You were right" if (said > 0.5) == last.member else "You were wrong"
    return (
        f'<div class="verdict play-truth" role="status"><h3>It {is_member}.</h3>'
        f"<p>{how}: you said {said:.2f}, and earn <b>{signed(last.reward(YOU))}</b>.</p>"
        f"{_secret(playing)}</div>"
    )


def _secret(playing: Playing) -> str:
    """What a secret target turns out to be; until then, when that will be told."""
    if not playing.was_secret:
        return ""
    if not playing.is_named:
        more = SECRET_ROUNDS - len(playing.rounds)
        after = "1 more verdict" if more == 1 else f"{more} more verdicts"
        return (
            '<p class="small">“Training set” is that of the overfit model. Whether you face that '
            f"model, or one that never saw these pictures, is told after {after}.</p>"
        )
    return f"<p>The secret: {_named(playing.table)}</p>"


def _named(table: Table) -> str:
    if table.is_control:
        return (
            "this is the <b>control</b>. It saw none of these pictures, on either side, so its "
            "answers say nothing, and “I cannot tell” is the best verdict. Did the dots overlap?"
        )
    return "this is the <b>overfit</b> model. It has memorised its pictures, and can be found out."


def tallies(rounds: Sequence[Round]) -> str:
    """The visitor beside the agents, on the same pictures with the same budget."""
    mine = tally(rounds, YOU)
    if mine is None:
        return ""
    rows = "".join(_row(name, tally(rounds, name)) for name in (YOU, *ABOUT))
    about = "".join(f"<li><b>{name}</b> {words}.</li>" for name, words in ABOUT.items())
    return (
        '<div class="play-tally"><table><caption>Same pictures, same budget</caption><thead><tr>'
        "<th scope=col>Player</th><th scope=col>n</th><th scope=col>Reward</th>"
        "<th scope=col>Right</th><th scope=col>Can’t tell</th><th scope=col>Rows</th></tr></thead>"
        f"<tbody>{rows}</tbody></table><p class=play-caution>{caution(mine)}</p>"
        f"<details class=small><summary>Who they are, and what is counted</summary><ul>{about}"
        "</ul><p>Reward: the mean of 1 − 4 (verdict − truth)²; it is 0 for who cannot tell, 1 for "
        "right and sure, −3 for wrong and sure. Right: of the verdicts that take a side, with a "
        "95% interval. The mean reward has an interval from 10 rounds. Rows: spent on a picture."
        "</p></details></div>"
    )


def _row(name: str, one: Tally | None) -> str:
    if one is None:
        return f"<tr><th scope=row>{name}</th><td colspan=5>is playing …</td></tr>"
    reward = signed(one.reward) + _interval(one.reward_ci, signed)
    right = "none"
    if one.right_ci is not None:
        share = (100 * one.right_ci[0], 100 * one.right_ci[1])
        right = f"{one.right} of {one.decided}{_interval(share, '{:.0f}'.format, '%')}"
    cells = (str(one.n), reward, right, str(one.undecided), f"{one.spent:.0f}")
    return f"<tr><th scope=row>{name}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _interval(
    ends: tuple[float, float] | None, written: Callable[[float], str], unit: str = ""
) -> str:
    if ends is None:
        return ""
    low, high = map(written, ends)
    return f" <small>[{low}, {high}]{unit}</small>"


def signed(reward: float) -> str:
    """A reward with its sign, a true minus."""
    rounded = round(reward, 2) + 0.0  # no minus before a zero
    return f"{rounded:+.2f}".replace("-", "−")


def _image(pixels: NDArray[np.uint8], alt: str) -> str:
    """Pixels (h, w, 3) inside the page itself: no file is left anywhere."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    data = base64.b64encode(file.getvalue()).decode()
    return f'<img src="data:image/png;base64,{data}" alt="{escape(alt)}">'
