"""Images to latents and back, scaled as the pipeline of the model scales them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from miagym.errors import TargetError

BYTES_AT_ONCE = 2**23
"""Of one layer's numbers at full size, on a CPU. Memory of more than some 32 MiB is handed back by
the allocator and asked for anew, and each page is zeroed again: 64 pictures of 64 pixels decode 1.2
times as fast in four batches, and their gradient 1.4 times
(benchmarks/speed/decoder_batches.py)."""


class Autoencoder:
    """The autoencoder of a latent model: `AutoencoderKL`, `AutoencoderTiny` and their like.

    A latent is z = (h - shift) * scale of the encoder's h; shift and scale are numbers, or one for
    each channel (SDXL's `latents_mean` and `latents_std`).

    Args:
        network: the autoencoder.
        name: of the target, for errors.
        shifts: whether the pipeline of this family applies `shift_factor`.
        standardises: whether it applies `latents_mean` and `latents_std`.

    Raises:
        TargetError: if the configuration asks for what this family's pipeline does not do.
    """

    def __init__(
        self, network: Any, name: str, *, shifts: bool = False, standardises: bool = False
    ) -> None:
        config = network.config
        shift = config.get("shift_factor") or 0.0
        mean, std = config.get("latents_mean"), config.get("latents_std")
        if (shift and not shifts) or ((mean or std) and not standardises):
            raise TargetError(
                f"{name} has an autoencoder with shift_factor, latents_mean or latents_std, which "
                "the pipeline of its family does not apply; expected the autoencoder that the "
                "model was trained with."
            )
        if shift and mean:
            raise TargetError(f"{name} has an autoencoder with both shift_factor and latents_mean.")
        scale = float(config["scaling_factor"])
        self._network = network
        self._shift = _by_channel(mean) if mean else torch.tensor(float(shift))
        self._scale = scale / _by_channel(std) if std else torch.tensor(scale)
        self.factor = 2 ** (len(_blocks(config)) - 1)
        """Pixels of a side for each of the latent's."""
        self.channels = int(config["latent_channels"])
        self._widest = max(_blocks(config)[:2])  # of the layers at full size

    def at_once(self, size: int) -> int | None:
        """How many pictures of so many pixels a side to decode at once; None: all of them."""
        if self._network.device.type != "cpu":
            return None
        return max(1, BYTES_AT_ONCE // (self._widest * size**2 * self._network.dtype.itemsize))

    def latents(self, images: Tensor, noise: Tensor | None = None) -> Tensor:
        """Z of images (n, 3, size, size) in [-1, 1]: the posterior's mean, or a sample by noise.

        Differentiable. Noise is shaped as z; a deterministic encoder has no use for it.
        """
        encoded = self._network.encode(images.to(self._network.dtype))
        if hasattr(encoded, "latent_dist"):
            h = encoded.latent_dist.mean
            if noise is not None:
                h = h + encoded.latent_dist.std * noise.to(h)
        else:
            h = encoded.latents
        h = h.float()
        return (h - self._shift.to(h)) * self._scale.to(h)

    def images(self, latents: Tensor) -> Tensor:
        """Images of latents, clamped to [-1, 1]."""
        return self.decoded(latents).clamp(-1, 1)

    def decoded(self, latents: Tensor) -> Tensor:
        """The same before they are clamped; differentiable."""
        h = latents / self._scale.to(latents) + self._shift.to(latents)
        return self._network.decode(h.to(self._network.dtype)).sample.float()


def _by_channel(values: Sequence[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float32).view(1, -1, 1, 1)


def _blocks(config: Any) -> Sequence[int]:
    return config.get("block_out_channels") or config["encoder_block_out_channels"]
