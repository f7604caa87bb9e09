"""Structural similarity: inversion to a little noise leaves a member's outlines as they are."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from attacks.base import Attack, Scores, as_scores
from attacks.grey_box.secmi import check_grid, inverted
from miagym.oracle import Access, Candidates, Oracle

WINDOW, DEVIATION = 11, 1.5
"""Of the Gaussian that weighs pixels, as Wang et al. (2004) have it."""


def ssim(x: Tensor, y: Tensor) -> Tensor:
    """Mean structural similarity (n,) of pictures (n, c, h, w) in [0, 1], at least 11 wide.

    Wang et al., IEEE TIP 2004, Eq. 13, over windows that lie within the picture; the mean over
    them and over the channels.
    """
    steps = torch.arange(WINDOW, dtype=x.dtype, device=x.device) - WINDOW // 2
    line = torch.exp(-(steps**2) / (2 * DEVIATION**2))
    window = torch.outer(line, line) / line.sum() ** 2

    def mean(values: Tensor) -> Tensor:
        channels = values.shape[1]
        return conv2d(values, window.expand(channels, 1, -1, -1), groups=channels)

    m_x, m_y = mean(x), mean(y)
    v_x, v_y = mean(x * x) - m_x**2, mean(y * y) - m_y**2
    covariance = mean(x * y) - m_x * m_y
    c_1, c_2 = 0.01**2, 0.03**2
    light = (2 * m_x * m_y + c_1) / (m_x**2 + m_y**2 + c_1)
    return (light * (2 * covariance + c_2) / (v_x + v_y + c_2)).flatten(1).mean(1)


@dataclass(frozen=True)
class Structural(Attack):
    """Structural similarity of a picture to what DDIM inversion makes of it.

    Li et al., ACM Multimedia 2024, arXiv 2407.13252. Faithful to its description; timestep and
    stride are ours, those of SecMI, whose questions it shares.

    Score: z~ = phi(z0, 0 -> k -> ... -> t), SSIM(x, D(z~)).

    Costs t / k UNet rows, 1 encode and 1 decode.

    Args:
        timestep: t, a multiple of `stride`.
        stride: k.
    """

    access = Access.GREY
    paper = "Li et al. 2024, arXiv 2407.13252"

    timestep: int = 100
    stride: int = 20

    def __post_init__(self) -> None:
        check_grid(self.timestep, self.stride)

    def __call__(self, oracle: Oracle, candidates: Candidates) -> Scores:
        z = inverted(oracle, candidates, self.timestep, self.stride)
        return as_scores(ssim(oracle.pixels(candidates), oracle.decode(candidates, z)))

    def variants(self) -> tuple[Attack, ...]:
        return tuple(replace(self, timestep=t) for t in (self.timestep, 200, 300))
