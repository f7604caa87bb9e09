"""The sixteen settings of Dubiński et al. 2024: plain numbers, which need no torch."""

from __future__ import annotations

from typing import Any

KNOBS: dict[str, dict[str, Any]] = {
    # Noised to 300, denoised from 300; the script calls it "embeddings".
    "partial-denoising": {},
    # Every timestep starts for itself, from z0 noised to it (by one noise for all in the script).
    "diff-starts": {"iterative": False},
    # Unit noise joins the latent before the second step.
    "shift": {"latent_shift": 1},
    # Unit noise on the caption's embeddings (in the script on the empty prompt's as well).
    "text-shift": {"text_shift": 1.0},
    # Half as much of it.
    "text-shift-05": {"text_shift": 0.5},
    # Noised to 100 only, denoised as if from 300.
    "wrong-start": {"noise_step": 100},
    # The same as if from 500, in 5 steps.
    "wrong-start-longer": {"start": 500, "noise_step": 100},
    # The same, with unit noise on the caption's embeddings.
    "wrong-start-longer-text": {"start": 500, "noise_step": 100, "text_shift": 1.0},
    # Noised to 50, denoised as if from 500.
    "wrong-start-longer-50": {"start": 500, "noise_step": 50},
    # Noised to 300, denoised as if from 500.
    "wrong-start-longer-300": {"start": 500, "noise_step": 300},
    # Noised to 200, denoised as if from 300.
    "wrong-start-300-from-200": {"noise_step": 200},
    # Noised to 300, and the model is told 100, 200, 300: least noise first.
    "reversed-noise": {"reverse": True},
    # Partial denoising under the caption alone.
    "no-classifier-free-guidance": {"guidance_scale": 1.0},
    # Noised to 100 for every timestep, whatever the model is told; read where that is 300.
    "noise-100-everytime": {
        "noise_step": 100,
        "iterative": False,
        "fix_noise_step": True,
        "position": 0,
    },
    # Noised to 100 only, and the model is told 100, 200, 300.
    "wrong-start-reversed-steps": {"noise_step": 100, "reverse": True},
    # Reversed noising under twice the guidance.
    "reversed-noise-big-classifier-free-guidance": {"reverse": True, "guidance_scale": 15.0},
}
"""Arguments of `Trajectory` by the names of the paper's scripts, less their prefix "embeddings-".

Only the names are known: numbers that a name does not hold are ours (shift 1 at the second step,
wrong start 100, longer 500, guidance 7.5 and 15). Where the loop itself departs from the scripts,
`Trajectory` says so.
"""
