"""Rendering of an episode as plain text, at most 80 columns wide."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len, set_cell_size

from miagym.envs.rendering.scene import DISTANCE, Scene, belief_in_words
from miagym.envs.state.moves import Slot
from miagym.envs.statistics import STATISTICS

WIDTH = 80
MAX_SHOWN = 8
"""Answers that are listed of a longer history."""


def text_of(scene: Scene) -> str:
    """Renders budget, answers, belief, and at the end the verdict."""
    return "\n".join(_fit(line, WIDTH).rstrip() for line in _lines(scene))


def _lines(scene: Scene) -> Iterator[str]:
    yield ", ".join(scene.title)
    if len(scene.captions) == 1:
        caption = _fit(_printable(scene.captions[0]), WIDTH - 2).rstrip()
        yield f'"{caption}"' if caption else "(no caption)"
    yield ""
    budget = scene.settings.budget
    left = f"{scene.left} of {budget} {scene.settings.unit} left"
    yield f"budget   {_bar(scene.left / budget, 30)}  {left}"
    yield f"{'':9}{scene.buys}"
    if scene.history is not None:
        said = belief_in_words(scene.belief[0]) if scene.step else "nothing said yet"
        yield f"belief   {_bar(scene.belief[0], 30)}  {said}"
    yield ""
    yield from _history(scene) if scene.history is not None else _slots(scene)
    if scene.history is None:
        yield ""
        yield from _table(scene)
    if scene.is_over:
        yield ""
        yield ". ".join(scene.verdict) + "."


def _history(scene: Scene) -> Iterator[str]:
    """The answers about one candidate, and a question that was refused."""
    assert scene.history is not None
    yield f"answers  ({STATISTICS[DISTANCE]})" if scene.history else "answers  none yet"
    if (before := len(scene.history) - MAX_SHOWN) > 0:
        yield f"      {before} before"
    for number, answer in enumerate(scene.history, start=1):
        if number > before:
            yield f"{number:5}  {_answer(scene, answer)}"
    for slot in scene.last.values():
        if slot.values is None:
            yield f"    -  {_answer(scene, slot)}"


def _slots(scene: Scene) -> Iterator[str]:
    """What the last step asked, slot by slot."""
    yield f"last questions  ({STATISTICS[DISTANCE]})" if scene.last else "last questions  none yet"
    for number, slot in scene.last.items():
        yield f"  slot {number:<3} about {slot.candidate:<4} {_answer(scene, slot)}"


def _answer(scene: Scene, slot: Slot) -> str:
    question = scene.question(slot)
    if slot.values is None:
        return f"{question.name:24} {scene.refusal(slot)}"
    target, *reference = scene.distances(slot)
    beside = f"  reference {reference[0]:.4g}" if reference else ""
    return f"{question.name:24} {scene.price(slot):>8}  {target:<9.4g}{beside}"


def _table(scene: Scene) -> Iterator[str]:
    """Each candidate of a pool: belief, answers so far, caption, and once it is told the truth."""
    truth = "" if scene.truth is None else "truth       "
    yield f"candidate  belief             answers  {truth}caption"
    for i, caption in enumerate(scene.captions):
        told = ""
        if scene.truth is not None:
            told = f"{'member' if scene.truth[i] else 'not member':12}"
        belief = f"{_bar(scene.belief[i], 10)}  {scene.belief[i]:.2f}"
        yield f"{i:9}  {belief} {scene.answers[i]:7}  {told}{_printable(caption)}"


def _bar(share: float, width: int) -> str:
    full = round(share * width)
    return f"[{'#' * full}{'.' * (width - full)}]"


def _printable(text: str) -> str:
    """A caption in one line, without characters that would steer a terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _fit(text: str, width: int) -> str:
    """Cut to so many columns, of which some letters take two."""
    return text if cell_len(text) <= width else set_cell_size(text, width - 3) + "..."
