"""Kinds of questions: what each asks the oracle, and the error of its answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from miagym.oracle.access import Access

if TYPE_CHECKING:
    from torch import Tensor

    from miagym.candidates import Candidates
    from miagym.oracle import Oracle


@dataclass(frozen=True)
class BatchAnswer:
    """Answers to a batch of k questions of one kind."""

    difference: Tensor
    """How far the answers are from what they should be (k, ...): what statistics are made from."""
    images: Tensor | None = None
    """The pictures (k, 3, size, size) in [0, 1], if the question asks for pictures."""


@dataclass(frozen=True)
class QuestionBatch:
    """Batch of k questions for the target: candidates, and for each a value and a draw."""

    candidates: Candidates
    values: Sequence[float]
    draws: Sequence[int]
    steps: int
    guidance_scale: float

    @property
    def timesteps(self) -> list[int]:
        return [int(value) for value in self.values]


@dataclass(frozen=True)
class QuestionKind:
    """Kind of question, of which the menu holds one for each of some values."""

    access: Access
    values: tuple[float, ...]
    """Of the default menu; empty if the question has none."""
    ask: Callable[[Oracle, QuestionBatch], BatchAnswer]
    rows: int = 1
    """UNet rows of an answer, but for pictures."""
    backward_rows: int = 0
    together: bool = True
    """Whether rows with different values share a batch."""


def _text_to_image(oracle: Oracle, asked: QuestionBatch) -> BatchAnswer:
    images = oracle.generate(
        asked.candidates,
        draw=asked.draws,
        steps=asked.steps,
        guidance_scale=asked.guidance_scale,
    )
    return _picture_answer(images, oracle.pixels(asked.candidates))


def _variation(oracle: Oracle, asked: QuestionBatch) -> BatchAnswer:
    images = oracle.vary(
        asked.candidates,
        strength=asked.values[0],
        draw=asked.draws,
        steps=asked.steps,
        guidance_scale=asked.guidance_scale,
    )
    return _picture_answer(images, oracle.pixels(asked.candidates))


def _picture_answer(images: Tensor, candidates: Tensor) -> BatchAnswer:
    """Pictures of 8 bits, as a service answers: statistics carry no more than their pixels do."""
    images = (images * 255).round().clamp(0, 255) / 255
    return BatchAnswer(images - candidates, images)


def _loss(oracle: Oracle, asked: QuestionBatch) -> BatchAnswer:
    """E(z_t, t, c) - eps."""
    z_t, eps = _noised(oracle, asked)
    return BatchAnswer(oracle.predict_noise(asked.candidates, z_t, asked.timesteps) - eps)


def _sima(oracle: Oracle, asked: QuestionBatch) -> BatchAnswer:
    """E(z0, t, c), as in SimA: a clean latent holds no noise to predict."""
    z0 = oracle.encode(asked.candidates)
    return BatchAnswer(oracle.predict_noise(asked.candidates, z0, asked.timesteps))


def _pia(oracle: Oracle, asked: QuestionBatch) -> BatchAnswer:
    """e0 - E(z_t, t, c) with z_t from e0 = E(z0, 0, c), as in PIA."""
    z0 = oracle.encode(asked.candidates)
    e0 = oracle.predict_noise(asked.candidates, z0, 0)
    z_t = oracle.add_noise(z0, e0, asked.timesteps)
    return BatchAnswer(e0 - oracle.predict_noise(asked.candidates, z_t, asked.timesteps))


def _caption_gap(oracle: Oracle, asked: QuestionBatch) -> BatchAnswer:
    """E(z_t, t, c) - E(z_t, t, ""): what the caption changes, as in CLiD."""
    z_t, _ = _noised(oracle, asked)
    told = oracle.predict_noise(asked.candidates, z_t, asked.timesteps)
    return BatchAnswer(
        told - oracle.predict_noise(asked.candidates, z_t, asked.timesteps, prompts="")
    )


def _latent_gradient(oracle: Oracle, asked: QuestionBatch) -> BatchAnswer:
    """Gradient of ||E(z_t, t, c) - eps||² by z_t."""
    z_t, eps = _noised(oracle, asked)
    return BatchAnswer(oracle.latent_gradient(asked.candidates, z_t, asked.timesteps[0], eps))


def _parameter_gradients(oracle: Oracle, asked: QuestionBatch) -> BatchAnswer:
    """Norms of the loss's gradient, one for each parameter tensor, as in GSA."""
    z_t, eps = _noised(oracle, asked)
    timesteps = asked.timesteps[:1]
    ask = oracle.parameter_gradient_norms
    return BatchAnswer(ask(asked.candidates, z_t[:, None], timesteps, eps[:, None]))


def _noised(oracle: Oracle, asked: QuestionBatch) -> tuple[Tensor, Tensor]:
    """z_t and the eps in it, each row at its own timestep and draw."""
    z0 = oracle.encode(asked.candidates)
    eps = oracle.noise(asked.candidates, asked.timesteps, asked.draws)
    return oracle.add_noise(z0, eps, asked.timesteps), eps


BLACK, GREY, WHITE = Access.BLACK, Access.GREY, Access.WHITE
QUESTION_KINDS = {
    "text-to-image": QuestionKind(BLACK, (), _text_to_image),
    "variation": QuestionKind(BLACK, (0.3, 0.6), _variation, together=False),
    "loss": QuestionKind(GREY, (60, 200, 400), _loss),
    "sima": QuestionKind(GREY, (60, 200), _sima),
    "pia": QuestionKind(GREY, (60, 200), _pia, rows=2),
    "caption-gap": QuestionKind(GREY, (200,), _caption_gap, rows=2),
    "latent-gradient": QuestionKind(
        WHITE, (200,), _latent_gradient, backward_rows=1, together=False
    ),
    "parameter-gradients": QuestionKind(
        WHITE, (200,), _parameter_gradients, backward_rows=1, together=False
    ),
}
"""All kinds. A value is a strength in (0, 1] or a timestep."""
