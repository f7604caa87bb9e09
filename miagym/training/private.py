"""DP-SGD (Abadi et al. 2016): gradients of single pictures, clipped, under noise, and their price.

https://arxiv.org/abs/1607.00133. Opacus computes and accounts, the extra `private`.
"""

# opacus adds attributes to parameters, of which their type says nothing:
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from miagym.errors import RunError
from miagym.noise import row_seed

CLIP = 1.0
"""Norm to which each picture's gradient is clipped. Adam divides it out again."""

MAX_DELTA = 1e-5
"""Delta is this, or a tenth of one picture's share where there are more than ten thousand."""

ORDERS = [1.1, 1.25, 1.5, 1.75, *range(2, 64), *(2**k for k in range(6, 11))]
"""Of Rényi divergence, the best of which tells epsilon; one that is missing makes it larger."""


@dataclass(frozen=True)
class Privacy:
    """What a differentially private training guarantees for each picture, and by what means.

    The models trained with and without one picture and its caption differ so little that no attack
    has a TPR above exp(epsilon) FPR + delta. It holds against whoever does not know the seed.
    """

    epsilon: float
    delta: float
    noise_multiplier: float
    """Standard deviation of the noise on the sum of a step's gradients, in units of the clip."""
    clip: float
    sample_rate: float
    """Chance of each picture to be in a step, independently of all others (Poisson sampling)."""
    steps: int
    unit: str = "picture"
    """Whom it protects; a group of k look-alikes has k times this epsilon."""

    @classmethod
    def reaching(cls, epsilon: float, pictures: int, steps_per_epoch: int, epochs: int) -> Privacy:
        """The least noise with which a training stays within an epsilon.

        Args:
            epsilon: at most this; what is reached is a little less.
            pictures: how many are trained on.
            steps_per_epoch: an epoch sees each picture once in the mean.
            epochs: how many there are.

        Raises:
            RunError: if no noise is enough, or Opacus is not installed.
        """
        accountants = _opacus().accountants
        rate, steps = 1 / steps_per_epoch, steps_per_epoch * epochs
        delta = min(MAX_DELTA, 0.1 / pictures)
        accountant = accountants.RDPAccountant()
        with warnings.catch_warnings():
            # Of a better order beyond its list: what it says still holds.
            warnings.filterwarnings("ignore", "Optimal order", UserWarning)
            try:
                noise = accountants.utils.get_noise_multiplier(
                    target_epsilon=epsilon,
                    target_delta=delta,
                    sample_rate=rate,
                    steps=steps,
                    accountant="rdp",
                    alphas=ORDERS,
                )
            except ValueError as error:
                raise RunError(
                    f"No noise keeps {steps} steps within an epsilon of {epsilon:g} at a delta of "
                    f"{delta:g} ({error}); choose a larger epsilon, or fewer epochs."
                ) from error
            accountant.history = [(noise, rate, steps)]
            spent = accountant.get_epsilon(delta, alphas=ORDERS)
        return cls(float(spent), delta, noise, CLIP, rate, steps)


def poisson_batch_of(step: int, n: int, rate: float, seed: int) -> NDArray[np.int64]:
    """Rows of a step, each of n there with this chance by itself; there may be none."""
    rng = np.random.default_rng(row_seed(seed, "poisson", step))
    return np.flatnonzero(rng.random(n) < rate)


class PrivateGradients:
    """Puts clipped and noisy gradients in the place of those that a backward pass left.

    Args:
        network: whose layers the gradients flow through; changed in place.
        parameters: those of it that learn.
        privacy: says how much is clipped, and how much noise is added.
        pictures: how many are trained on; the sum is divided by the expected number in a step.
        seed: of the noise.

    Raises:
        RunError: if Opacus is not installed.
    """

    def __init__(
        self,
        network: nn.Module,
        parameters: Iterable[nn.Parameter],
        privacy: Privacy,
        pictures: int,
        seed: int,
    ) -> None:
        opacus = _opacus()
        self._parameters, self._seed = list(parameters), seed
        for layer in network.modules():  # those in training are what Opacus looks at
            layer.training = any(p.requires_grad for p in layer.parameters(recurse=False))
            if layer.training:
                layer.register_forward_pre_hook(_differentiable)
        opacus.grad_sample.GradSampleHooks(network, loss_reduction="mean")
        self._private = opacus.optimizers.DPOptimizer(
            torch.optim.SGD(self._parameters),  # never steps: only its gradients are wanted
            noise_multiplier=privacy.noise_multiplier,
            max_grad_norm=privacy.clip,
            expected_batch_size=privacy.sample_rate * pictures,
        )

    def __call__(self, step: int) -> None:
        """Of the step whose loss, a mean over its pictures, was just differentiated."""
        for parameter in self._parameters:
            if parameter.grad_sample is None:  # of a step without pictures
                parameter.grad_sample = parameter.new_zeros(0, *parameter.shape)
        generator = torch.Generator(self._parameters[0].device)
        generator.manual_seed(row_seed(self._seed, "noise", step))
        self._private.generator = generator
        self._private.pre_step()
        for parameter in self._parameters:
            parameter.grad_sample = parameter.summed_grad = None


def _differentiable(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    """Torch warns of Opacus's hooks where nobody asks for the gradient of a layer's input."""
    for each in inputs:
        if torch.is_grad_enabled() and not each.requires_grad:
            each.requires_grad_(True)


def _opacus() -> Any:
    try:
        for part in ("accountants.utils", "grad_sample", "optimizers"):
            import_module(f"opacus.{part}")
        return import_module("opacus")
    except ImportError as error:
        raise RunError(
            "Differentially private training needs Opacus; install it with "
            "`pip install miagym[private]`."
        ) from error
