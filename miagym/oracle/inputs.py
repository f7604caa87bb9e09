"""What a question is given, checked against the target before anything is charged."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from miagym.candidates import Candidates, check_texts
from miagym.errors import DataError, TargetError
from miagym.oracle.cache import digest
from miagym.targets.base import Target, Texts, Told

Prompts = str | Sequence[str] | None
"""None asks under each candidate's own caption; one text asks under that text for all."""
Conditions = Prompts | Tensor
"""Prompts, or text embeddings (n, tokens, width)."""


def check_latents(target: Target, candidates: Candidates, *latents: Tensor) -> None:
    """Refuses tensors that do not hold one latent of the target's shape for each candidate.

    Raises:
        DataError: with both shapes.
    """
    expected = (len(candidates), *target.latent_shape)
    for tensor in latents:
        if tuple(tensor.shape) != expected:
            raise DataError(
                f"Expected a latent for each candidate, of shape {expected}, "
                f"got {tuple(tensor.shape)}."
            )


def texts_of(candidates: Candidates, prompts: Prompts) -> Sequence[str]:
    """The text under which each candidate is asked about (n,).

    Raises:
        DataError: if there are more or fewer prompts than candidates, or one is no text.
    """
    if prompts is None:
        return candidates.captions
    if isinstance(prompts, str):
        check_texts([prompts])
        return [prompts] * len(candidates)
    if len(prompts) != len(candidates):
        raise DataError(f"Got {len(prompts)} prompts for {len(candidates)} candidates.")
    check_texts(prompts)
    return prompts


def check_told(
    target: Target, candidates: Candidates, prompts: Conditions, guidance_scale: float = 1.0
) -> None:
    """Refuses to tell a model a text that it cannot be told, or to guide what cannot be guided.

    Candidates' own captions pass: they are classes, or make no difference.

    Raises:
        TargetError: naming what the model is told.
    """
    if target.told is Told.TEXT:
        return
    is_text, empty = not isinstance(prompts, Tensor), isinstance(prompts, str) and not prompts
    own = prompts is None or (is_text and list(prompts) == list(candidates.captions))
    if (own and guidance_scale == 1) or (target.can_be_guided and (own or empty)):
        return
    raise not_told(target)


def not_told(target: Target) -> TargetError:
    """Error of a question about a text, to a model that is told none."""
    knows = "classes and no texts" if target.told is Told.CLASS else "neither texts nor classes"
    return TargetError(
        f"{target.name} is told {knows}, and this question is about a text or guided by one; use "
        "an attack that asks about pictures alone, with guidance_scale=1 if it has that."
    )


def conditions_of(
    candidates: Candidates, prompts: Conditions
) -> tuple[Texts, Sequence[str | bytes]]:
    """What the target is told for each candidate, and what tells it apart in the cache.

    Raises:
        DataError: if there is not one text or embedding for each candidate.
    """
    if not isinstance(prompts, Tensor):
        texts = texts_of(candidates, prompts)
        return texts, texts
    if prompts.ndim != 3 or len(prompts) != len(candidates):
        raise DataError(
            f"Expected text embeddings ({len(candidates)}, tokens, width), "
            f"got {tuple(prompts.shape)}."
        )
    return prompts, digest(prompts)


def pick(texts: Texts, rows: list[int]) -> Texts:
    """Some rows of texts or embeddings."""
    return texts[rows] if isinstance(texts, Tensor) else [texts[i] for i in rows]
