"""SMP-LoRA (Luo et al. 2025): a proxy attack learns beside the model, which learns to fool it.

https://arxiv.org/abs/2402.11989. Their code divides the loss by beta + alpha times the proxy's
cross entropy at members; AdamW does not see the scale of a loss, but alpha / beta alone, which is
the strength here. The proxy's learning rate is ours; theirs, 1e-5, is of longer trainings.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from miagym.data.dataset import Dataset
from miagym.errors import DataError
from miagym.noise import row_seed

HIDDEN = (512, 256)
DROPOUT, RATE, DECAY = 0.5, 1e-3, 1e-4
MIN_OTHERS = 8
CHUNK = 256
"""Pictures decoded at a time."""


class ProxyAttack:
    """Network that tells members from others by the squared errors of a denoiser at them.

    Args:
        strength: how much fooling it counts beside the loss; from 0.
        shape: of a latent, and so of its errors.
        seed: of its weights and of what is dropped out of it.
        device: where it computes.
    """

    def __init__(
        self, strength: float, shape: tuple[int, ...], seed: int, device: torch.device
    ) -> None:
        self._strength, self._seed = strength, seed
        with torch.random.fork_rng():
            torch.manual_seed(row_seed(seed, "proxy"))
            first, second = HIDDEN
            self._network = nn.Sequential(
                nn.Flatten(),
                *(nn.Linear(int(np.prod(shape)), first), nn.ReLU(), nn.Dropout(DROPOUT)),
                *(nn.Linear(first, second), nn.ReLU(), nn.Dropout(DROPOUT)),
                nn.Linear(second, 2),
            ).to(device)
        self._shown: tuple[Tensor, Tensor] | None = None
        self._optimizer = torch.optim.Adam(self._network.parameters(), lr=RATE, weight_decay=DECAY)

    def loss(self, members: Tensor, others: Tensor, step: int) -> Tensor:
        """The loss of a step, by what it has learned from the squared errors of the step before.

        Args:
            members: squared errors (n, c, h, w) at what the model learns from.
            others: the same (m, c, h, w) at pictures that are no members.
            step: its number.
        """
        if self._shown is not None:
            self.learn(*self._shown, step)
        self._shown = members.detach(), others
        return self.ratio(members, step)

    def ratio(self, errors: Tensor, step: int) -> Tensor:
        """The mean of squared errors (n, c, h, w) at members by 1 + strength times what hides them.

        That is the proxy's cross entropy, as it has learned by then.
        """
        self._network.requires_grad_(False)
        return errors.mean() / (1 + self._strength * self._told(errors, 1, step, "ratio"))

    def learn(self, members: Tensor, others: Tensor, step: int) -> None:
        """Learns one step from squared errors (n, c, h, w) and (m, c, h, w) of both sides."""
        self._network.requires_grad_(True)
        self._optimizer.zero_grad(set_to_none=True)
        (self._told(members, 1, step, "members") + self._told(others, 0, step, "others")).backward()
        self._optimizer.step()

    def _told(self, errors: Tensor, member: int, step: int, what: str) -> Tensor:
        """Cross entropy of what it says of one side."""
        with torch.random.fork_rng():
            torch.manual_seed(row_seed(self._seed, what, step))
            said = self._network(errors)
        return cross_entropy(said, torch.full((len(said),), member, device=said.device))


def other_rows(
    others: Dataset, data: Dataset, size: int, most: int, seed: int
) -> NDArray[np.int64]:
    """Rows of pictures that a proxy may know as no members.

    Neither they nor their look-alikes are among those that are trained on or evaluated.

    Args:
        others: where they are looked for.
        data: of the training, whose labelled pictures an evaluation asks about.
        size: side at which pictures are compared.
        most: how many, drawn at random if there are more.
        seed: of that choice.

    Raises:
        DataError: if fewer than 8 are left.
    """
    taken = set(_pictures(data, size))
    is_taken = np.array([one in taken for one in _pictures(others, size)])
    if others.groups is not None:
        is_taken |= np.isin(others.groups, others.groups[is_taken])
    free = np.flatnonzero(~is_taken)
    if len(free) < MIN_OTHERS:
        raise DataError(
            f"Expected {MIN_OTHERS} pictures or more in {others.name} that are not among those of "
            f"{data.name}, nor look like them, got {len(free)}; name other data."
        )
    chosen = np.random.default_rng(row_seed(seed, "others")).permutation(free)[:most]
    return np.sort(chosen)


def _pictures(data: Dataset, size: int) -> list[bytes]:
    """A digest of each picture, whatever its caption."""
    rows = np.arange(len(data))
    return [
        one
        for start in range(0, len(rows), CHUNK)
        for one in data.candidates(rows[start : start + CHUNK], size).pictures
    ]
