"""Quantile regression: an error is small or large for a picture like this one, not as such."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from attacks.base import LearnedAttack
from attacks.grey_box.secmi import SecMI, check_grid
from attacks.learning.rules import Arrays, Features, Labels, Rule
from miagym.oracle import Access, Candidates, Oracle

WIDTH, SCALES = 32, 4
FLOOR = 1e-12
"""The smallest error whose logarithm is taken."""


@dataclass(frozen=True)
class QuantileRegression(LearnedAttack):
    """The t-error of SecMI against the errors expected of non-members that look alike.

    Tang et al., ICML 2024, arXiv 2312.05140. Simplified: networks of one hidden layer see how much
    detail a picture has at four scales (the paper's are convolutional, on the picture itself),
    which a hundred non-members suffice to learn from; they predict a whole distribution by Gaussian
    likelihood, and the score is their mean margin (the paper's: the vote of the bag at one
    quantile, which gives no ROC curve). Members among the calibration data are not looked at, and
    each network keeps the step at which non-members outside its bootstrap sample are likeliest:
    trained longer, it takes every new picture for an outlier.

    Score: mean over the bag of (q(x) - log error) / sd(x), where q and sd are the predicted mean
    and deviation of log error. Any other quantile of the Gaussian shifts all scores alike.

    Costs t / k + 2 UNet rows and 1 encode, as `SecMI`.

    Args:
        timestep: t. The paper's value is SecMI's 100; 40 is ours, for latents of 16 × 16.
        stride: k. The paper's value is 10; 20 is ours, which halves the cost.
        bag: networks, each on its own bootstrap sample.
    """

    access = Access.GREY
    paper = "Tang et al. 2024, arXiv 2312.05140"

    timestep: int = 40
    stride: int = 20
    bag: int = 16

    def __post_init__(self) -> None:
        check_grid(self.timestep, self.stride)

    def features(self, oracle: Oracle, candidates: Candidates) -> NDArray[np.float64]:
        error = -SecMI(self.timestep, self.stride)(oracle, candidates)
        log_error = np.log(np.maximum(error, FLOOR))
        return np.column_stack([log_error, details(candidates.images)])

    def new_rule(self) -> Rule:
        return QuantileEnsemble(self.bag)


def details(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Log mean sizes of the three kinds of Haar details at each of the scales (n, 3 * SCALES)."""
    grey, sizes = images.mean(3) / 255, []
    for _ in range(SCALES):
        height, width = (side // 2 * 2 for side in grey.shape[1:])
        a, b, c, d = (grey[:, y:height:2, x:width:2] for y in (0, 1) for x in (0, 1))
        kinds = (a + b - c - d, a - b + c - d, a - b - c + d)
        sizes += [np.abs(kind / 4).mean((1, 2)) for kind in kinds]
        grey = (a + b + c + d) / 4
    return np.log(np.stack(sizes, 1) + 1e-3)


@dataclass(frozen=True)
class QuantileEnsemble(Rule):
    """A bag of networks that predict a picture's error (column 0) from its details (the rest).

    Args:
        bag: networks.
        steps: of AdamW at most.
        seed: of initial weights and bootstrap samples.
        networks: what was learned.
    """

    bag: int = 16
    steps: int = 100
    seed: int = 0
    networks: _Bag | None = field(default=None, repr=False, compare=False)

    def fit(self, features: Features, member: Labels) -> Self:
        rows = torch.from_numpy(features[~member]).float()
        n, generator = len(rows), torch.Generator().manual_seed(self.seed)
        networks = _Bag(self.bag, rows.shape[1] - 1, generator)
        networks.standardise(rows)
        drawn = torch.randint(n, (self.bag, n), generator=generator)
        times = torch.stack([torch.bincount(row, minlength=n) for row in drawn])
        optimizer = torch.optim.AdamW(networks.parameters(), lr=3e-3, weight_decay=1.0)
        best = [parameter.detach().clone() for parameter in networks.parameters()]
        least = torch.full((self.bag,), torch.inf)
        for _ in range(self.steps):
            margin, log_sd = networks(rows)
            surprise = margin**2 / 2 + log_sd  # the Gaussian's -log likelihood
            left_out = (surprise.detach() * (times == 0)).sum(1)
            better = (left_out < least)[:, None, None]
            least = torch.minimum(left_out, least)
            now = [parameter.detach() for parameter in networks.parameters()]
            best = [torch.where(better, a, b) for a, b in zip(now, best, strict=True)]
            optimizer.zero_grad()
            (surprise * times).mean().backward()
            optimizer.step()
        nn.utils.vector_to_parameters(nn.utils.parameters_to_vector(best), networks.parameters())
        return replace(self, networks=networks)

    @torch.inference_mode()
    def score(self, features: Features) -> NDArray[np.float64]:
        assert self.networks is not None
        margin, _ = self.networks(torch.from_numpy(features).float())
        return margin.mean(0).double().numpy()

    def arrays(self) -> Arrays:
        assert self.networks is not None
        return {name: tensor.numpy() for name, tensor in self.networks.state_dict().items()}

    def with_arrays(self, arrays: Arrays) -> Self:
        networks = _Bag(self.bag, len(arrays["centre"]) - 1, torch.Generator())
        networks.load_state_dict({k: torch.from_numpy(v) for k, v in arrays.items()})
        return replace(self, networks=networks)


class _Bag(nn.Module):
    """Networks of one hidden layer, side by side: rows (n, 1 + d) to margins and log sd (bag, n).

    The margin is (q(x) - error) / sd(x), of standardised errors.
    """

    centre: Tensor
    spread: Tensor

    def __init__(self, bag: int, inputs: int, generator: torch.Generator) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(1 + inputs))
        self.register_buffer("spread", torch.ones(1 + inputs))
        hidden = torch.randn(bag, inputs, WIDTH, generator=generator) / inputs**0.5
        self.hidden = nn.Parameter(hidden)
        self.hidden_bias = nn.Parameter(torch.zeros(bag, 1, WIDTH))
        self.out = nn.Parameter(torch.zeros(bag, WIDTH, 2))
        self.out_bias = nn.Parameter(torch.zeros(bag, 1, 2))

    def standardise(self, rows: Tensor) -> None:
        """Sets centre and spread to the means and deviations of these rows' columns."""
        self.centre.copy_(rows.mean(0))
        self.spread.copy_(rows.std(0, correction=0).clamp(min=1e-6))

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        rows = (rows - self.centre) / self.spread
        # Clamped, since the deviation of a picture unlike all others would be anybody's guess.
        hidden = torch.relu(rows[:, 1:].clamp(-3, 3) @ self.hidden + self.hidden_bias)
        q, log_sd = (hidden @ self.out + self.out_bias).unbind(2)
        return (q - rows[:, 0]) * torch.exp(-log_sd), log_sd
