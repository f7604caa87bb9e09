"""Checks of exercise 1: the loss, the score, and paired noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from miagym.candidates import Candidates
from miagym.data.registry import load_data
from miagym.exercises.task import Task, answered, close, expect, number, numbers
from miagym.oracle import Oracle
from miagym.targets.dummy import DummyTarget

TIMESTEP, DRAWS, PICTURES = 321, 4, 7


def drawings() -> Candidates:
    data = load_data("clipart")
    return data.candidates(data.rows("calibration", 7)[:PICTURES], 64)


def losses(seed: int) -> NDArray[np.float64]:
    """Losses (draws, n) of different pictures, under noise that both seeds share."""
    noise = np.random.default_rng(1).normal(size=(DRAWS, PICTURES))
    rng = np.random.default_rng(seed)
    return 5 + rng.normal(size=PICTURES) + 0.2 * noise + 0.1 * rng.normal(size=(DRAWS, PICTURES))


def check_loss(loss: Any) -> None:
    candidates = drawings()
    oracle = Oracle(DummyTarget(candidates[:3]))
    given = torch.randn((PICTURES, 3, 16, 16), generator=torch.Generator().manual_seed(5))

    def known(noise: torch.Tensor) -> NDArray[np.float64]:
        z_t = oracle.add_noise(oracle.encode(candidates), noise, TIMESTEP)
        error = oracle.predict_noise(candidates, z_t, TIMESTEP) - noise
        return error.double().pow(2).flatten(1).mean(1).numpy()

    got = numbers(loss(oracle, candidates, TIMESTEP, given), (PICTURES,))
    own = known(oracle.noise(candidates, TIMESTEP))
    expect(
        not close(got, own, 1e-4),
        "it uses noise of its own; the noise to use is the one that it is given.",
    )
    expect(
        not close(got, known(given) * given[0].numel(), 1e-4),
        "this is the sum of the squares; the loss is their mean.",
    )
    expect(
        not close(got, known(given) ** 0.5, 1e-4),
        "this is the root of the mean square; the loss has no root.",
    )
    expect(
        close(got, known(given), 1e-4),
        "other numbers than the mean square of (guess - noise) at the timestep it was given; is "
        "z_t mixed from z0 and the given noise, and is the guess made at z_t?",
    )


def check_plain_score(score: Any) -> None:
    loss = losses(2).ravel()
    got = numbers(score(loss), loss.shape)
    order = np.argsort(loss)
    expect(
        not (np.diff(got[order]) >= 0).all(),
        "the wrong way round: a picture with a large loss has a high score, and high means member.",
    )
    expect(
        (np.diff(got[order]) < 0).all(),
        "pictures are put in another order than their losses have, turned round.",
    )


def check_noise_share(share: Any) -> None:
    loss = losses(3)
    got, within = number(share(loss)), loss.var(axis=0)
    expect(
        not close(got, within.mean() / loss.var()),
        "the variance within a picture comes from few draws: divide by draws - 1 (ddof=1).",
    )
    expect(
        not close(got, loss.var(axis=1, ddof=1).mean() / loss.var()),
        "this is the variance over pictures within a draw; it is asked over draws.",
    )
    expect(
        close(got, within.mean() * DRAWS / (DRAWS - 1) / loss.var()),
        "expected the mean over pictures of the variance over draws (axis 0), divided by the "
        "variance of all losses.",
    )


def check_gaps(gaps: Any) -> None:
    target, reference = losses(2), losses(3)
    got = numbers(gaps(target, reference), (DRAWS, DRAWS, PICTURES))
    known = reference[None] - target[:, None]
    expect(
        not close(got, -known),
        "the sign: members have a smaller loss under the target, and high means member.",
    )
    expect(
        not close(got, known.transpose(1, 0, 2)),
        "[i, j] has the target under noise i and the reference under noise j; here they are "
        "swapped.",
    )
    expect(close(got, known), "[i, j] is the reference's loss under noise j less the target's (i).")


def check_shared_noise(shared: Any) -> None:
    one, other = losses(2), losses(3)
    got = number(shared(one, other))
    each = [np.cov(a, b)[0, 1] for a, b in zip(one.T, other.T, strict=True)]
    expect(
        not close(got, np.cov(one.ravel(), other.ravel())[0, 1], 1e-3),
        "this covariance mixes pictures; take it over the draws of each picture by itself.",
    )
    expect(
        not close(got, np.mean(each) * (DRAWS - 1) / DRAWS),
        "divide the sum over draws by draws - 1, not by draws.",
    )
    expect(
        close(got, np.mean(each)),
        "expected, for each picture, the covariance over draws of its two losses (both less "
        "their mean over draws, multiplied), then the mean over pictures.",
    )


TASKS = (
    Task(
        "loss",
        "the mean square of guess less noise, under the noise that is given",
        "Four steps: latents, latents with noise, the model's guess of the noise, its mean square "
        "for each picture (`flatten(1)` helps). The oracle has a question for each.",
        check_loss,
    ),
    Task(
        "plain_score",
        "a small loss is a high score",
        "Members have small losses; which change of sign makes that a high score?",
        check_plain_score,
    ),
    Task(
        "noise_share",
        "how much of the loss is noise",
        "`losses.var(axis=0, ddof=1)` is the variance over draws, one for each picture.",
        check_noise_share,
    ),
    Task(
        "gaps",
        "every noise of the target against every noise of the reference",
        "Broadcasting does it: an axis for i, one for j, one for the pictures.",
        check_gaps,
    ),
    Task(
        "shared_noise",
        "what an awkward draw does to both models",
        "For one picture: take each loss less its mean over draws, multiply, add up, divide by "
        "draws - 1.",
        check_shared_noise,
    ),
    Task(
        "answer_lift",
        "pairing lifts the AUC of the gap",
        "The file prints both means.",
        answered(0.05, 0.09, "Mean of the diagonal less mean of the other six, as printed."),
    ),
    Task(
        "answer_plain",
        "a single model's loss gains nothing",
        "Does the plain score of a picture see any other call's noise?",
        answered(
            -0.005,
            0.005,
            "One model, one draw for each picture: paired or fresh, it is one standard normal "
            "draw, so what can it change on average?",
        ),
    ),
)
