"""Models of pixels (Ho et al. 2020): no autoencoder, no text; a class, if the network knows any."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from miagym.errors import TargetError
from miagym.targets.base import Told
from miagym.targets.families.classes import Classes
from miagym.targets.pipeline.target import PipelineTarget
from miagym.targets.resolution import square_size
from miagym.targets.schedule import Predicts


class Pixels(PipelineTarget):
    """A `DDPMPipeline` or `DDIMPipeline` of a `UNet2DModel`; latents are images in [-1, 1].

    Captions of a model with classes are their numbers. It cannot be guided: no number means "no
    class". Without classes, captions and guidance make no difference.
    """

    told = Told.NOTHING
    can_be_guided = False

    def check_family(self) -> None:
        config = self.network.config
        if config.in_channels != 3 or config.out_channels not in (3, 6):
            raise TargetError(
                f"{self.name} takes {config.in_channels} channels and answers "
                f"{config.out_channels}; expected a model of colour pictures, 3 and 3 (6 with a "
                "learned variance)."
            )
        if config.get("class_embed_type") is not None:
            raise TargetError(
                f"{self.name} is told {config.class_embed_type!r} embeddings; expected classes "
                "(num_class_embeds), or no condition at all."
            )

    def set_up(self) -> None:
        self.use_variance_preserving((Predicts.NOISE, Predicts.VELOCITY, Predicts.SAMPLE))
        scheduler = self.pipeline.scheduler.config
        if scheduler.get("clip_sample"):
            self.clip_sample = float(scheduler.get("clip_sample_range") or 1)
        self.resolution = square_size(self.name, self.network.config.sample_size)
        self.latent_shape = (3, self.resolution, self.resolution)
        count = self.network.config.get("num_class_embeds")
        self.classes = None if count is None else Classes.of(self.name, count, {})
        self.told = Told.NOTHING if self.classes is None else Told.CLASS

    def encode_text(self, prompt: str | None) -> Tensor:
        if self.classes is None:
            return torch.zeros(1, 1, device=self.device)
        if prompt is None:
            raise TargetError(
                f"{self.name} was trained on classes and never without one, so that it cannot be "
                "guided; ask with guidance_scale=1."
            )
        return torch.full((1, 1), float(self.classes.number(prompt)), device=self.device)

    def output(self, z: Tensor, time: Tensor, told: Tensor) -> Tensor:
        labels = None if self.classes is None else told[:, 0, 0].round().long()
        return self.network(z.to(self.dtype), time, class_labels=labels).sample[:, :3].float()

    def reference(
        self, prompt: str, side: int, generator: torch.Generator, steps: int, guidance_scale: float
    ) -> Tensor:
        labels = None
        if self.classes is not None:
            labels = torch.tensor([self.classes.number(prompt)], device=self.device)
        sampler: Any = self.pipeline.scheduler
        sampler.set_timesteps(steps)
        shape = (1, *self.latent_shape)
        x = torch.randn(shape, generator=generator, dtype=self.dtype).to(self.device)
        for t in sampler.timesteps:  # as a DDIMPipeline does, which tells no class
            x = sampler.step(
                self.network(x, t, class_labels=labels).sample[:, :3], t, x
            ).prev_sample
        return (x / 2 + 0.5).clamp(0, 1)
