"""What a target may be asked for gradients; by itself it gives none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from miagym.errors import TargetError

if TYPE_CHECKING:
    from miagym.targets.base import Texts


class GradientQuestions:
    """Gradients of a target's decoder and of its loss, each of which is refused here."""

    name: str
    has_gradients: bool = False

    def decoder_gradient(self, latents: Tensor, weights: Tensor) -> Tensor:
        """Gradient of each row's sum of weights * D(z) by z: J_D(z)^T v, shaped as z.

        Weights are images (n, 3, resolution, resolution); D(z) is not clamped.
        """
        raise self.no_gradients()

    def latent_gradient(
        self, latents: Tensor, timestep: int, prompts: Texts, noise: Tensor
    ) -> Tensor:
        """Gradient of each row's ||E(z, t, c) - noise||² (sum over elements) by z, shaped as z."""
        raise self.no_gradients()

    def pixel_gradient(
        self, images: Tensor, timestep: int, prompts: Texts, noise: Tensor
    ) -> Tensor:
        """Gradient of each row's ||E(z_t, t, c) - noise||² by the image, through the encoder."""
        raise self.no_gradients()

    def embedding_gradient(
        self, latents: Tensor, timestep: int, embeddings: Tensor, noise: Tensor
    ) -> Tensor:
        """Gradient of each row's ||E(z, t, e) - noise||² by e, shaped as the embeddings."""
        raise self.no_gradients()

    def parameter_gradient_norms(
        self, latents: Tensor, timesteps: Sequence[int], prompts: Texts, noise: Tensor
    ) -> Tensor:
        """L2 norms (n, parameter tensors) of the gradient of each row's loss by the UNet.

        The loss is the mean square of E(z, t, c) - noise, averaged over k timesteps; latents and
        noise are (n, k, *latent_shape).
        """
        raise self.no_gradients()

    def no_gradients(self) -> TargetError:
        """Error of a target without gradients; the oracle raises it before it charges."""
        return TargetError(
            f"{self.name} gives no gradients; use an attack of grey access or below."
        )
