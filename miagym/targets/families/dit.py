"""DiT (Peebles and Xie 2023): a transformer of latents that is told a class."""

from __future__ import annotations

import torch
from torch import Tensor

from miagym.errors import TargetError
from miagym.targets.base import Told
from miagym.targets.families.classes import Classes
from miagym.targets.pipeline.target import PipelineTarget
from miagym.targets.schedule import Predicts


class DiT(PipelineTarget):
    """A `DiTPipeline`. Captions are classes, by number or by a name of the pipeline's index."""

    told = Told.CLASS

    def check_family(self) -> None:
        transformer, vae = self.network.config, self.pipeline.vae.config
        if transformer.in_channels != vae.latent_channels:
            raise TargetError(
                f"{self.name} is no plain DiT: its transformer takes {transformer.in_channels} "
                f"channels, its autoencoder gives {vae.latent_channels}."
            )

    def set_up(self) -> None:
        self.use_variance_preserving((Predicts.NOISE, Predicts.VELOCITY))
        self.use_latents()
        count, numbers = self.network.config.num_embeds_ada_norm, self.pipeline.labels
        self.classes = Classes.of(self.name, count, numbers)

    def encode_text(self, prompt: str | None) -> Tensor:
        number = self.classes.number(prompt) if prompt else self.classes.count
        return torch.full((1, 1), float(number), device=self.device)

    def output(self, z: Tensor, time: Tensor, told: Tensor) -> Tensor:
        answer = self.network(
            z.to(self.dtype), timestep=time, class_labels=told[:, 0, 0].round().long()
        ).sample
        return answer[:, : z.shape[1]].float()  # a learned variance comes behind the noise

    def reference(
        self, prompt: str, side: int, generator: torch.Generator, steps: int, guidance_scale: float
    ) -> Tensor:
        return self.pipeline(
            [self.classes.number(prompt)],
            guidance_scale=guidance_scale,
            generator=generator,
            num_inference_steps=steps,
            output_type="pt",
        ).images
