"""Checks of exercise 3: a blind baseline, and attacks that clear it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from miagym.data.registry import load_data
from miagym.exercises.task import Task, answered, expect, numbers, said
from miagym.metrics.auc import auc

PICTURES = 160
BLURRED_AUC = 0.85
"""What features of pictures that nobody has seen should reach; the solution's reach 0.99."""


def drawings() -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Drawings that the exercise does not use, every second one blurred, and which ones."""
    data = load_data("clipart")
    images = data.candidates(data.rows("calibration", 11)[:PICTURES], 64).images
    blurred = np.arange(PICTURES) % 2 == 0
    return np.stack([_blur(x) if b else x for x, b in zip(images, blurred, strict=True)]), blurred


def check_features(features: Any) -> None:
    images, blurred = drawings()
    got = np.asarray(features(images))
    expect(
        got.ndim == 2 and len(got) == len(images),
        f"expected a row of numbers for each of {len(images)} pictures, got shape {got.shape}.",
    )
    numbers(got, got.shape)
    few = np.asarray(features(images[5:9]))
    expect(
        few.shape == got[5:9].shape and np.allclose(few, got[5:9]),
        "a picture's features change with the pictures beside it; each picture is on its own.",
    )
    half = np.arange(PICTURES) < PICTURES // 2
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    scores = classifier.fit(got[half], blurred[half]).decision_function(got[~half])
    reached = auc(scores[blurred[~half]], scores[~blurred[~half]])
    expect(
        reached >= BLURRED_AUC,
        f"on drawings that are not in the file they tell blurred from sharp with an AUC of "
        f"{reached:.2f}; {BLURRED_AUC} is possible with steps between neighbouring pixels.",
    )


def check_out_of_fold(out_of_fold: Any) -> None:
    rng = np.random.default_rng(3)
    n, d = 120, 90
    x, label = rng.normal(size=(n, d)), rng.permutation(np.repeat([True, False], n // 2))
    reached = _auc(out_of_fold(x, label, np.arange(n)), label)
    expect(
        reached < 0.8,
        f"labels of coins reach an AUC of {reached:.2f}: pictures are scored by a classifier that "
        "has learned from them.",
    )
    twice = np.repeat(np.arange(n), 2)
    twins = x[twice] + 1e-3 * rng.normal(size=(2 * n, d))
    reached = _auc(out_of_fold(twins, label[twice], twice), label[twice])
    expect(
        reached < 0.8,
        f"pictures that come in pairs of twins reach an AUC of {reached:.2f} on labels of coins: a "
        "twin is learned from and its other half scored. Give the groups to the cut.",
    )
    far = x[:, :5] + 1.5 * label[:, None]
    reached = _auc(out_of_fold(far, label, np.arange(n)), label)
    expect(
        reached > 0.9,
        f"two sides that are far apart reach an AUC of {reached:.2f}, expected more than 0.9; are "
        "scores put back where their pictures are, high = member?",
    )


def check_speaks(speaks: Any) -> None:
    cases = (
        ((0.6, 0.7), (0.45, 0.55), True, "an attack at 0.6 to 0.7 clears blind 0.45 to 0.55"),
        ((0.6, 0.7), (0.55, 0.65), False, "the intervals overlap, so nothing is shown"),
        ((0.6, 0.7), (0.97, 0.99), False, "the blind baseline does better than the attack"),
        ((0.48, 0.6), (0.3, 0.4), False, "an attack that may be guessing clears nothing"),
        ((0.9, 0.95), (0.6, 0.8), True, "an attack at 0.9 to 0.95 clears blind 0.6 to 0.8"),
    )
    for attack, blind, known, why in cases:
        got = speaks(attack, blind)
        expect(isinstance(got, bool | np.bool_), f"expected True or False, got {got!r}.")
        expect(got == known, f"attack {attack}, blind {blind}: {why}, got {got}.")


def _auc(scores: object, label: NDArray[np.bool_]) -> float:
    found = numbers(scores, label.shape)
    return auc(found[label], found[~label])


def _blur(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    small = Image.fromarray(picture).resize((32, 32), Image.Resampling.BILINEAR)
    return np.asarray(small.resize((64, 64), Image.Resampling.BILINEAR))


TASKS = (
    Task(
        "features",
        "blurred pictures are told from sharp ones, each by itself",
        "A blurred picture has small steps between neighbours: `np.diff` along an axis, its mean "
        "size, its largest.",
        check_features,
    ),
    Task(
        "out_of_fold",
        "nobody is scored by a classifier that has seen them or their twin",
        "`for learn, held_out in GroupKFold(5).split(x, member, groups)`: what belongs inside?",
        check_out_of_fold,
    ),
    Task(
        "speaks_for_membership",
        "an attack has to clear guessing and the blind row",
        "Compare the lower end of one interval with the upper end of the other.",
        check_speaks,
    ),
    Task(
        "answer_null",
        "an attack that finds what is not there",
        "The file prints it.",
        answered(0.62, 0.69, "The row of student B under clipart-null."),
    ),
    Task("answer_b", "the audit sees it", "The audit's first word.", said("shifted", "See above.")),
    Task("answer_a", "and only there", "The audit's first word.", said("fair", "See above.")),
)
