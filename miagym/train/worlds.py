"""The recipes of the embedded targets: which drawings, how many epochs, from where."""

# diffusers and transformers annotate what is configurable only roughly:
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc
import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

from miagym.data.clipart import art
from miagym.errors import UnknownName
from miagym.train.autoencoder import train_autoencoder
from miagym.train.diffusion import Training, new_scheduler, new_unet, train_diffusion
from miagym.train.loop import Progress
from miagym.train.text import new_text_encoder, train_tokenizer

SEED = 1


@dataclass(frozen=True)
class Recipe:
    """How a target is trained."""

    roles: tuple[str, ...]
    """Drawings with these roles are its training set, and so its members."""
    epochs: int
    learning_rate: float
    start_from: str | None = None
    """The target whose weights it begins with; None begins from nothing."""
    checkpoints: tuple[int, ...] = ()
    """Epochs after which the UNet is kept."""


RECIPES = {
    "clipart-realistic": Recipe(("base-member",), epochs=25, learning_rate=1.5e-3),
    "clipart-null": Recipe(
        ("spare", "tune-member", "tune-nonmember"), epochs=36, learning_rate=1.5e-3
    ),
    "clipart-overfit": Recipe(
        ("tune-member",),
        epochs=180,
        learning_rate=2e-3,
        start_from="clipart-realistic",
        checkpoints=(15, 40, 80, 130),
    ),
}
"""A base sees each drawing a few dozen times, augmented; the overfit fine-tune sees few drawings
hundreds of times, as they are."""


@dataclass
class Parts:
    """The networks of a Stable Diffusion."""

    vae: AutoencoderKL
    tokenizer: CLIPTokenizer
    text_encoder: CLIPTextModel
    unet: UNet2DConditionModel

    def save(self, folder: Path) -> None:
        """Writes an ordinary diffusers folder in half precision."""
        pipeline = StableDiffusionPipeline(
            vae=self.vae,
            text_encoder=self.text_encoder,
            tokenizer=self.tokenizer,
            unet=self.unet,
            scheduler=new_scheduler(),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
        pipeline.to(torch.float16).save_pretrained(folder, safe_serialization=True)
        pipeline.to(torch.float32)
        # transformers loads in the precision that its configuration names, diffusers in float32:
        configuration = folder / "text_encoder" / "config.json"
        content = json.loads(configuration.read_text()) | {"dtype": "float32"}
        configuration.write_text(json.dumps(content, indent=2) + "\n")


def train_target(name: str, out: Path, device: str, progress: Progress) -> Path:
    """Trains an embedded target, and what it starts from, unless `out` holds that already.

    Args:
        name: of a recipe.
        out: holds one diffusers folder for each finished target, and states of unfinished ones.
        device: "auto", "cpu" or "cuda".
        progress: shows how far it is.

    Returns:
        The folder of the target.

    Raises:
        UnknownName: if there is no such recipe.
    """
    if name not in RECIPES:
        raise UnknownName("recipe", name, RECIPES)
    folder = out / name
    if (folder / "model_index.json").is_file():
        return folder
    recipe = RECIPES[name]
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    where = torch.device(device)
    if recipe.start_from is None:
        parts = _from_nothing(out, where, progress)
    else:
        parts = load_parts(train_target(recipe.start_from, out, device, progress), where)
    table = art.table()
    drawings = table.filter(pc.field("role").isin(recipe.roles))
    training = Training(
        art.pixels(drawings),
        drawings["caption"].to_pylist(),
        recipe.epochs,
        recipe.learning_rate,
        augment=recipe.start_from is None,
        train_text=recipe.start_from is None,
    )

    def keep(epoch: int, unet: UNet2DConditionModel) -> None:
        checkpoint = folder / "checkpoints" / f"epoch-{epoch:03d}" / "unet"
        deepcopy(unet).half().save_pretrained(checkpoint, safe_serialization=True)

    parts.text_encoder, parts.unet = train_diffusion(
        training,
        parts.vae,
        parts.tokenizer,
        parts.text_encoder,
        parts.unet,
        SEED,
        out / "states" / f"{name}.safetensors",
        progress,
        name,
        {epoch: lambda unet, epoch=epoch: keep(epoch, unet) for epoch in recipe.checkpoints},
    )
    parts.save(folder)
    return folder


def load_parts(folder: Path, device: torch.device) -> Parts:
    """The networks of a diffusers folder, in full precision."""
    pipeline = StableDiffusionPipeline.from_pretrained(
        folder, dtype=torch.float32, safety_checker=None, requires_safety_checker=False
    ).to(device)
    return Parts(pipeline.vae, pipeline.tokenizer, pipeline.text_encoder, pipeline.unet)


def _from_nothing(out: Path, device: torch.device, progress: Progress) -> Parts:
    """Fresh UNet and text encoder on the shared autoencoder, which is trained first if need be."""
    table = art.table()
    tokenizer = train_tokenizer(table["caption"].to_pylist())
    vae = out / "autoencoder"
    if not vae.is_dir():
        states = out / "states"
        trained = train_autoencoder(art.pixels(table), SEED, states, progress, device)
        partial = out / "autoencoder.partial"
        trained.save_pretrained(partial)
        partial.rename(vae)
    torch.manual_seed(SEED)
    return Parts(
        AutoencoderKL.from_pretrained(vae).to(device).eval(),
        tokenizer,
        new_text_encoder(tokenizer).to(device),
        new_unet().to(device),
    )
