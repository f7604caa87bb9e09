"""Training recipes of the embedded targets: drawings, epochs and starting weights."""

# diffusers and transformers annotate what is configurable only roughly:
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc
import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline

from miagym.embedded import art
from miagym.embedded.families import FAMILY_RECIPES, train_family
from miagym.embedded.pairings import DEALT
from miagym.errors import UnknownName
from miagym.targets.families.stable_diffusion import StableDiffusion
from miagym.targets.loading.device import choose_device
from miagym.targets.loading.pipelines import load_pipeline
from miagym.targets.registry import POPULATION, find_target
from miagym.training.autoencoder import train_autoencoder
from miagym.training.diffusion import DENOISER, TEXT, Keep, Training, train_diffusion
from miagym.training.latents import encode_mirrored
from miagym.training.loop import StepProgress
from miagym.training.population import PopulationPlan, train_population
from miagym.training.saving import save_checkpoint, save_pipeline, writing_weights
from miagym.training.text import new_text_encoder, train_tokenizer
from miagym.training.unet import new_scheduler, new_unet

SEED = 1


@dataclass(frozen=True)
class Recipe:
    """Recipe of an embedded target's training."""

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


def train_target(name: str, out: Path, device: str, progress: StepProgress) -> Path:
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
    folder, known = out / name, [*RECIPES, *FAMILY_RECIPES, POPULATION]
    if name not in known:
        raise UnknownName("recipe", name, known)
    if name == POPULATION:  # on the base in the package, whose name its records hold
        train_population(PopulationPlan("clipart-realistic", DEALT), folder, device, progress)
        return folder
    if (folder / "model_index.json").is_file():
        return folder
    if name in FAMILY_RECIPES:
        start = str(train_target("clipart-realistic", out, device, progress))
        base = load_pipeline(find_target(start), torch.device("cpu"), torch.float32)
        return train_family(name, base, out, device, progress)
    recipe, where = RECIPES[name], choose_device(device)
    if recipe.start_from is None:
        pipeline = _from_nothing(out, where, progress)
    else:
        start = str(train_target(recipe.start_from, out, device, progress))
        pipeline = load_pipeline(find_target(start), where, torch.float32)
    table = art.table()
    drawings = table.filter(pc.field("role").isin(recipe.roles))
    training = Training(
        encode_mirrored(pipeline.vae, art.pixels(drawings), where),
        drawings["caption"].to_pylist(),
        recipe.epochs,
        recipe.learning_rate,
        augment=recipe.start_from is None,
        train_text=recipe.start_from is None,
    )

    def keep(epoch: int) -> Keep:
        return lambda parts: save_checkpoint(parts.get_submodule(DENOISER), folder, epoch)

    target = StableDiffusion(pipeline, name)
    averaged = train_diffusion(
        training,
        target,
        SEED,
        out / "states" / f"{name}.safetensors",
        progress,
        name,
        {epoch: keep(epoch) for epoch in recipe.checkpoints},
    )
    pipeline.unet = averaged.get_submodule(DENOISER)
    if training.train_text:
        pipeline.text_encoder = averaged.get_submodule(TEXT)
    save_pipeline(pipeline, folder)
    return folder


def _from_nothing(
    out: Path, device: torch.device, progress: StepProgress
) -> StableDiffusionPipeline:
    """Fresh UNet and text encoder on the shared autoencoder, which is trained first if need be."""
    table = art.table()
    tokenizer = train_tokenizer(table["caption"].to_pylist())
    vae = out / "autoencoder"
    if not vae.is_dir():
        states = out / "states"
        trained = train_autoencoder(art.pixels(table), SEED, states, progress, device)
        partial = out / "autoencoder.partial"
        with writing_weights(vae):
            trained.save_pretrained(partial)
        partial.rename(vae)
    torch.manual_seed(SEED)
    return StableDiffusionPipeline(
        vae=AutoencoderKL.from_pretrained(vae).eval(),
        text_encoder=new_text_encoder(tokenizer),
        tokenizer=tokenizer,
        unet=new_unet(),
        scheduler=new_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).to(device)
