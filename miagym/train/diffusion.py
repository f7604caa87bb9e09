"""The embedded diffusion models: a UNet on 16×16×4 latents under a text encoder."""

# diffusers and transformers annotate what is configurable only roughly:
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import mse_loss
from transformers import CLIPTextModel, CLIPTokenizer

from miagym.train.loop import Progress, Schedule, batch_of, train
from miagym.train.text import TOKENS, WIDTH

BATCH = 32
PHRASE_SHARE = 0.6
"""Share of a caption's phrases that an augmented training shows at a time."""

CAPTION_DROPOUT = 0.1
"""Share of captions replaced by the empty prompt, which guidance and CLiD ask under."""


def new_unet() -> UNet2DConditionModel:
    """1.6 M parameters; text enters at 8×8 and 4×4, where attention is cheap."""
    return UNet2DConditionModel(
        sample_size=16,
        in_channels=4,
        out_channels=4,
        block_out_channels=(32, 64, 80),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "UpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        cross_attention_dim=WIDTH,
        attention_head_dim=2,
        norm_num_groups=8,
    )


def new_scheduler() -> DDIMScheduler:
    """The noise schedule of Stable Diffusion 1.x."""
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )


@dataclass(frozen=True)
class Training:
    """What a diffusion model is trained on, and how."""

    pixels: NDArray[np.uint8]
    """Drawings (n, 64, 64, 3)."""
    captions: list[str]
    epochs: int
    learning_rate: float
    augment: bool
    """Whether drawings are mirrored and captions thinned at random, which slows memorisation."""
    train_text: bool
    """Whether the text encoder learns too (from scratch) or stays as it is (fine-tuning)."""

    @property
    def steps_per_epoch(self) -> int:
        return len(self.captions) // BATCH

    @property
    def schedule(self) -> Schedule:
        return Schedule(self.epochs * self.steps_per_epoch, self.learning_rate)


def thinned(caption: str, rng: np.random.Generator) -> str:
    """A caption with some of its phrases, in another order; at least one is kept."""
    phrases = np.array(caption.split(", "))
    keep = rng.random(len(phrases)) < PHRASE_SHARE
    keep[rng.integers(len(phrases))] = True
    return ", ".join(rng.permutation(phrases[keep]))


@torch.inference_mode()
def encode_all(vae: AutoencoderKL, pixels: NDArray[np.uint8], device: torch.device) -> Tensor:
    """Scaled latents (2, n, 4, 16, 16) of drawings and of their mirror images."""
    x = torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)))
    encoded = [
        torch.cat(
            [vae.encode(b.to(device).float() / 127.5 - 1).latent_dist.mean for b in y.split(64)]
        )
        for y in (x, x.flip(-1))
    ]
    return torch.stack(encoded) * vae.config.scaling_factor


def train_diffusion(
    training: Training,
    vae: AutoencoderKL,
    tokenizer: CLIPTokenizer,
    text_encoder: CLIPTextModel,
    unet: UNet2DConditionModel,
    seed: int,
    state: Path,
    progress: Progress,
    label: str,
    keep: dict[int, Callable[[UNet2DConditionModel], None]] | None = None,
) -> tuple[CLIPTextModel, UNet2DConditionModel]:
    """Trains the usual way: AdamW on the mean square of E(z_t, t, c) - eps, t uniform.

    Args:
        training: drawings, captions, epochs.
        vae: the finished autoencoder.
        tokenizer: of the captions.
        text_encoder: where to start; it moves only if `training.train_text`.
        unet: where to start.
        seed: of batches, timesteps, noise and dropped captions.
        state: where to keep what a stopped run resumes from.
        progress: shows how far it is.
        label: what the progress calls this training.
        keep: called with the averaged UNet after these epochs.

    Returns:
        The averaged text encoder and UNet.
    """
    device = next(unet.parameters()).device
    latents = encode_all(vae, training.pixels, device).clone()
    text_encoder.requires_grad_(training.train_text)
    parts = nn.ModuleDict({"unet": unet, "text": text_encoder})
    alphas_cumprod = new_scheduler().alphas_cumprod.to(device)
    n = len(training.captions)

    def loss_at(step: int) -> Tensor:
        rng = np.random.default_rng((seed, step))
        rows = batch_of(step, n, BATCH, seed)
        z0 = latents[rng.integers(2, size=len(rows)) * training.augment, rows]
        captions = [training.captions[row] for row in rows]
        if training.augment:
            captions = [thinned(caption, rng) for caption in captions]
        dropped = rng.random(len(rows)) < CAPTION_DROPOUT
        tokens = tokenizer(
            ["" if gone else caption for caption, gone in zip(captions, dropped, strict=True)],
            padding="max_length",
            truncation=True,
            max_length=TOKENS,
            return_tensors="pt",
        ).input_ids.to(device)
        t = torch.from_numpy(rng.integers(len(alphas_cumprod), size=len(rows))).to(device)
        eps = torch.from_numpy(rng.standard_normal(z0.shape, dtype=np.float32)).to(device)
        ab = alphas_cumprod[t][:, None, None, None]
        predicted = unet(ab.sqrt() * z0 + (1 - ab).sqrt() * eps, t, text_encoder(tokens)[0]).sample
        return mse_loss(predicted, eps)

    steps = {
        epoch * training.steps_per_epoch: _unet_only(call) for epoch, call in (keep or {}).items()
    }
    averaged = train(parts, loss_at, training.schedule, state, progress, label, steps)
    assert isinstance(averaged, nn.ModuleDict)
    return averaged["text"], averaged["unet"]  # pyright: ignore[reportReturnType]


def _unet_only(call: Callable[[UNet2DConditionModel], None]) -> Callable[[nn.Module], None]:
    return lambda parts: call(parts["unet"])  # pyright: ignore[reportIndexIssue]
