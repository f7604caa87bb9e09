"""What the families of diffusers pipelines have in common: one file of `families` adds the rest."""

from __future__ import annotations

from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from miagym.errors import TargetError
from miagym.targets.base import FINAL, Texts, Timesteps
from miagym.targets.gradients import DifferentiableTarget
from miagym.targets.memory import in_parts
from miagym.targets.pipeline.autoencoder import Autoencoder
from miagym.targets.pipeline.ddim import ddim_of
from miagym.targets.pipeline.fingerprint import fingerprint
from miagym.targets.pipeline.tokens import MAX_CACHED_PROMPTS, Tokens
from miagym.targets.resolution import square_size
from miagym.targets.schedule import Level, Move, Predicts, Schedule, noise_and_clean

NETWORKS = ("vae", "unet", "transformer", "text_encoder", "text_encoder_2", "text_encoder_3")
"""Components of pipelines that have weights and answer something."""


class PipelineTarget(DifferentiableTarget):
    """A loaded diffusers pipeline as a target, which answers what the pipeline computes.

    Args:
        pipeline: of the family's class, with any scheduler that fits the family.
        name: what reports call it.

    Raises:
        TargetError: if the pipeline is not of this family, or has parts that the family would not
            tell anything.
    """

    autoencoder: Autoencoder | None = None
    """None for a model of pixels."""
    predicts: Predicts = Predicts.NOISE
    sampler: Any
    """The scheduler that spaces and moves timesteps, where it is DDIM."""
    reference_options: Mapping[str, Any] = MappingProxyType({})
    """What the pipeline is told beside prompt and size, so that it does what the target does."""
    checked_side: int | None = None
    """Side of the latents on which the self-check may run, where the network takes any size."""

    def __init__(self, pipeline: Any, name: str) -> None:
        self.name, self.pipeline = name, pipeline
        self._denoiser = "transformer" if "transformer" in pipeline.components else "unet"
        self.device, self.dtype = self.network.device, self.network.dtype
        for network in self.networks():
            network.eval()
        self._embeddings: OrderedDict[str | None, Tensor] = OrderedDict()
        self._lock = Lock()  # chunks may be scored by several threads
        self._tokens = Tokens(pipeline.components.get("tokenizer"), self._lock)
        self.check_family()
        self.set_up()
        self.has_decoder = self.autoencoder is not None
        self.fingerprint = fingerprint(pipeline, self.networks(), self.dtype)

    # What a family says of itself.

    @abstractmethod
    def check_family(self) -> None:
        """Refuses a pipeline whose parts this family would not use as its pipeline does."""

    @abstractmethod
    def set_up(self) -> None:
        """Sets resolution, latent shape, schedule, autoencoder and what the network predicts."""

    @abstractmethod
    def encode_text(self, prompt: str | None) -> Tensor:
        """What the network is told about one prompt (rows, width); None is the empty condition."""

    @abstractmethod
    def output(self, z: Tensor, time: Tensor, told: Tensor) -> Tensor:
        """The network's own answer, shaped as z, at times (n,); differentiable."""

    def reference(
        self, prompt: str, side: int, generator: torch.Generator, steps: int, guidance_scale: float
    ) -> Tensor:
        """What the pipeline itself generates, (1, 3, side, side) in [0, 1]."""
        return self.pipeline(
            prompt=prompt,
            height=side,
            width=side,
            generator=generator,
            num_inference_steps=steps,
            guidance_scale=guidance_scale,
            output_type="pt",
            **self.reference_options,
        ).images

    # What follows from that.

    @property
    def network(self) -> Any:
        """The denoiser: UNet or transformer."""
        return getattr(self.pipeline, self._denoiser)

    @network.setter
    def network(self, network: torch.nn.Module) -> None:
        setattr(self.pipeline, self._denoiser, network)

    def networks(self) -> list[torch.nn.Module]:
        """Autoencoder, denoiser and text encoders, as many as there are, in this order."""
        found = (self.pipeline.components.get(name) for name in NETWORKS)
        return [part for part in found if isinstance(part, torch.nn.Module)]

    def use_latents(self, size: int | None = None, **kind: bool) -> None:
        """Works on an autoencoder's latents, of so many to a side; by default as its network."""
        if size is None:
            size = square_size(self.name, self.network.config.sample_size)
        self.autoencoder = Autoencoder(self.pipeline.vae, self.name, **kind)
        self.latent_shape = (self.autoencoder.channels, size, size)
        self.resolution = size * self.autoencoder.factor

    def use_variance_preserving(self, predicts: Sequence[Predicts]) -> None:
        """Takes the schedule of a DDPM from the pipeline's scheduler; DDIM samples.

        Raises:
            TargetError: if the scheduler is of another kind.
        """
        self.sampler, self.predicts = ddim_of(self.pipeline.scheduler, predicts, self.name)
        self.schedule = Schedule.variance_preserving(
            self.sampler.alphas_cumprod, float(self.sampler.final_alpha_cumprod)
        )

    def timesteps(self, steps: int) -> list[int]:
        last = len(self.schedule) - 1
        if not 1 <= steps <= last + 1:
            raise TargetError(
                f"Expected from 1 to {last + 1} steps, as many as {self.name} has timesteps, got "
                f"{steps}."
            )
        with self._lock:
            self.sampler.set_timesteps(steps)
            return [min(int(t), last) for t in self.sampler.timesteps]

    def moves(self, steps: int, side: int | None = None) -> list[Move]:
        """As DDIM moves: by T // steps from where it is, even where the next visit is elsewhere."""
        stride, starts = len(self.schedule) // steps, self.timesteps(steps)
        ends = [self.level(max(t - stride, FINAL)) for t in starts]
        return [Move(self.level(t), end) for t, end in zip(starts, ends, strict=True)]

    @torch.inference_mode()
    def encode(self, images: Tensor, noise: Tensor | None = None) -> Tensor:
        return self.latents(images, noise)

    def latents(self, images: Tensor, noise: Tensor | None = None) -> Tensor:
        return images if self.autoencoder is None else self.autoencoder.latents(images, noise)

    @torch.inference_mode()
    def decode(self, latents: Tensor) -> Tensor:
        if self.autoencoder is None:
            return latents.clamp(-1, 1)
        images = self.autoencoder.images
        return self._by_decoder("decode", lambda rows: images(latents[rows]), len(latents))

    def decoded(self, latents: Tensor) -> Tensor:
        return latents if self.autoencoder is None else self.autoencoder.decoded(latents)

    def decoder_gradient(self, latents: Tensor, weights: Tensor) -> Tensor:
        gradient = super().decoder_gradient
        return self._by_decoder(
            "decoder_gradient", lambda rows: gradient(latents[rows], weights[rows]), len(latents)
        )

    def _by_decoder(
        self, question: str, compute: Callable[[list[int]], Tensor], rows: int
    ) -> Tensor:
        """Answers of the decoder about so many rows, in parts.

        Pictures take far more memory than their latents, and come last: what was computed on the
        way to them is not computed again where they do not fit.
        """
        at_once = self.autoencoder and self.autoencoder.at_once(self.resolution)
        return in_parts(self, question, compute, range(rows), at_once)

    def parameters(self) -> list[Tensor]:
        return list(self.network.parameters())

    def eps(self, z: Tensor, timestep: Timesteps, embeddings: Tensor) -> Tensor:
        """E(z, t, c) in float32, whatever the model itself predicts."""
        time = torch.tensor(self.each_timestep(timestep, len(z)), device=self.device)
        return self._noise_of(self.output(z, time, embeddings), z, timestep)

    @torch.inference_mode()
    def predict_noise(
        self, latents: Tensor, timestep: Timesteps, prompts: Texts, guidance_scale: float = 1.0
    ) -> Tensor:
        time = torch.tensor(self.each_timestep(timestep, len(latents)), device=self.device)
        output = self.guided(latents, time, self.condition(prompts), guidance_scale)
        return self._noise_of(output, latents, timestep)

    @torch.inference_mode()
    def noise_and_clean(
        self, z: Tensor, level: Level, prompts: Sequence[str], guidance_scale: float
    ) -> tuple[Tensor, Tensor]:
        time = torch.full((len(z),), level.time, device=self.device)
        if level.time == int(level.time):
            time = time.long()
        output = self.guided(z, time, self.condition(prompts), guidance_scale)
        eps, z0 = noise_and_clean(output, z, level.signal, level.noise, self.predicts)
        return eps, level.clean(z, eps) if z0 is None else z0

    def guided(self, z: Tensor, time: Tensor, told: Tensor, guidance_scale: float) -> Tensor:
        """The network's answer under classifier-free guidance (Ho and Salimans 2022)."""
        if guidance_scale == 1.0:
            return self.output(z, time, told)
        empty = self._embedding(None).expand_as(told)
        both = self.output(torch.cat([z, z]), torch.cat([time, time]), torch.cat([empty, told]))
        unconditional, conditional = both.chunk(2)
        return unconditional + guidance_scale * (conditional - unconditional)

    @torch.inference_mode()
    def embed(self, prompts: Sequence[str]) -> Tensor:
        """Text embeddings (n, rows, width), each distinct prompt encoded once, and by itself.

        In a batch, an embedding would depend to the last bits on the prompts beside it.
        """
        return torch.stack([self._embedding(prompt) for prompt in prompts])

    def tokenize(self, prompts: Sequence[str]) -> NDArray[np.int32]:
        """Token ids (n, TOKENS) as the first text encoder sees them; zeros where there is none."""
        return self._tokens.of(prompts)

    def _embedding(self, prompt: str | None) -> Tensor:
        """The embedding of a prompt; the empty prompt is the empty condition of guidance."""
        prompt = prompt or None
        with self._lock, torch.inference_mode():
            if prompt not in self._embeddings:
                self._embeddings[prompt] = self.encode_text(prompt)
            self._embeddings.move_to_end(prompt)
            embedding = self._embeddings[prompt]
            while len(self._embeddings) > MAX_CACHED_PROMPTS:
                self._embeddings.popitem(last=False)
            return embedding

    def _noise_of(self, output: Tensor, z: Tensor, timestep: Timesteps) -> Tensor:
        return noise_and_clean(output, z, *self.scales(timestep, z), self.predicts)[0]
