"""Threshold attacks: the paper's sixteen settings under three signals, and its baseline loss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

SETTINGS = (
    "partial-denoising",
    "diff-starts",
    "shift",
    "text-shift",
    "text-shift-05",
    "wrong-start",
    "wrong-start-longer",
    "wrong-start-longer-text",
    "wrong-start-longer-50",
    "wrong-start-longer-300",
    "wrong-start-300-from-200",
    "reversed-noise",
    "no-classifier-free-guidance",
    "noise-100-everytime",
    "wrong-start-reversed-steps",
    "reversed-noise-big-classifier-free-guidance",
)
"""By the names of the paper's scripts, less their prefix; the registry has them as
`trajectory-NAME`."""

SIGNALS = {
    "loss": "Model loss: white box",
    "latent": "Latent error: grey box",
    "pixel": "Pixel error: black box",
}
"""Each with the access that the paper gives it; later papers call predicted noise grey."""

BASELINE = "carlini"
"""The baseline loss threshold, by the name of its script."""
BLACK_BOX = "black-box"
"""Generation from the caption alone, by the name of its script."""


def trajectory(setting: str, signal: str, draws: int) -> str:
    """The attack of a setting under one signal; calibration chooses its timestep alone."""
    return f"trajectory-{setting}(signal='{signal}', draws={draws})"


def baseline(draws: int) -> str:
    """The loss threshold under so many draws; calibration chooses its timestep."""
    return f"loss(draws={draws})"


def text_to_image(draws: int, steps: int) -> str:
    """The black-box attack: so many pictures of a caption, in so many steps."""
    return f"text-to-image(draws={draws}, steps={steps})"


def under_all_signals(settings: Sequence[str], draws: int) -> Iterator[str]:
    """The attacks of the first table: each setting under each signal, and the baseline."""
    for signal in SIGNALS:
        for setting in settings:
            yield trajectory(setting, signal, draws)
    yield baseline(draws)


def three_attacks(draws: int) -> tuple[str, str, str]:
    """Those of the first figure; the two walks under the latent error, which is our choice."""
    return (
        baseline(draws),
        trajectory("partial-denoising", "latent", draws),
        trajectory("reversed-noise", "latent", draws),
    )
