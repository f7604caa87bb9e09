"""A small ResNet-18 on maps of errors: the decision rule of attacks that train a network."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from attacks.base import as_features
from attacks.learning.rules import Arrays, Features, Labels, Rule

WIDTHS = (16, 32, 64, 128)
"""Channels of the four stages: a quarter of ResNet-18's."""
BATCH = 32


def map_features(maps: Tensor) -> NDArray[np.float64]:
    """Features (n, 3 + c h w) of maps (n, c, h, w): their shape, which `d` alone does not tell."""
    shape = np.tile(maps.shape[1:], (len(maps), 1))
    return np.hstack([shape, as_features(maps)])


def _maps(features: Features) -> Tensor:
    channels, height, width = features[0, :3].astype(int)
    return torch.from_numpy(features[:, 3:]).float().reshape(-1, channels, height, width)


@dataclass(frozen=True)
class ErrorMapNetwork(Rule):
    """ResNet-18 trained by cross-entropy on what `map_features` gives; the score is its logit.

    Maps are small and calibration data few, so it has a quarter of the usual width and a stem of
    one 3×3 convolution without pooling. The number of epochs is fixed: no epoch is chosen on data.

    Args:
        epochs: passes over the calibration data.
        seed: of initial weights and of the order of samples.
        network: what was learned.
    """

    epochs: int = 15
    seed: int = 0
    network: _Network | None = field(default=None, repr=False, compare=False)

    def fit(self, features: Features, member: Labels) -> Self:
        maps, label = _maps(features), torch.from_numpy(member).float()
        network = _Network.seeded(maps.shape[1], self.seed)
        network.standardise(maps)
        optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=0.05)
        generator = torch.Generator().manual_seed(self.seed)
        network.train()
        for _ in range(self.epochs):
            order = torch.randperm(len(maps), generator=generator)
            # Pieces of equal size: batch normalisation fails on a last piece of one sample.
            for rows in order.tensor_split(max(1, len(maps) // BATCH)):
                loss = binary_cross_entropy_with_logits(network(maps[rows]), label[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        return replace(self, network=network.eval())

    @torch.inference_mode()
    def score(self, features: Features) -> NDArray[np.float64]:
        assert self.network is not None
        logits = [self.network(maps) for maps in _maps(features).split(256)]
        return torch.cat(logits).double().numpy()

    def arrays(self) -> Arrays:
        assert self.network is not None
        return {name: tensor.numpy() for name, tensor in self.network.state_dict().items()}

    def with_arrays(self, arrays: Arrays) -> Self:
        network = _Network.seeded(len(arrays["mean"]), self.seed)
        network.load_state_dict({k: torch.from_numpy(v) for k, v in arrays.items()})
        return replace(self, network=network.eval())


class _Network(nn.Module):
    """Maps (n, c, h, w) to logits (n,), standardised by statistics that are saved with it."""

    mean: Tensor
    sd: Tensor

    def __init__(self, channels: int) -> None:
        # Imported late: it takes seconds, and most attacks need no network.
        from transformers import ResNetConfig, ResNetModel

        super().__init__()
        self.register_buffer("mean", torch.zeros(channels, 1, 1))
        self.register_buffer("sd", torch.ones(channels, 1, 1))
        first, *_, last = WIDTHS
        stem = nn.Conv2d(channels, first, kernel_size=3, padding=1, bias=False)
        self.stem = nn.Sequential(stem, nn.BatchNorm2d(first), nn.ReLU())
        config = ResNetConfig(
            embedding_size=first,
            hidden_sizes=list(WIDTHS),
            depths=[2, 2, 2, 2],
            layer_type="basic",
        )
        self.encoder = ResNetModel(config).encoder
        self.head = nn.Linear(last, 1)

    @classmethod
    def seeded(cls, channels: int, seed: int) -> _Network:
        """Initial weights of this seed; the global generator is left as it was."""
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            return cls(channels)

    def standardise(self, maps: Tensor) -> None:
        """Sets mean and sd to those of the channels of these maps."""
        self.mean.copy_(maps.mean((0, 2, 3))[:, None, None])
        self.sd.copy_(maps.std((0, 2, 3))[:, None, None].clamp(min=1e-12))

    def forward(self, maps: Tensor) -> Tensor:
        hidden = self.encoder(self.stem((maps - self.mean) / self.sd)).last_hidden_state
        return self.head(hidden.mean((2, 3)))[:, 0]
