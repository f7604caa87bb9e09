"""PixArt-alpha and PixArt-sigma (Chen et al. 2023, 2024): a transformer, told the tokens of T5."""

from __future__ import annotations

from types import MappingProxyType

import torch
from torch import Tensor

from miagym.errors import TargetError
from miagym.targets.families.packing import Packing
from miagym.targets.pipeline.quiet import quiet_pipelines
from miagym.targets.pipeline.target import PipelineTarget
from miagym.targets.schedule import Predicts


class PixArt(PipelineTarget):
    """A `PixArtAlphaPipeline` or `PixArtSigmaPipeline`; padding tokens are masked."""

    reference_options = MappingProxyType({"use_resolution_binning": False, "clean_caption": False})
    _packing: Packing

    def check_family(self) -> None:
        transformer, vae = self.network.config, self.pipeline.vae.config
        if transformer.in_channels != vae.latent_channels:
            raise TargetError(
                f"{self.name} is no plain PixArt: its transformer takes {transformer.in_channels} "
                f"channels, its autoencoder gives {vae.latent_channels}."
            )

    def set_up(self) -> None:
        self.use_variance_preserving((Predicts.NOISE,))
        self.use_latents()
        self.encode_text("")  # which says how parts are packed

    @torch.inference_mode()
    def encode_text(self, prompt: str | None) -> Tensor:
        with quiet_pipelines():
            tokens, mask, _, _ = self.pipeline.encode_prompt(
                prompt or "",
                do_classifier_free_guidance=False,
                device=self.device,
                **self._length(),
            )
        parts = [tokens[0], mask[0]]
        self._packing = Packing.of(parts)
        return self._packing.pack(parts)

    def _length(self) -> dict[str, int]:
        """Tokens of a prompt, as many as each pipeline takes by default."""
        sigma = type(self.pipeline).__name__ == "PixArtSigmaPipeline"
        return {"max_sequence_length": 300 if sigma else 120}

    def output(self, z: Tensor, time: Tensor, told: Tensor) -> Tensor:
        tokens, mask = self._packing.unpack(told.to(self.dtype))
        sizes = {"resolution": None, "aspect_ratio": None}
        if self.network.config.sample_size == 128:  # only then the model was trained on many shapes
            side = torch.full((len(z), 2), float(self.resolution), device=self.device)
            ratio = torch.ones(len(z), 1, device=self.device)
            sizes = {"resolution": side.to(self.dtype), "aspect_ratio": ratio.to(self.dtype)}
        answer = self.network(
            z.to(self.dtype),
            encoder_hidden_states=tokens,
            encoder_attention_mask=mask,
            timestep=time,
            added_cond_kwargs=sizes,
            return_dict=False,
        )[0]
        return answer[:, : z.shape[1]].float()  # a learned variance comes behind the noise
